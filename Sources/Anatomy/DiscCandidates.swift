import Foundation

/// Places that may be optic discs: blobs of a disc's size that are brighter than what lies around them, on all sides.
///
/// On a grid of 64 x 64 cells, at each cell and for each of several radii, the mean within 0.85 radii is compared with
/// the means of eight sectors of the ring from 1.3 to 2.1 radii. The third least of the eight differences of
/// logarithms is the cell's contrast. So neither a gradient nor the rim nor one arcade makes a blob.
struct DiscCandidates {
    struct Place {
        /// In pixels of the scene.
        let center: SIMD2<Float>, radius: Float
    }

    private static let cells = 64, margin = 20
    /// Radii as shares of the field of view's radius.
    private static let radii: [Float] = [0.105, 0.13, 0.16, 0.195, 0.24]
    /// Two discs are at least so far apart, as a share of the field of view's radius.
    private static let apart: Float = 0.22
    private static let sectors = 8
    /// The number of places of each radius, and the least contrast.
    private static let most = 3, leastContrast: Float = 0.01

    private(set) var places: [Place] = []

    /// - Parameter bright: [side, side], without vessels.
    init(_ scene: EyeScene, bright: [Float]) {
        let side = EyeScene.side, cells = Self.cells, step = side / cells, width = cells + 2 * Self.margin
        guard scene.radius > Float(side) / 8 else { return }
        var light = [Float](repeating: 0, count: width * width), weight = light
        for y in 0..<cells {
            for x in 0..<cells {
                var sum: Float = 0, count: Float = 0
                for v in y * step..<(y + 1) * step {
                    for u in x * step..<(x + 1) * step where scene.lit[v * side + u] {
                        sum += bright[v * side + u]
                        count += 1
                    }
                }
                guard count > Float(step * step) / 2 else { continue }
                let cell = (y + Self.margin) * width + x + Self.margin
                light[cell] = log(sum / count + 10)
                weight[cell] = 1
            }
        }
        let far = Self.apart * scene.radius / Float(step)
        for radius in Self.radii.map({ $0 * scene.radius / Float(step) }) {
            let template = Template(radius: radius, width: width)
            // Wide blobs need no fine grid.
            let every = radius > 4.5 ? 2 : 1
            var contrasts = [Float](repeating: 0, count: width * width)
            for y in stride(from: Self.margin, to: Self.margin + cells, by: every) {
                for x in stride(from: Self.margin, to: Self.margin + cells, by: every) where weight[y * width + x] > 0 {
                    contrasts[y * width + x] = template.contrast(light, weight, at: y * width + x)
                }
            }
            for _ in 0..<Self.most {
                guard let cell = contrasts.indices.max(by: { contrasts[$0] < contrasts[$1] }),
                    contrasts[cell] > Self.leastContrast
                else { break }
                let place = SIMD2(Float(cell % width), Float(cell / width))
                let center = (place - Float(Self.margin) + 0.5) * Float(step)
                places.append(Place(center: center, radius: radius * Float(step)))
                for i in contrasts.indices where contrasts[i] > 0 {
                    let d = SIMD2(Float(i % width), Float(i / width)) - place
                    if (d * d).sum() < far * far { contrasts[i] = 0 }
                }
            }
        }
    }

    /// The middle and the sectors of the ring around it, as offsets in the grid.
    private struct Template {
        private var taps: [[(offset: Int, weight: Float)]]
        private let whole: [Float]

        init(radius: Float, width: Int) {
            var taps = [[(offset: Int, weight: Float)]](repeating: [], count: DiscCandidates.sectors + 1)
            let reach = Int((2.1 * radius).rounded(.up)) + 1
            for y in -reach...reach {
                for x in -reach...reach {
                    let distance = (Float(x * x + y * y)).squareRoot()
                    func covered(_ limit: Float) -> Float { min(max(limit + 0.5 - distance, 0), 1) }
                    let middle = covered(0.85 * radius), ring = covered(2.1 * radius) - covered(1.3 * radius)
                    if middle > 0 { taps[0].append((y * width + x, middle)) }
                    let turn = (atan2(Float(y), Float(x)) / (2 * .pi) + 0.5) * Float(DiscCandidates.sectors)
                    if ring > 0 { taps[1 + Int(turn) % DiscCandidates.sectors].append((y * width + x, ring)) }
                }
            }
            self.taps = taps
            whole = taps.map { $0.reduce(0) { $0 + $1.weight } }
        }

        /// 0 where too little of the middle or of the ring is lit.
        func contrast(_ light: [Float], _ weight: [Float], at cell: Int) -> Float {
            func mean(_ part: Int, least: Float) -> Float? {
                var sum: Float = 0, cover: Float = 0
                for tap in taps[part] {
                    sum += tap.weight * light[cell + tap.offset]
                    cover += tap.weight * weight[cell + tap.offset]
                }
                return cover > least * whole[part] ? sum / cover : nil
            }
            guard let middle = mean(0, least: 0.6) else { return 0 }
            var least = SIMD3<Float>(repeating: .infinity), known = 0
            for sector in 1...DiscCandidates.sectors {
                guard let around = mean(sector, least: 0.4) else { continue }
                known += 1
                let difference = middle - around
                if difference < least.x {
                    least = SIMD3(difference, least.x, least.y)
                } else if difference < least.y {
                    least = SIMD3(least.x, difference, least.y)
                } else {
                    least.z = min(least.z, difference)
                }
            }
            return known >= 5 ? max(0, least.z) : 0
        }
    }
}
