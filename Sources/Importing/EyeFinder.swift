import Files
import RetinalMatching

/// Finds photographs of one eye by its vessels, in whatever pose and light: another visit, another camera.
struct EyeFinder {
    /// Agreement of the vessels from which two photographs count as one eye.
    ///
    /// Over four public sets the best match of a photograph among strangers scores 0.14 +- 0.02, and 0.21 at most;
    /// photographs of one eye score 0.5 to 0.8.
    static let threshold = 0.40
    /// More photographs than this are not all compared with each other: the work grows with the square of their number.
    static let limit = 3000

    struct Pair: Equatable {
        let index: Int
        /// The earlier one.
        let other: Int
        let score: Double
    }

    /// The patient of each photograph, as a number: photographs that belong together already are not compared.
    let patients: [Int]
    /// How many are compared with each other. Where there are more, each is compared with half as many before and
    /// behind it, at least.
    let limit: Int
    let field: (Int) throws -> VesselField

    /// All pairs from the threshold on, in the order of the photographs.
    ///
    /// Depends on neither threads nor progress.
    /// - Parameter progress: photographs done and in all; called first with none done.
    func pairs(progress: (Int, Int) -> Void) throws -> [Pair] {
        var found: [SIMD2<Int>: Double] = [:]
        var start = 0
        progress(0, patients.count)
        while start < patients.count {
            let window = start..<min(start + limit, patients.count)
            let gallery = RetinalGallery(try window.map(field), patients: Array(patients[window]))
            // The second half has its turn with what stands behind it.
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
