import Files
import Verdicts

extension FlaggedList {
    init(samples: Digest, table: CopyTable, flagged: [FlaggedSample]) {
        self.init(
            samples: samples, flagged: flagged,
            scores: Dictionary(
                uniqueKeysWithValues: table.columns.map {
                    ($0.name.rawValue, $0.scores.scores.map { $0.isFinite ? $0 : -1e9 })
                }))
    }
}
