import Pictures
import Synchronization
import TensorCore

/// A gallery that is ready to be searched.
///
/// Each probe is compared in three steps: with the whole gallery at low resolution in every pose, then by alignment
/// with the best of these at half resolution, and with the best of these at full resolution. The first step grows with
/// the square of the number of pictures. So in a large gallery, the spectra of the vessels first tell which pictures
/// may show the probe's eye (`SpectrumIndex`), and only those are compared.
package struct RetinalSearch: Sendable {
    /// The number of pictures up to which each probe is compared with all of them.
    package static let exhaustiveLimit = 3000
    /// How many pictures of a large gallery each probe is compared with.
    package static let compared = 256
    /// How many fields are aligned at half resolution: of a gallery that is searched exhaustively, and of a large one.
    private static let aligned = 48, alignedOfLarge = 12
    /// How many of these are refined at full resolution.
    private static let refined = 5
    /// By how much the score of a match may rise from half to full resolution. Over 1,807 pairs of one eye, the
    /// lowest score was 0.51 at half resolution, and none rose by more than 0.021 (docs/performance.md).
    private static let slack = 0.03
    private static let probesAtOnce = 16

    private let gallery: RetinalGallery
    /// The vectors of the gallery's fields at low resolution, [count, `Shortlist.length`]; empty if `all` holds them.
    private let rows: [Float]
    private let all: Shortlist?
    private let index: SpectrumIndex?
    private let compared: Int

    /// - Parameters:
    ///   - limit: the number of pictures up to which each probe is compared with all of them.
    ///   - compared: with how many pictures each probe is compared where there are more.
    ///   - progress: receives the number of fields that are ready; it may throw to stop.
    /// - Throws: what `progress` and the reading of the gallery's fields throw.
    package init(
        _ gallery: RetinalGallery, exhaustiveUpTo limit: Int = exhaustiveLimit, comparing compared: Int = compared,
        progress: (Int) throws -> Void = { _ in }
    ) throws {
        self.gallery = gallery
        self.compared = compared
        let isLarge = gallery.count > limit
        var rows = [Float](repeating: 0, count: gallery.count * Shortlist.length)
        var descriptions = [Float](repeating: 0, count: isLarge ? gallery.count * VesselSpectrum.length : 0)
        try rows.withUnsafeMutableBufferPointer { rows in
            try descriptions.withUnsafeMutableBufferPointer { descriptions in
                nonisolated(unsafe) let (rows, descriptions) = (rows, descriptions)
                for start in stride(from: 0, to: gallery.count, by: 8 * Self.probesAtOnce) {
                    let batch = start..<min(start + 8 * Self.probesAtOnce, gallery.count)
                    try Self.inParallel(batch, by: Self.probesAtOnce) { part in
                        let fields = try part.map(gallery.field)
                        for (picture, field) in zip(part, fields) {
                            Shortlist.write(
                                field, to: rows.baseAddress.unsafelyUnwrapped + picture * Shortlist.length)
                        }
                        if !isLarge { return }
                        for (picture, spectrum) in zip(part, VesselSpectrum.of(fields)) {
                            let place = picture * VesselSpectrum.length
                            for (k, value) in spectrum.description().enumerated() { descriptions[place + k] = value }
                        }
                    }
                    try progress(batch.upperBound)
                }
            }
        }
        index = isLarge ? SpectrumIndex(descriptions, count: gallery.count) : nil
        all = isLarge ? nil : Shortlist(rows, count: gallery.count)
        self.rows = isLarge ? rows : []
    }

    /// The best match of every probe over the gallery.
    ///
    /// A match depends only on the probe and the gallery, and not on the other probes or on threads.
    /// - Parameters:
    ///   - excludingOwnPatient: whether photographs of the probe's own patient are left out. If the probes are the
    ///     gallery itself, the scores are then those of innocent eyes.
    ///   - progress: receives the number of probes that are done; it may throw to stop.
    /// - Returns: one match for each probe. Its score and its index are -1 if the gallery holds nobody else.
    /// - Throws: what `progress` and the reading of fields throw.
    package func bestMatches(
        of probes: RetinalGallery, excludingOwnPatient: Bool = false, progress: (Int) throws -> Void = { _ in }
    ) throws -> [RetinalMatch] {
        let found = try search(
            0..<probes.count, of: probes, Plan(steps: PoseGrid.steps, spectra: .any, onlyEarlier: false),
            progress: progress
        ) { probe, index in
            !excludingOwnPatient || gallery.patients[index] != probes.patients[probe]
        } refining: { _ in
            Self.refined
        }
        return found.map { matches in
            matches.max { ($0.score, $1.index) < ($1.score, $0.index) }
                ?? RetinalMatch(score: -1, index: -1, mirrored: false, pose: Similarity())
        }
    }

    /// All pictures that match a probe with at least `threshold`, in the order of the gallery. Photographs of the
    /// probe's own patient are left out. In a large gallery, a probe is compared only with the pictures before it, so
    /// that each pair is met once.
    ///
    /// Both the probes and the gallery are photographs as cameras make them, upright or mirrored: rotations of more
    /// than about 15 degrees are not tried. A probe finds at most as many matches as are aligned (48, or 12 in a large
    /// gallery). As in `bestMatches`, a match depends only on the probe and the gallery.
    /// - Parameters:
    ///   - rows: which pictures of the gallery are the probes.
    ///   - progress: receives the number of probes that are done; it may throw to stop.
    /// - Throws: what `progress` and the reading of fields throw.
    package func matches(
        of rows: Range<Int>, from threshold: Double, progress: (Int) throws -> Void = { _ in }
    ) throws -> [[RetinalMatch]] {
        let found = try search(
            rows, of: gallery,
            Plan(steps: PoseGrid.uprightSteps, spectra: .upright, onlyEarlier: index != nil), progress: progress
        ) { probe, index in
            gallery.patients[index] != gallery.patients[probe]
        } refining: { matches in
            matches.count { $0.score >= threshold - Self.slack }
        }
        return found.map { matches in matches.filter { $0.score >= threshold }.sorted { $0.index < $1.index } }
    }

    /// The poses that are tried, and whether only pictures before the probe count.
    private struct Plan {
        let steps: [PoseGrid.Step]
        let spectra: SpectrumIndex.Poses
        let onlyEarlier: Bool
    }

    /// The pictures that each probe resembles, at full resolution.
    /// - Parameters:
    ///   - isAllowed: whether a picture of the gallery may be the answer for a probe.
    ///   - count: how many of the alignments at half resolution are refined, starting with the best.
    private func search(
        _ rows: Range<Int>, of probes: RetinalGallery, _ plan: Plan, progress: (Int) throws -> Void,
        isAllowed: (_ probe: Int, _ index: Int) -> Bool, refining count: ([RetinalMatch]) -> Int
    ) throws -> [[RetinalMatch]] {
        var matches = [[RetinalMatch]](repeating: [], count: rows.count)
        for start in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.probesAtOnce) {
            let batch = start..<min(start + Self.probesAtOnce, rows.upperBound)
            try matches.withUnsafeMutableBufferPointer { matches in
                nonisolated(unsafe) let matches = matches
                try Self.inParallel(batch, by: index == nil ? 1 : SpectrumIndex.probesAtOnce) { part in
                    let fields = try part.map(probes.field)
                    let near = nearest(part, fields, plan, isAllowed: isAllowed)
                    for (offset, probe) in part.enumerated() {
                        let alignment = ProbeAlignment(fields[offset])
                        let candidates = candidates(for: alignment, among: near?[offset], plan.steps) {
                            isAllowed(probe, $0)
                        }
                        matches[probe - rows.lowerBound] = try alignment.matches(
                            candidates, field: gallery.field, refining: count)
                    }
                }
            }
            try progress(batch.upperBound - rows.lowerBound)
        }
        return matches
    }

    /// The pictures of a large gallery that may show the eyes of some probes; nil where the gallery is small.
    private func nearest(
        _ probes: Range<Int>, _ fields: [VesselField], _ plan: Plan, isAllowed: (Int, Int) -> Bool
    ) -> [[Int]]? {
        index?.nearest(
            compared, to: VesselSpectrum.of(fields), plan.spectra,
            before: plan.onlyEarlier ? probes.upperBound - 1 : gallery.count
        ) { offset, index in
            let probe = probes.lowerBound + offset
            return (!plan.onlyEarlier || index < probe) && isAllowed(probe, index)
        }
    }

    /// The pictures that are aligned with a probe.
    /// - Parameter near: those that alone are compared; nil for all.
    private func candidates(
        for probe: ProbeAlignment, among near: [Int]?, _ steps: [PoseGrid.Step], isAllowed: (Int) -> Bool
    ) -> [Shortlist.Candidate] {
        guard let near else {
            return all?.candidates(for: probe.outline, count: Self.aligned, steps, isAllowed: isAllowed) ?? []
        }
        let length = Shortlist.length, order = near.sorted()
        if order.isEmpty { return [] }
        let few = Shortlist(order.flatMap { rows[$0 * length..<($0 + 1) * length] }, count: order.count)
        return few.candidates(for: probe.outline, count: Self.alignedOfLarge, steps) { _ in true }
            .map {
                Shortlist.Candidate(index: order[$0.index], product: $0.product, mirrored: $0.mirrored, pose: $0.pose)
            }
    }

    /// Calls `body` with every `count` elements of a range, on several threads.
    /// - Throws: the first error.
    private static func inParallel(_ range: Range<Int>, by count: Int, _ body: (Range<Int>) throws -> Void) throws {
        let failure = Mutex<(any Error)?>(nil)
        parallelFor((range.count + count - 1) / count) { part in
            let first = range.lowerBound + part * count
            do {
                try body(first..<min(first + count, range.upperBound))
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }
}
