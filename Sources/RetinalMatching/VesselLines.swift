import Foundation

/// The middle lines of the vessels that the filter finds.
struct VesselLines {
    /// A line's response is above this. Noise alone gives short lines at most.
    private static let leastStrength: Float = 0.8
    /// How well the directions of a pixel agree, from 0 (a blob) to 1 (one direction).
    private static let leastCoherence: Float = 0.4
    /// Shorter pieces are left out: noise and the edges of JPEG blocks make them.
    private static let fewestPixels = 16

    /// The pixels of all lines, as indices into the picture.
    let pixels: [Int]

    init(_ response: VesselResponse, where isWanted: (Int) -> Bool) {
        let filter = response.filter, strength = filter.strength
        var ridge = [Bool](repeating: false, count: strength.count)
        for i in strength.indices
        where response.inside[i] && strength[i] > Self.leastStrength && isWanted(i) {
            let c = filter.cosine[i], s = filter.sine[i]
            guard (c * c + s * s).squareRoot() >= Self.leastCoherence else { continue }
            // The two neighbours across the vessel. Pixels inside the rim have all their neighbours.
            let angle = atan2(s, c) / 2
            let across = Int(cos(angle).rounded()) * filter.width + Int((-sin(angle)).rounded())
            ridge[i] = strength[i] >= strength[i + across] && strength[i] > strength[i - across]
        }
        pixels = VesselLines.pieces(of: ridge, width: filter.width).filter { $0.count >= Self.fewestPixels }
            .flatMap(\.self)
    }

    /// The connected pieces (along rows, columns and diagonals).
    private static func pieces(of mask: [Bool], width: Int) -> [[Int]] {
        var left = mask, pieces: [[Int]] = []
        for start in mask.indices where left[start] {
            var piece: [Int] = [], stack = [start]
            left[start] = false
            while let i = stack.popLast() {
                piece.append(i)
                for dy in -1...1 {
                    for dx in -1...1 {
                        let other = i + dy * width + dx
                        // No pixel of the mask lies at the picture's edge, so that no neighbour wraps around.
                        guard mask.indices.contains(other), left[other] else { continue }
                        left[other] = false
                        stack.append(other)
                    }
                }
            }
            pieces.append(piece)
        }
        return pieces
    }
}
