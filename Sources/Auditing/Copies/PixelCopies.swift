import Foundation
import Pictures
import TensorCore
import Verdicts

/// Finds copies pixel by pixel (Carlini et al. 2023, "Extracting training data from diffusion models", section 4.2).
///
/// The distance is the largest over tiles, so that a picture with one region that differs is not a copy. The distance
/// is compared with those of the other near photographs, because pictures of some kinds are near to everything.
/// Channels are standardised inside the field of view, so that exposure and white balance do not count. A probe is also
/// compared mirrored.
package struct PixelCopies: CopyTest {
    package let name = CopyTestName.pixels
    private let gallery: NeighborVectors
    private let patients: [Int]
    private let size: Int
    private let pictures: PictureSet

    /// The side in pixels at which pictures are compared, and the number of tiles along a side.
    package static let side = 64, tiles = 4

    package init(_ gallery: PictureSet) {
        pictures = gallery
        self.gallery = PixelCopies.vectors(gallery, mirrored: false)
        patients = gallery.patients
        size = gallery.size
    }

    /// How many neighbours a distance is compared with: min(50, N/2).
    private var references: Int { max(1, min(50, patients.count / 2)) }

    package func scores(of probes: PictureSet, progress: (Double) throws -> Void) throws -> CopyScores {
        try scores(of: probes, exclude: nil, progress: progress)
    }

    package func scoresWithinGallery(_ rows: [Int], progress: (Double) throws -> Void) throws -> CopyScores {
        try scores(of: pictures.selecting(rows), exclude: (rows.map { patients[$0] }, patients), progress: progress)
    }

    private func scores(
        of probes: PictureSet, exclude: (probes: [Int], gallery: [Int])?, progress: (Double) throws -> Void
    ) throws -> CopyScores {
        var best = [Double](repeating: -.infinity, count: probes.count),
            nearest = [Int](repeating: 0, count: probes.count)
        // Probes are taken in parts, because the vectors of many probes are larger than their pictures.
        let step = 1024
        for start in stride(from: 0, to: probes.count, by: step) {
            let rows = Array(start..<min(start + step, probes.count)), part = probes.selecting(rows)
            for mirrored in [false, true] {
                let excluded = exclude.map { groups in (probes: rows.map { groups.probes[$0] }, gallery: groups.gallery)
                }
                let found = nearestNeighbors(
                    of: PixelCopies.vectors(part, mirrored: mirrored), in: gallery, k: references, exclude: excluded)
                for (offset, row) in rows.enumerated() {
                    let distances = found.distances[offset * found.k..<(offset + 1) * found.k].filter { $0.isFinite }
                        .map { $0.squareRoot() }
                    guard let first = distances.first else { continue }
                    let mean = distances.reduce(0, +) / Double(distances.count)
                    // The score is the logarithm of the inverse of Carlini's adaptive ratio.
                    let ratio = max(1e-6, first) / max(1e-6, 0.5 * mean)
                    if -log(ratio) > best[row] {
                        (best[row], nearest[row]) = (-log(ratio), found.indices[offset * found.k])
                    }
                }
            }
            try progress(Double(rows[rows.count - 1] + 1) / Double(probes.count))
        }
        return CopyScores(scores: best, nearest: nearest)
    }

    /// The ratio of Carlini et al. from which a score was computed.
    package static func ratio(_ score: Double) -> Double { exp(-score) }

    /// [count, tiles * tiles, tile pixels * 3]
    private static func vectors(_ pictures: PictureSet, mirrored: Bool) -> NeighborVectors {
        let tile = side / tiles, width = tile * tile * 3, parts = tiles * tiles
        var elements = [Float](repeating: 0, count: pictures.count * parts * width)
        elements.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let target = buffer
            parallelFor(pictures.count) { index in
                let standardised = pictures[index].standardised(side: side)
                for y in 0..<side {
                    for x in 0..<side {
                        let source = (y * side + (mirrored ? side - 1 - x : x)) * 3
                        let part = y / tile * tiles + x / tile
                        let place = (index * parts + part) * width + (y % tile * tile + x % tile) * 3
                        for channel in 0..<3 { target[place + channel] = standardised[source + channel] }
                    }
                }
            }
        }
        return NeighborVectors(elements, count: pictures.count, parts: parts, width: width)
    }
}

extension Picture {
    /// Whether each pixel shows the eye, [height * width]. In each row, these are the pixels between the first and the
    /// last lit pixel.
    var insideFieldOfView: [Bool] {
        var inside = [Bool](repeating: false, count: width * height)
        for y in 0..<height {
            func isLit(_ x: Int) -> Bool { self[x, y].max() > 10 }
            guard let first = (0..<width).first(where: isLit), let last = (0..<width).last(where: isLit) else {
                continue
            }
            for x in first...last { inside[y * width + x] = true }
        }
        return inside
    }
}
