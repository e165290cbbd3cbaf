import CheckpointStore
import Files
import PictureFiles
import Releasing

/// Makes a set that may leave the site from an audited set that passed. The released set has no flagged samples, holds
/// its verdict and is signed.
public struct ReleaseJob: Job {
    /// The sample set that was audited.
    public var samples: String
    /// The folder of the samples' audit.
    public var audit: String
    /// The folder of an evaluation of the samples that the release carries; nil for none.
    public var evaluation: String?
    /// The private key that signs the release.
    public var key: String
    /// A list of trust that says who is a privacy officer. Nil accepts only audits by the key that signs here.
    public var trust: String?
    /// The released set; its cards go beside it.
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(_ samples: String, audit: String, key: String, to output: String) {
        self.samples = samples
        self.audit = audit
        self.key = key
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public let output, card: String
        /// How many samples the set holds, and how many flagged samples were left out.
        public let samples, dropped: Int
        /// Whether the samples can be made again from their seeds.
        public let replayable: Bool
        /// The limits of the audit that differ from the usual limits.
        public let deviations: [String]
        fileprivate let fingerprint: String

        private enum CodingKeys: String, CodingKey { case output, card, samples, dropped, replayable, deviations }

        public var lines: [String] {
            deviations.map { "not the usual limit: \($0)" }
                + ["\(output): \(samples) samples, signed by \(fingerprint); \(dropped) flagged samples were left out"]
                + (replayable
                    ? []
                    : ["seeds that led to samples that were left out are removed: replay cannot make this set again"])
                + ["card: \(card)"]
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        try StagedFile.requireWritable(output, force: replaces)
        try ReleaseCards.requireWritable(for: output, force: replaces)
        try FileSort.requireSampleSet(samples, "only what fovea sample wrote is released")
        let key = try SigningKey(contentsOf: key), rule = OfficerRule(trust: trust, own: key.publicKey)
        let release = Release(
            samples, audit: audit, evaluation: evaluation, key: key, requireOfficer: rule.require)
        let made = try await release.write(to: output, force: replaces)
        let card = try await ReleaseCards.write(for: output, force: replaces)
        return Outcome(
            output: output, card: card, samples: made.samples, dropped: made.dropped, replayable: made.isReplayable,
            deviations: made.deviations, fingerprint: key.publicKey.fingerprint)
    }
}
