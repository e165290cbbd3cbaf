import Foundation

/// The middle lines of a mask of vessels, and what is measured of them.
struct VesselTree {
    /// The pixels of the lines are set. [side, side]
    private(set) var lines: [Bool]
    private let side: Int
    /// The connected pieces of at least `shortest` pixels.
    private(set) var pieces: [[Int]] = []

    private static let shortest = 12

    /// - Parameter mask: [side, side]; false at the edge of the picture.
    init(_ mask: [Bool], side: Int) {
        self.side = side
        lines = thinned(mask, side: side)
        var left = lines
        for start in lines.indices where left[start] {
            var piece: [Int] = [], stack = [start]
            left[start] = false
            while let i = stack.popLast() {
                piece.append(i)
                for other in neighbours(i) where left[other] {
                    left[other] = false
                    stack.append(other)
                }
            }
            if piece.count >= Self.shortest { pieces.append(piece) } else { for i in piece { lines[i] = false } }
        }
    }

    private func neighbours(_ i: Int) -> [Int] {
        let above = i - side, below = i + side
        return [above - 1, above, above + 1, i - 1, i + 1, below - 1, below, below + 1]
    }

    /// In pixels: 1 for each pair side by side, and the root of 2 for each pair across a corner that no third pixel
    /// joins.
    func length(of pixels: [Int]) -> Double {
        var straight = 0, slanted = 0
        for i in pixels {
            if lines[i + 1] { straight += 1 }
            if lines[i + side] { straight += 1 }
            if lines[i + side + 1], !lines[i + 1], !lines[i + side] { slanted += 1 }
            if lines[i + side - 1], !lines[i - 1], !lines[i + side] { slanted += 1 }
        }
        return Double(straight) + Double(slanted) * 2.0.squareRoot()
    }

    var length: Double { pieces.reduce(0) { $0 + length(of: $1) } }

    /// The share of the length that the longest connected piece has; nil without vessels.
    var largestShare: Double? {
        let lengths = pieces.map(length(of:)), sum = lengths.reduce(0, +)
        return sum > 0 ? (lengths.max() ?? 0) / sum : nil
    }

    /// Arc divided by chord of the vessels between branching points, weighted with their length (Lotmar, Freiburghaus
    /// and Bracher, "Measurement of vessel tortuosity on fundus photographs", Graefe's Archive 211, 1979); nil where no
    /// vessel is long enough.
    var tortuosity: Double? {
        var sum = 0.0, total = 0.0
        for segment in segments where segment.count >= 2 * Self.shortest {
            let points = smoothed(segment)
            let arc = zip(points, points.dropFirst()).reduce(0.0) { $0 + distance($1.0, $1.1) }
            let chord = distance(points[0], points[points.count - 1])
            guard chord > 1 else { continue }
            sum += arc * arc / chord
            total += arc
        }
        return total > 0 ? sum / total : nil
    }

    /// The slope of the number of occupied boxes over their side, both as logarithms, at sides of 2 to 32 pixels
    /// (Mainster, "The fractal properties of retinal vessels", Eye 4, 1990); nil without vessels.
    var fractalDimension: Double? {
        guard !pieces.isEmpty else { return nil }
        let sizes = [2, 4, 8, 16, 32]
        let counts = sizes.map { size in
            Set(pieces.joined().map { $0 / side / size * side + $0 % side / size }).count
        }
        let x: [Double] = sizes.map { size in -log(Double(size)) }
        let y: [Double] = counts.map { number in log(Double(number)) }
        let count = Double(sizes.count)
        let meanX = x.reduce(0, +) / count
        var product = 0.0, square = 0.0
        for (x, y) in zip(x, y) {
            product += (x - meanX) * y
            square += (x - meanX) * (x - meanX)
        }
        return product / square
    }

    /// The chains of pixels between branching points and ends, in order.
    private var segments: [[Int]] {
        var free = lines
        for i in lines.indices where lines[i] && neighbours(i).count(where: { lines[$0] }) > 2 {
            free[i] = false
        }
        var chains: [[Int]] = []
        func next(_ i: Int) -> Int? { neighbours(i).first { free[$0] } }
        for start in free.indices where free[start] {
            guard neighbours(start).count(where: { free[$0] }) <= 1 else { continue }
            var chain = [start]
            free[start] = false
            while let following = next(chain[chain.count - 1]) {
                free[following] = false
                chain.append(following)
            }
            chains.append(chain)
        }
        return chains
    }

    /// The means of seven pixels in a row, so that the steps of the grid do not make an arc longer.
    private func smoothed(_ chain: [Int]) -> [SIMD2<Double>] {
        let points = chain.map { SIMD2(Double($0 % side), Double($0 / side)) }
        return (3..<points.count - 3).map { k -> SIMD2<Double> in
            var sum = SIMD2<Double>()
            for point in points[k - 3...k + 3] { sum += point }
            return sum / 7
        }
    }

    private func distance(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> Double {
        ((a - b) * (a - b)).sum().squareRoot()
    }
}

/// The middle lines of a mask, one pixel wide (Zhang and Suen, "A fast parallel algorithm for thinning digital
/// patterns", Communications of the ACM 27(3), 1984).
private func thinned(_ mask: [Bool], side: Int) -> [Bool] {
    var result = mask
    var candidates = mask.indices.filter { mask[$0] }
    // Clockwise from above.
    let around = [-side, -side + 1, 1, side + 1, side, side - 1, -1, -side - 1]
    var hasChanged = true
    while hasChanged {
        hasChanged = false
        for pass in 0..<2 {
            let removed = candidates.filter { i in
                var set = 0, rises = 0, bits = 0
                var last = result[i + around[7]]
                for k in 0..<8 {
                    let value = result[i + around[k]]
                    if value {
                        set += 1
                        bits |= 1 << k
                        if !last { rises += 1 }
                    }
                    last = value
                }
                guard set >= 2, set <= 6, rises == 1 else { return false }
                let (up, right, down, left) = (bits & 1 != 0, bits & 4 != 0, bits & 16 != 0, bits & 64 != 0)
                return pass == 0
                    ? !(up && right && down) && !(right && down && left)
                    : !(up && right && left) && !(up && down && left)
            }
            for i in removed { result[i] = false }
            if !removed.isEmpty {
                hasChanged = true
                candidates = candidates.filter { result[$0] }
            }
        }
    }
    return result
}
