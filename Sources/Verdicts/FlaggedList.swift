import Files

/// `private/flagged.json`, which lists the samples that a release leaves out. It also holds the scores of all samples,
/// so that nobody can guess its content from its digest, which is public.
package struct FlaggedList: Codable, Sendable {
    package var samples: Digest
    package var flagged: [FlaggedSample]
    /// The scores of all samples, by test.
    package var scores: [String: [Double]]

    package init(samples: Digest, flagged: [FlaggedSample], scores: [String: [Double]]) {
        self.samples = samples
        self.flagged = flagged
        self.scores = scores
    }

    /// The rows that a release leaves out, sorted, each once.
    package var rows: [Int] { Array(Set(flagged.map(\.index))).sorted() }
}

/// A sample that a test flags. It is shown only in `private/` and to whoever runs the audit.
package struct FlaggedSample: Codable, Hashable, Sendable {
    /// The row of the sample.
    package let index: Int
    package let test: CopyTestName
    package let score: Double

    package init(index: Int, test: CopyTestName, score: Double) {
        self.index = index
        self.test = test
        self.score = score
    }
}
