import Files
import RetinalMatching

/// Finds photographs of the same eye by its vessels, in any pose and light: from another visit or another camera.
struct EyeFinder {
    /// The agreement of the vessels from which two photographs count as one eye.
    ///
    /// Over four public sets, the best match of a photograph among strangers scores 0.14 +- 0.02, and at most 0.21.
    /// Photographs of the same eye score 0.5 to 0.8.
    static let threshold = 0.40
    /// If there are more photographs than this, not all are compared with each other, because the work grows with the
    /// square of their number.
    static let limit = 3000

    struct Pair: Equatable {
        let index: Int
        /// The earlier photograph of the two.
        let other: Int
        let score: Double
    }

    /// The patient of each photograph, as a number. Photographs that belong together already are not compared.
    let patients: [Int]
    /// The number of photographs that are all compared with each other. If there are more photographs, each one is
    /// compared with at least half as many before it and half as many behind it.
    let limit: Int
    let field: (Int) throws -> VesselField

    /// All pairs that score at least the threshold, in the order of the photographs.
    ///
    /// The result depends neither on threads nor on `progress`.
    /// - Parameter progress: receives the numbers of photographs that are done and of all; first called with none
    ///   done.
    /// - Throws: `Failure(.interrupted)`, and what `field` throws.
    func pairs(progress: (Int, Int) -> Void) throws -> [Pair] {
        var found: [SIMD2<Int>: Double] = [:]
        var start = 0
        progress(0, patients.count)
        while start < patients.count {
            let window = start..<min(start + limit, patients.count)
            let gallery = RetinalGallery(try window.map(field), patients: Array(patients[window]))
            // The second half of a window is the first half of the next one, where it meets the photographs behind it.
            let probes = window.upperBound == patients.count ? window.count : max(1, limit / 2)
            let matches = try gallery.matches(of: 0..<probes, from: EyeFinder.threshold) { done in
                try Cancellation.check("nothing was written; start the import again")
                progress(start + done, patients.count)
            }
            for (probe, matches) in matches.enumerated() {
                for match in matches {
                    let pair = SIMD2(start + max(probe, match.index), start + min(probe, match.index))
                    found[pair] = max(match.score, found[pair] ?? -1)
                }
            }
            start += probes
        }
        return found.map { Pair(index: $0.key.x, other: $0.key.y, score: $0.value) }
            .sorted { ($0.index, $0.other) < ($1.index, $1.other) }
    }
}
