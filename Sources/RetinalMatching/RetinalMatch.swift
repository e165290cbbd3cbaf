import Pictures

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

/// A probe at the resolutions at which it is laid over the fields of a gallery.
struct ProbeAlignment {
    private let full: Views, half: Views, coarse: Views

    init(_ field: VesselField) {
        full = Views(FieldLevel(field))
        half = Views(full.upright.halved.smoothed)
        coarse = Views(Shortlist.coarse(full.upright))
    }

    /// The probe as the shortlist looks for it.
    var outline: FieldLevel { coarse.upright }

    /// The fields of a shortlist, aligned at half resolution, best first; the best of them at full resolution.
    /// - Parameters:
    ///   - field: gives a field of the gallery.
    ///   - count: how many of the alignments at half resolution are refined, starting with the best.
    func matches(
        _ candidates: [Shortlist.Candidate], field: (Int) throws -> VesselField, refining count: ([RetinalMatch]) -> Int
    ) rethrows -> [RetinalMatch] {
        var aligned = try candidates.map { candidate in
            let other = FieldLevel(try field(candidate.index))
            let found = PoseRefinement.climb(
                Shortlist.coarse(other), coarse[candidate.mirrored], from: candidate.pose, .first)
            let better = PoseRefinement.climb(
                other.halved.smoothed, half[candidate.mirrored], from: found.pose, .second)
            return RetinalMatch(
                score: better.agreement.score, index: candidate.index, mirrored: candidate.mirrored, pose: better.pose)
        }
        aligned.sort { ($0.score, $1.index) > ($1.score, $0.index) }
        return try aligned.prefix(count(aligned)).map { match in
            let best = PoseRefinement.climb(
                FieldLevel(try field(match.index)), full[match.mirrored], from: match.pose, .last)
            return RetinalMatch(
                score: best.agreement.score, index: match.index, mirrored: match.mirrored, pose: best.pose)
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
}
