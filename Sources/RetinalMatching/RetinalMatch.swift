import Foundation
import Pictures
import TensorCore

/// The eye of the gallery that a probe resembles most.
package struct RetinalMatch: Hashable, Sendable {
    /// The agreement of the vessels in the best pose. It is about 1 for the same photograph.
    package var score: Double
    /// The index of the picture in the gallery.
    package var index: Int
    /// Whether the mirror image of the probe matches.
    package var mirrored: Bool
    /// Where a point of the gallery's picture lies in the probe, or in the probe's mirror image if `mirrored` is true.
    package var pose: Similarity
}

extension RetinalGallery {
    /// How many fields of the gallery are aligned at low resolution, and how many of these are refined at full
    /// resolution.
    private static let shortlisted = 48
    private static let refined = 5
    /// By how much the score of a match may rise from half to full resolution.
    private static let slack = 0.1
    private static let probesAtOnce = 16

    /// The best match of every probe over the gallery.
    ///
    /// A match depends only on the probe and the gallery, and not on the other probes or on threads.
    /// - Parameters:
    ///   - excludingOwnPatient: whether photographs of the probe's own patient are left out. If the probes are the
    ///     gallery itself, the scores are then those of innocent eyes.
    ///   - progress: receives the share that is done.
    /// - Returns: one match for each probe. Its score and its index are -1 if the gallery holds nobody else.
    /// - Throws: what `progress` throws.
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

    /// All pictures that match a probe with at least `threshold`, in the order of the gallery. Photographs of the
    /// probe's own patient are left out.
    ///
    /// Both the probes and the gallery are photographs as cameras make them, upright or mirrored: rotations of more
    /// than about 15 degrees are not tried. A probe finds at most as many matches as are aligned (48). As in
    /// `bestMatches`, a match depends only on the probe and the gallery.
    /// - Parameters:
    ///   - rows: which pictures of this gallery are the probes.
    ///   - progress: receives the number of probes that are done.
    /// - Throws: what `progress` throws.
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

    /// The pictures that each probe resembles, at full resolution.
    /// - Parameter count: how many of the alignments at half resolution are refined, starting with the best.
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
