import Foundation
import TensorCore

/// The discrete cosine transform (DCT-II, Ahmed et al. 1974) of side x side blocks on principal axes of colour.
///
/// Orthonormal but for one division by `side` (see `LatentSpace.dct`). It gathers more of a photograph in fewer channels
/// than the Haar packet does, so that more of the rest is noise that preconditioning alone takes off.
struct DiscreteCosine {
    let side: Int
    let colours: ColourAxes
    /// C[u][x] = sqrt((u == 0 ? 1 : 2) / side) cos(pi (2 x + 1) u / (2 side)), [side, side]; orthonormal.
    private let cosines: [Float]

    init(side: Int, colours: ColourAxes) {
        self.side = side
        self.colours = colours
        cosines = (0..<side * side).map { i in
            let (u, x) = (i / side, i % side)
            let scale = (Double(u == 0 ? 1 : 2) / Double(side)).squareRoot()
            return Float(scale * cos(.pi * Double((2 * x + 1) * u) / Double(2 * side)))
        }
    }

    /// [N, H, W, 3] -> [N, H / side, W / side, 3 side^2]; channel 3 (v side + u) + k holds colour axis k of the frequency
    /// u along x and v along y.
    func forward(_ pictures: Tensor) -> Tensor {
        let (n, height, width) = (pictures.shape[0], pictures.shape[1] / side, pictures.shape[2] / side)
        if pictures.rank != 4 || pictures.shape[3] != 3 || height * side != pictures.shape[1] || width * side != pictures.shape[2] {
            fatalError("DiscreteCosine: \(pictures.shape) is not [N, H, W, 3] with sides divisible by \(side)")
        }
        return pictures.withUnsafeBuffer { source in
            Tensor(shape: [n, height, width, 3 * side * side]) { target in
                eachBlock(n * height, width) { row, column, planes, work in
                    let first = ((row * side) * width + column) * side * 3
                    for y in 0..<side {
                        let line = source.baseAddress.unsafelyUnwrapped + first + y * width * side * 3
                        turn(line, into: planes + y * side)
                    }
                    let block = target.baseAddress.unsafelyUnwrapped + (row * width + column) * 3 * side * side
                    for k in 0..<3 {
                        product(planes + k * side * side, isTransposed: false, work)
                        analyseRows(work, into: block + k)
                    }
                }
            }
        }
    }

    /// [N, h, w, 3 side^2] -> [N, h side, w side, 3]
    func inverse(_ latents: Tensor) -> Tensor {
        if latents.rank != 4 || latents.shape[3] != 3 * side * side {
            fatalError("DiscreteCosine: \(latents.shape) is not [N, h, w, \(3 * side * side)]")
        }
        let (n, height, width) = (latents.shape[0], latents.shape[1], latents.shape[2])
        return latents.withUnsafeBuffer { source in
            Tensor(shape: [n, height * side, width * side, 3]) { target in
                eachBlock(n * height, width) { row, column, planes, work in
                    let area = side * side
                    let block = source.baseAddress.unsafelyUnwrapped + (row * width + column) * 3 * area
                    for k in 0..<3 {
                        let plane = planes + k * area
                        for i in 0..<area { work[i] = block[3 * i + k] }
                        product(work, isTransposed: true, work + area)
                        composeRows(work + area, into: plane)
                    }
                    let first = ((row * side) * width + column) * side * 3
                    for y in 0..<side {
                        let line = target.baseAddress.unsafelyUnwrapped + first + y * width * side * 3
                        turnBack(planes + y * side, into: line)
                    }
                }
            }
        }
    }

    private typealias Numbers = UnsafeMutablePointer<Float>

    /// Calls `body(row of blocks, column, planes [3, side, side], scratch [2, side, side])` for each block.
    private func eachBlock(_ rows: Int, _ columns: Int, _ body: (Int, Int, Numbers, Numbers) -> Void) {
        let area = side * side
        parallelFor(rows) { row in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: 5 * area) { scratch in
                let start = scratch.baseAddress.unsafelyUnwrapped
                for column in 0..<columns { body(row, column, start, start + 3 * area) }
            }
        }
    }

    /// A row of RGB pixels onto the colour axes, one plane each.
    private func turn(_ pixels: UnsafePointer<Float>, into planes: Numbers) {
        let area = side * side
        for k in 0..<3 {
            let (r, g, b) = (colours.rows[3 * k], colours.rows[3 * k + 1], colours.rows[3 * k + 2])
            let plane = planes + k * area
            for x in 0..<side { plane[x] = r * pixels[3 * x] + g * pixels[3 * x + 1] + b * pixels[3 * x + 2] }
        }
    }

    /// The inverse of `turn`: the axes are orthonormal.
    private func turnBack(_ planes: Numbers, into pixels: Numbers) {
        let area = side * side
        for c in 0..<3 {
            let (first, second, third) = (colours.rows[c], colours.rows[3 + c], colours.rows[6 + c])
            for x in 0..<side {
                pixels[3 * x + c] = first * planes[x] + second * planes[area + x] + third * planes[2 * area + x]
            }
        }
    }

    /// out = C b, or C^T b, of [side, side] matrices. Rows of b are added up, so that the inner loop runs along x.
    private func product(_ b: Numbers, isTransposed: Bool, _ out: Numbers) {
        for row in 0..<side {
            let line = out + row * side
            line.update(repeating: 0, count: side)
            for i in 0..<side {
                let factor = cosines[isTransposed ? i * side + row : row * side + i]
                let other = b + i * side
                for x in 0..<side { line[x] += factor * other[x] }
            }
        }
    }

    /// out = a C^T / side, the transform along x, written to every third channel.
    private func analyseRows(_ a: Numbers, into out: Numbers) {
        let scale = 1 / Float(side)
        for row in 0..<side {
            for u in 0..<side {
                var sum: Float = 0
                for x in 0..<side { sum += a[row * side + x] * cosines[u * side + x] }
                out[3 * (row * side + u)] = sum * scale
            }
        }
    }

    /// out = side a C, the inverse along x.
    private func composeRows(_ a: Numbers, into out: Numbers) {
        for row in 0..<side {
            let line = out + row * side
            line.update(repeating: 0, count: side)
            for u in 0..<side {
                let factor = a[row * side + u] * Float(side)
                for x in 0..<side { line[x] += factor * cosines[u * side + x] }
            }
        }
    }
}
