import Foundation
import TensorCore

/// The discrete cosine transform (DCT-II, Ahmed et al. 1974) of side x side blocks on principal axes of colour.
///
/// The transform is orthonormal except for one division by `side` (see `LatentSpace.dct`). It gathers more of a
/// photograph in fewer channels than the Haar packet does. So more of the other channels are noise, which
/// preconditioning alone removes.
struct DiscreteCosine {
    let side: Int
    let colours: ColourAxes
    /// The number of planes after red, green and blue; they are not turned to the colour axes.
    let maps: Int
    /// C[u][x] = sqrt((u == 0 ? 1 : 2) / side) cos(pi (2 x + 1) u / (2 side)), [side, side]; orthonormal.
    private let cosines: [Float]

    init(side: Int, colours: ColourAxes, maps: Int = 0) {
        self.side = side
        self.colours = colours
        self.maps = maps
        cosines = (0..<side * side).map { i in
            let (u, x) = (i / side, i % side)
            let scale = (Double(u == 0 ? 1 : 2) / Double(side)).squareRoot()
            return Float(scale * cos(.pi * Double((2 * x + 1) * u) / Double(2 * side)))
        }
    }

    /// [N, H, W, 3 + maps] -> [N, H / side, W / side, (3 + maps) side^2]. Channel 3 (v side + u) + k holds colour axis
    /// k of the frequency u along x and v along y. Channel (3 + m) side^2 + v side + u holds that frequency of map m.
    func forward(_ pictures: Tensor) -> Tensor {
        let (n, height, width) = (pictures.shape[0], pictures.shape[1] / side, pictures.shape[2] / side),
            depth = 3 + maps
        if pictures.rank != 4 || pictures.shape[3] != depth || height * side != pictures.shape[1]
            || width * side != pictures.shape[2]
        {
            fatalError("DiscreteCosine: \(pictures.shape) is not [N, H, W, \(depth)] with sides divisible by \(side)")
        }
        return pictures.withUnsafeBuffer { source in
            Tensor(shape: [n, height, width, depth * side * side]) { target in
                eachBlock(n * height, width) { row, column, planes, work in
                    let first = ((row * side) * width + column) * side * depth
                    for y in 0..<side {
                        let line = source.baseAddress.unsafelyUnwrapped + first + y * width * side * depth
                        turn(line, into: planes + y * side)
                    }
                    let block = target.baseAddress.unsafelyUnwrapped + (row * width + column) * depth * side * side
                    for k in 0..<depth {
                        product(planes + k * side * side, isTransposed: false, work)
                        let place = channels(plane: k)
                        analyseRows(work, into: block + place.first, step: place.step)
                    }
                }
            }
        }
    }

    /// [N, h, w, (3 + maps) side^2] -> [N, h side, w side, 3 + maps]
    func inverse(_ latents: Tensor) -> Tensor {
        let depth = 3 + maps
        if latents.rank != 4 || latents.shape[3] != depth * side * side {
            fatalError("DiscreteCosine: \(latents.shape) is not [N, h, w, \(depth * side * side)]")
        }
        let (n, height, width) = (latents.shape[0], latents.shape[1], latents.shape[2])
        return latents.withUnsafeBuffer { source in
            Tensor(shape: [n, height * side, width * side, depth]) { target in
                eachBlock(n * height, width) { row, column, planes, work in
                    let area = side * side
                    let block = source.baseAddress.unsafelyUnwrapped + (row * width + column) * depth * area
                    for k in 0..<depth {
                        let plane = planes + k * area, place = channels(plane: k)
                        for i in 0..<area { work[i] = block[place.first + place.step * i] }
                        product(work, isTransposed: true, work + area)
                        composeRows(work + area, into: plane)
                    }
                    let first = ((row * side) * width + column) * side * depth
                    for y in 0..<side {
                        let line = target.baseAddress.unsafelyUnwrapped + first + y * width * side * depth
                        turnBack(planes + y * side, into: line)
                    }
                }
            }
        }
    }

    /// The first channel of a plane's frequencies, and the step from one to the next.
    private func channels(plane: Int) -> (first: Int, step: Int) {
        plane < 3 ? (plane, 3) : (plane * side * side, 1)
    }

    private typealias Numbers = UnsafeMutablePointer<Float>

    /// Calls `body(row of blocks, column, planes [3 + maps, side, side], scratch [2, side, side])` for each block.
    private func eachBlock(_ rows: Int, _ columns: Int, _ body: (Int, Int, Numbers, Numbers) -> Void) {
        let area = side * side, depth = 3 + maps
        parallelFor(rows) { row in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: (depth + 2) * area) { scratch in
                let start = scratch.baseAddress.unsafelyUnwrapped
                for column in 0..<columns { body(row, column, start, start + depth * area) }
            }
        }
    }

    /// Turns a row of pixels to the colour axes, and writes each axis and each map to its own plane.
    private func turn(_ pixels: UnsafePointer<Float>, into planes: Numbers) {
        let area = side * side, depth = 3 + maps
        for k in 0..<3 {
            let (r, g, b) = (colours.rows[3 * k], colours.rows[3 * k + 1], colours.rows[3 * k + 2])
            let plane = planes + k * area
            for x in 0..<side {
                plane[x] = r * pixels[depth * x] + g * pixels[depth * x + 1] + b * pixels[depth * x + 2]
            }
        }
        for k in 3..<depth {
            for x in 0..<side { planes[k * area + x] = pixels[depth * x + k] }
        }
    }

    /// The inverse of `turn`, by the transpose of the axes, which are orthonormal.
    private func turnBack(_ planes: Numbers, into pixels: Numbers) {
        let area = side * side, depth = 3 + maps
        for c in 0..<3 {
            let (first, second, third) = (colours.rows[c], colours.rows[3 + c], colours.rows[6 + c])
            for x in 0..<side {
                pixels[depth * x + c] = first * planes[x] + second * planes[area + x] + third * planes[2 * area + x]
            }
        }
        for k in 3..<depth {
            for x in 0..<side { pixels[depth * x + k] = planes[k * area + x] }
        }
    }

    /// out = C b, or C^T b, for [side, side] matrices. Rows of b are added up, so that the inner loop runs along x.
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

    /// out = a C^T / side, the transform along x. Results are written `step` channels apart.
    private func analyseRows(_ a: Numbers, into out: Numbers, step: Int) {
        let scale = 1 / Float(side)
        for row in 0..<side {
            for u in 0..<side {
                var sum: Float = 0
                for x in 0..<side { sum += a[row * side + x] * cosines[u * side + x] }
                out[step * (row * side + u)] = sum * scale
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
