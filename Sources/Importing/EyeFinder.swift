import Files
import RetinalMatching

/// Finds photographs of the same eye by its vessels, in any pose and light: from another visit or another camera.
struct EyeFinder {
    /// The agreement of the vessels from which two photographs count as one eye.
    ///
    /// Over four public sets, the best match of a photograph among strangers scores 0.14 +- 0.02, and at most 0.21.
    /// Photographs of the same eye score 0.5 to 0.8.
    static let threshold = 0.40
    /// The number of photographs whose matches are kept at once.
    static let probesAtOnce = 64

    struct Pair: Equatable, Codable {
        let index: Int
        /// The earlier photograph of the two.
        let other: Int
        let score: Double
    }

    /// The patient of each photograph, as a number. Photographs that belong together already are not compared.
    let patients: [Int]
    /// The number of photographs up to which all are compared with each other. Of more photographs, each is compared
    /// with those that the spectra of the vessels find.
    let limit: Int
    let field: @Sendable (Int) throws -> VesselField
    /// The first photograph that is compared with others; those before it have been compared with each other.
    var first = 0
    /// What an earlier process found, and how many photographs it compared.
    var earlier = ImportJournal.Pairs()
    /// Receives the pairs of some photographs, and how many photographs are compared then.
    var keep: ([Pair], Int) throws -> Void = { _, _ in }

    /// All pairs that score at least the threshold, in the order of the photographs.
    ///
    /// The result depends neither on threads nor on `progress`.
    /// - Parameter progress: receives the numbers of steps that are done and of all; first called with none done.
    /// - Throws: `Failure(.interrupted)`, and what `field` throws.
    func pairs(progress: (Int, Int) -> Void) throws -> [Pair] {
        var found: [SIMD2<Int>: Double] = [:]
        let count = patients.count
        func report(_ done: Int) throws {
            try Cancellation.check(ImportWorkspace.advice)
            progress(done, count)
        }
        progress(0, count)
        let search = try RetinalSearch(
            RetinalGallery(patients: patients, reading: field), exhaustiveUpTo: limit
        ) { _ in try report(0) }
        func add(_ pair: Pair) {
            let place = SIMD2(pair.index, pair.other)
            found[place] = max(pair.score, found[place] ?? -1)
        }
        earlier.found.forEach(add)
        for start in stride(from: max(first, earlier.done), to: count, by: Self.probesAtOnce) {
            let rows = start..<min(start + Self.probesAtOnce, count)
            let matches = try search.matches(of: rows, from: Self.threshold) { try report(start + $0) }
            let pairs = zip(rows, matches).flatMap { probe, matches in
                matches.map { Pair(index: max(probe, $0.index), other: min(probe, $0.index), score: $0.score) }
            }
            pairs.forEach(add)
            try keep(pairs, rows.upperBound)
        }
        return found.map { Pair(index: $0.key.x, other: $0.key.y, score: $0.value) }
            .sorted { ($0.index, $0.other) < ($1.index, $1.other) }
    }
}
