import CKernels
import Foundation
import KernelShapes
import Testing

/// The tiles of AVX-512 (12 rows by 2 panels) give the bytes of those of AVX2 (6 by 1): every element is one chain of
/// multiply-adds, whatever stands beside it. Runs where there is no AVX-512, too.
@Suite struct KernelShapeTests {
    nonisolated(unsafe) static let narrow = fovea_kernels().pointee
    nonisolated(unsafe) static let wide = fovea_table_wide
    /// Both tables use fused multiply-adds; the baseline does not.
    static let isComparable = String(cString: narrow.name) != "default"

    static func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int64(state >> 33) - (1 << 30)) / Float(1 << 30)
        }
    }

    @Test(
        .enabled(if: isComparable, "FOVEA_ISA=default has no fused multiply-adds"),
        arguments: [
            (12, 16, 32), (13, 27, 33), (48, 64, 64), (7, 8, 8), (1, 1, 1), (100, 130, 17), (25, 256, 48), (11, 24, 95),
        ])
    func products(_ rows: Int, _ k: Int, _ columns: Int) {
        let a = KernelShapeTests.numbers(rows * k, seed: 1), matrix = KernelShapeTests.numbers(k * columns, seed: 2)
        func result(_ table: fovea_kernel_table, accumulate: Int32) -> [Float] {
            var panels = [Float](repeating: .nan, count: (columns + 15) / 16 * 16 * k)
            table.pack(k, columns, matrix, columns, &panels)
            var c = KernelShapeTests.numbers(rows * columns, seed: 3)
            a.withUnsafeBufferPointer { a in
                panels.withUnsafeBufferPointer { panels in
                    c.withUnsafeMutableBufferPointer { c in
                        var product = fovea_product(
                            rows: rows, k: k, columns: columns, a: a.baseAddress, a_row: k, a_panel: 16,
                            b: panels.baseAddress, c: c.baseAddress, c_row: columns, c_panel: 16, accumulate: accumulate
                        )
                        table.product(&product)
                    }
                }
            }
            return c
        }
        for accumulate in [Int32(0), 1] {
            let found = result(KernelShapeTests.wide, accumulate: accumulate)
            let areEqual = found == result(KernelShapeTests.narrow, accumulate: accumulate)
            #expect(areEqual)
            // And they are the product.
            for (row, column) in [(0, 0), (rows - 1, columns - 1), (rows / 2, columns / 3)] {
                let start =
                    accumulate == 1
                    ? Double(KernelShapeTests.numbers(rows * columns, seed: 3)[row * columns + column]) : 0
                let exact = (0..<k).reduce(start) {
                    $0 + Double(a[row * k + $1]) * Double(matrix[$1 * columns + column])
                }
                #expect(abs(Double(found[row * columns + column]) - exact) <= 1e-5 * Double(k).squareRoot())
            }
        }
    }

    @Test(
        .enabled(if: isComparable, "FOVEA_ISA=default has no fused multiply-adds"),
        arguments: [
            (1, 16, 16), (36, 16, 48), (100, 64, 32), (7, 48, 80),
        ])
    func adjointProducts(_ k: Int, _ aColumns: Int, _ bColumns: Int) {
        let a = KernelShapeTests.numbers(k * aColumns, seed: 1), b = KernelShapeTests.numbers(k * bColumns, seed: 2)
        func result(_ table: fovea_kernel_table) -> [Float] {
            var c = KernelShapeTests.numbers(aColumns * bColumns, seed: 3)
            table.product_adjoint(k, aColumns, bColumns, a, b, 1, &c)
            return c
        }
        let found = result(KernelShapeTests.wide)
        let areEqual = found == result(KernelShapeTests.narrow)
        #expect(areEqual)
        let (i, j) = (aColumns - 1, bColumns - 2)
        let at = (j / 16 * aColumns + i) * 16 + j % 16
        let exact = (0..<k).reduce(Double(KernelShapeTests.numbers(aColumns * bColumns, seed: 3)[at])) {
            $0 + Double(a[(i / 16 * k + $1) * 16 + i % 16]) * Double(b[(j / 16 * k + $1) * 16 + j % 16])
        }
        #expect(abs(Double(found[at]) - exact) <= 1e-5 * Double(k).squareRoot())
    }

    @Test(.enabled(if: isComparable, "FOVEA_ISA=default has no fused multiply-adds"))
    func winogradTransforms() {
        var tiling = fovea_tiling(images: 2, height: 9, width: 7, channels: 32, tiles_high: 3, tiles_wide: 2)
        let x = KernelShapeTests.numbers(2 * 9 * 7 * 32, seed: 4), bias = KernelShapeTests.numbers(32, seed: 5)
        let step = 12 * 32 + 16
        func results(_ table: fovea_kernel_table) -> [[Float]] {
            var block = fovea_tile_block(first_tile: 0, rows: 12, plane_rows: 12, position_step: step)
            var v = [Float](repeating: 0, count: 36 * step), z = v, y = [Float](repeating: 0, count: x.count)
            table.winograd_input(&tiling, x, &block, &v)
            table.winograd_output_adjoint(&tiling, x, &block, &z)
            let isFinite = table.winograd_output(&tiling, v, bias, 0, x, &block, &y)
            #expect(isFinite == 1)
            let weights = KernelShapeTests.numbers(9 * 32 * 48, seed: 6)
            var u = [Float](repeating: 0, count: 36 * (32 * 48 + 16)), turned = u,
                back = [Float](repeating: 0, count: 9 * 32 * 48)
            table.winograd_weight(32, 48, 0, 3, weights, 32 * 48 + 16, &u)
            table.winograd_weight_turned(32, 48, 0, 2, weights, 32 * 48 + 16, &turned)
            #expect(table.winograd_weight_adjoint(32, 48, 0, 3, u, 32 * 48 + 16, &back) == 1)
            return [v, z, y, u, turned, back]
        }
        for (index, pair) in zip(results(KernelShapeTests.wide), results(KernelShapeTests.narrow)).enumerated() {
            let areEqual = pair.0 == pair.1 && pair.0.contains { $0 != 0 }
            #expect(areEqual, "result \(index)")
        }
    }

    /// Every half-precision number, in every instruction set that runs here, against the compiler's conversion.
    @Test func allHalves() {
        let halves = (0...UInt16.max).map { $0 }
        let expected = halves.map { Float(Float16(bitPattern: $0)) }
        for table in [KernelShapeTests.narrow, KernelShapeTests.wide] {
            var found = [Float](repeating: 0, count: halves.count)
            table.widen_half(halves.count, halves, &found)
            let areEqual = zip(found, expected).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) }
            #expect(areEqual)
        }
    }
}
