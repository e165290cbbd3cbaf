import CKernels

// Matrix products by our own kernels (products.h). An element of the result depends only on its row of a and its column
// of b, so the work may be cut anywhere.

/// A matrix [k, columns] stored in panels of sixteen columns, the order in which products read it.
struct PackedMatrix: Sendable {
    let k: Int, columns: Int
    private let panels: Tensor

    private init(k: Int, columns: Int, pack: (_ panel: Int, UnsafeMutablePointer<Float>) -> Void) {
        (self.k, self.columns) = (k, columns)
        panels = Tensor(uninitialized: [max(1, floatsOfPanels(k, columns))])
        let target = panels.pointer
        parallelFor((columns + 15) / 16) { panel in pack(panel, target + panel * 16 * k) }
    }

    /// `matrix` [k, columns], row-major.
    init(_ matrix: UnsafePointer<Float>, k: Int, columns: Int) {
        self.init(k: k, columns: columns) { panel, target in
            Kernels.table.pack(k, min(16, columns - 16 * panel), matrix + 16 * panel, columns, target)
        }
    }

    /// `weight` packed as [k, columns]. The packed matrix is kept with a weight that keeps derived values
    /// (`Tensor.keepingDerived`).
    static func of(_ weight: Tensor, k: Int, columns: Int) -> PackedMatrix {
        weight.derived { PackedMatrix(weight.pointer, k: k, columns: columns) }
    }

    /// The transpose of `matrix` [columns, k], row-major.
    init(transposing matrix: UnsafePointer<Float>, k: Int, columns: Int) {
        self.init(k: k, columns: columns) { panel, target in
            Kernels.table.pack_transposed(min(16, columns - 16 * panel), k, matrix + 16 * panel * k, k, target)
        }
    }

    /// c = a times this matrix, or c += a times this matrix where `accumulate` is true; a and c are row-major with all
    /// their columns.
    func multiply(rows: Int, _ a: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, accumulate: Bool = false) {
        withExtendedLifetime(panels) {
            product(
                rows: rows, k: k, columns: columns, a, rowStep: k, panels.pointer, into: c, rowStep: columns,
                accumulate: accumulate)
        }
    }
}

/// The number of floats that [rows, columns] takes in panels of sixteen columns.
func floatsOfPanels(_ rows: Int, _ columns: Int) -> Int { (columns + 15) / 16 * 16 * rows }

/// c = a b, or c += a b where `accumulate` is true. a and c are row-major with their rows `rowStep` apart; b is in
/// panels.
func product(
    rows: Int, k: Int, columns: Int, _ a: UnsafePointer<Float>, rowStep aRow: Int, _ b: UnsafePointer<Float>,
    into c: UnsafeMutablePointer<Float>, rowStep cRow: Int, accumulate: Bool = false
) {
    var product = fovea_product(
        rows: rows, k: k, columns: columns, a: a, a_row: aRow, a_panel: 16, b: b, c: c, c_row: cRow, c_panel: 16,
        accumulate: accumulate ? 1 : 0)
    Kernels.table.product(&product)
}

/// a^T b over many rows, [aColumns, bColumns].
///
/// The rows are cut into at most eight groups, by shape alone. Each group is summed block by block in order, and then
/// the groups are added in order.
///
/// - Parameter pack: puts rows `first ..< first + count` of a and of b into panels.
func adjointProduct(
    rows: Int, aColumns: Int, bColumns: Int,
    pack: (_ first: Int, _ count: Int, _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>) -> Void
) -> Tensor {
    let block = 256
    let blocks = (rows + block - 1) / block
    let groups = max(1, min(8, blocks))
    let aWidth = (aColumns + 15) / 16 * 16, bWidth = (bColumns + 15) / 16 * 16
    let sums = Tensor(uninitialized: [groups, aWidth * bWidth])
    parallelFor(groups) { group in
        let target = sums.pointer + group * aWidth * bWidth
        let a = fovea_thread_scratch(0, block * aWidth).unsafelyUnwrapped
        let b = fovea_thread_scratch(1, block * bWidth).unsafelyUnwrapped
        let own = group * blocks / groups..<(group + 1) * blocks / groups
        if own.isEmpty { target.update(repeating: 0, count: aWidth * bWidth) }
        for index in own {
            let count = min(block, rows - index * block)
            pack(index * block, count, a, b)
            Kernels.table.product_adjoint(count, aWidth, bWidth, a, b, index == own.lowerBound ? 0 : 1, target)
        }
    }
    let result = Tensor(uninitialized: [aColumns, bColumns])
    parallelFor(bWidth / 16) { panel in
        let first = sums.pointer + panel * aWidth * 16
        for group in 1..<max(1, groups) where groups > 1 {
            Kernels.table.add_into(aWidth * 16, first + group * aWidth * bWidth, first)
        }
        let width = min(16, bColumns - panel * 16)
        for row in 0..<aColumns {
            (result.pointer + row * bColumns + panel * 16).update(from: first + row * 16, count: width)
        }
    }
    return result
}
