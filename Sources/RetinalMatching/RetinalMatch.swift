import Foundation
import Pictures
import TensorCore

/// The eye of the gallery that a probe resembles most.
package struct RetinalMatch: Hashable, Sendable {
    /// Agreement of the vessels in the best pose: about 1 for the same photograph.
    package var score: Double
    /// In the gallery.
    package var index: Int
    /// Whether the probe is the mirror image.
    package var mirrored: Bool
    /// Where a point of the gallery's picture lies in the probe, or in the probe's mirror image where `mirrored`.
    package var pose: Similarity
}

extension RetinalGallery {
    /// Fields of the gallery that are aligned at low resolution, and how many of these at full resolution.
    private static let shortlisted = 48
    private static let refined = 5
    /// How far above its score at half resolution a match may end at full resolution.
    private static let slack = 0.1
    private static let probesAtOnce = 16

    /// The best match of every probe over the gallery.
    ///
    /// Depends on the probe and the gallery alone: neither on the other probes nor on threads.
    /// - Parameters:
    ///   - excludingOwnPatient: where the probes are the gallery itself, photographs of the same patient are left out:
    ///     what innocent eyes score.
    ///   - progress: called with the share that is done.
    /// - Returns: one match a probe; score -1 and index -1 where the gallery holds nobody else.
    package func bestMatches(
        of probes: RetinalGallery, excludingOwnPatient: Bool = false, progress: (Double) throws -> Void
    ) rethrows -> [RetinalMatch] {
        let found = try search(
            for: probes, PoseGrid.steps, excludingOwnPatient: excludingOwnPatient, progress: progress
        ) { _ in Self.refined }
        return found.map { matches in
            matches.max { ($0.score, $1.index) < ($1.score, $0.index) }
                ?? RetinalMatch(score: -1, index: -1, mirrored: false, pose: Similarity())
        }
    }

    /// All that a probe matches with at least `threshold`, in the order of the gallery. Photographs of the probe's own
    /// patient are left out.
    ///
    /// Both are photographs as cameras make them, upright or mirrored: turns of more than about 15 degrees are not
    /// sought. A probe finds at most as many as are aligned (48); as `bestMatches`, it depends on the probe and the
    /// gallery alone.
    /// - Parameters:
    ///   - rows: the probes, in this gallery.
    ///   - progress: called with the number of probes that are done.
    package func matches(
        of rows: Range<Int>, from threshold: Double, progress: (Int) throws -> Void
    ) rethrows -> [[RetinalMatch]] {
        let probes = RetinalGallery(Array(fields[rows]), patients: Array(patients[rows]))
        let found = try search(
            for: probes, PoseGrid.uprightSteps, excludingOwnPatient: true,
            progress: { try progress(Int(($0 * Double(rows.count)).rounded())) }
        ) {
            max(Self.refined, $0.count { $0.score >= threshold - Self.slack })
        }
        return found.map { matches in matches.filter { $0.score >= threshold }.sorted { $0.index < $1.index } }
    }

    /// What each probe resembles, at full resolution.
    /// - Parameter count: how many of the alignments at half resolution, best first, are refined.
    private func search(
        for probes: RetinalGallery, _ steps: [PoseGrid.Step], excludingOwnPatient: Bool,
        progress: (Double) throws -> Void,
        refining count: ([RetinalMatch]) -> Int
    ) rethrows -> [[RetinalMatch]] {
        let shortlist = Shortlist(fields)
        var matches = [[RetinalMatch]](repeating: [], count: probes.count)
        for start in stride(from: 0, to: probes.count, by: Self.probesAtOnce) {
            let batch = min(Self.probesAtOnce, probes.count - start)
            matches.withUnsafeMutableBufferPointer { matches in
                nonisolated(unsafe) let matches = matches
                parallelFor(batch) { offset in
                    let probe = start + offset
                    matches[probe] = search(for: probes.fields[probe], shortlist, steps, refining: count) {
                        !excludingOwnPatient || patients[$0] != probes.patients[probe]
                    }
                }
            }
            try progress(Double(start + batch) / Double(probes.count))
        }
        return matches
    }

    private func search(
        for field: VesselField, _ shortlist: Shortlist, _ steps: [PoseGrid.Step],
        refining count: ([RetinalMatch]) -> Int,
        isAllowed: (Int) -> Bool
    ) -> [RetinalMatch] {
        let full = Views(FieldLevel(field)), half = Views(full.upright.halved.smoothed),
            coarse = Views(Shortlist.coarse(full.upright))
        let candidates = shortlist.candidates(for: coarse.upright, count: Self.shortlisted, steps, isAllowed: isAllowed)
        var aligned = candidates.map { candidate in
            let other = FieldLevel(fields[candidate.index])
            let found = PoseRefinement.climb(
                Shortlist.coarse(other), coarse[candidate.mirrored], from: candidate.pose, .first)
            let better = PoseRefinement.climb(
                other.halved.smoothed, half[candidate.mirrored], from: found.pose, .second)
            return RetinalMatch(
                score: better.agreement.score, index: candidate.index, mirrored: candidate.mirrored, pose: better.pose)
        }
        aligned.sort { ($0.score, $1.index) > ($1.score, $0.index) }
        return aligned.prefix(count(aligned)).map { match in
            let best = PoseRefinement.climb(
                FieldLevel(fields[match.index]), full[match.mirrored], from: match.pose, .last)
            return RetinalMatch(
                score: best.agreement.score, index: match.index, mirrored: match.mirrored, pose: best.pose)
        }
    }
}

/// A field and its mirror image.
private struct Views {
    let upright: FieldLevel
    private let mirrored: FieldLevel

    init(_ level: FieldLevel) {
        upright = level
        mirrored = level.mirrored
    }

    subscript(isMirrored: Bool) -> FieldLevel { isMirrored ? mirrored : upright }
}
