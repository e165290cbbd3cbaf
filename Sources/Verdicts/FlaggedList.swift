import Files

/// `private/flagged.json`: which samples a release drops. The scores of all samples stand in it, so that its digest,
/// which is public, says nothing about a few of them.
package struct FlaggedList: Codable, Sendable {
    package var samples: Digest
    package var flagged: [FlaggedSample]
    /// By test, one a sample.
    package var scores: [String: [Double]]

    package init(samples: Digest, flagged: [FlaggedSample], scores: [String: [Double]]) {
        self.samples = samples
        self.flagged = flagged
        self.scores = scores
    }

    /// Rows to drop, each once.
    package var rows: [Int] { Array(Set(flagged.map(\.index))).sorted() }
}

/// A sample that a test flags; for `private/` and for whoever runs the audit.
package struct FlaggedSample: Codable, Hashable, Sendable {
    /// Row of the sample.
    package let index: Int
    package let test: CopyTestName
    package let score: Double

    package init(index: Int, test: CopyTestName, score: Double) {
        self.index = index
        self.test = test
        self.score = score
    }
}
