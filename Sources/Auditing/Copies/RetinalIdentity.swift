import Pictures
import RetinalMatching
import Verdicts

/// Finds the same eye by its vessels: whose retina a sample shows, whatever its colours, pose and lesions.
struct RetinalIdentity: CopyTest {
    let name = CopyTestName.retina
    private let search: RetinalSearch
    private let pictures: PictureSet

    init(_ gallery: PictureSet) throws {
        pictures = gallery
        search = try RetinalSearch(RetinalGallery(gallery))
    }

    func scores(of probes: PictureSet, progress: (Double) throws -> Void) throws -> CopyScores {
        var matches: [RetinalMatch] = []
        // Pictures are taken in parts, because their vessel fields are larger than the pictures.
        for start in stride(from: 0, to: probes.count, by: 64) {
            let rows = Array(start..<min(start + 64, probes.count))
            matches += try search.bestMatches(of: RetinalGallery(probes.selecting(rows)))
            try progress(Double(rows[rows.count - 1] + 1) / Double(probes.count))
        }
        return RetinalIdentity.scores(matches)
    }

    func scoresWithinGallery(_ rows: [Int], progress: (Double) throws -> Void) throws -> CopyScores {
        RetinalIdentity.scores(
            try search.bestMatches(of: RetinalGallery(pictures.selecting(rows)), excludingOwnPatient: true) {
                try progress(Double($0) / Double(rows.count))
            })
    }

    private static func scores(_ matches: [RetinalMatch]) -> CopyScores {
        CopyScores(
            scores: matches.map { $0.index < 0 ? -.infinity : $0.score }, nearest: matches.map { max(0, $0.index) })
    }
}
