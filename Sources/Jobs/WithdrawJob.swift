import CheckpointStore
import Consortium
import Federation
import Files
import Foundation
import SampleStore

/// Takes a site out of a merged model: goes back to the last base without the site, and merges again.
///
/// The result is the same, bit for bit, as a merge that the site never took part in.
public struct WithdrawJob: Job {
    public var site: String
    /// The merged model from which the site is taken.
    public var from: String
    /// The folder with the parcels and bases of all rounds, in folders of any depth.
    public var parcels: String
    /// The sample sets in which samples from the site are counted.
    public var samples: [String] = []
    /// The list of trust, whose coordinator must have signed the model. With `key`, the list marks the site as
    /// withdrawn.
    public var trust: String?
    /// The coordinator's private key, which signs the result and the list.
    public var key: String?
    /// The model without the site.
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(site: String, from: String, parcels: String, to output: String) {
        self.site = site
        self.from = from
        self.parcels = parcels
        self.output = output
    }

    public struct Outcome: JobOutcome {
        /// A sample set with samples that came from the site.
        public struct SampleSet: Encodable, Sendable {
            public let file: String
            /// How many of the set's samples were made by models that came from the site.
            public let samples: Int
        }

        /// The weights files and sample sets that came from the site.
        public let models: [String]
        public let sampleSets: [SampleSet]
        public let output, digest: String
        public let round: Int
        /// The later rounds, which must be trained again.
        public let roundsToRetrain: [Int]
        /// Whether the site is marked in the list of trust.
        public let marked: Bool
        fileprivate let job: WithdrawJob
        fileprivate let isBase, isTrainedFurther: Bool

        private enum CodingKeys: String, CodingKey {
            case models, output, digest, round, marked
            case sampleSets = "sample_sets"
            case roundsToRetrain = "rounds_to_retrain"
        }

        public var lines: [String] {
            let site = job.site
            return [
                isBase
                    ? "\(output): the base of round \(round), in which \(site) was alone"
                    : "\(output): round \(round) without \(site)"
            ] + models.map { "touched by \(site): \($0)" }
                + sampleSets.map { "touched by \(site): \($0.file), \($0.samples) samples" } + [
                    marked
                        ? "\(job.trust ?? ""): \(site) is withdrawn; verify --trust fails for what it touched"
                        : """
                        to make verify fail for what it touched, add \(site) to withdrawn in TRUST.yaml and sign \
                        it (a list of trust with the coordinator's key does)
                        """
                ]
        }

        public var refusal: Failure? {
            if isTrainedFurther {
                return Failure(
                    .checkFailed, output,
                    """
                    \(job.from) was trained further after its last merge. The result lacks that training, which has \
                    to be done again from here
                    """)
            }
            guard !roundsToRetrain.isEmpty else { return nil }
            return Failure(
                .checkFailed, output,
                """
                trained on what \(job.site) had touched, and to be trained again from here: \
                \(roundsToRetrain.count == 1 ? "round" : "rounds") \
                \(roundsToRetrain.map(String.init).joined(separator: ", "))
                """)
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let signing = try key.map { try SigningKey(contentsOf: $0) }
        var others: Set<String> = []
        if let trust {
            let list = try TrustList(contentsOf: trust)
            try list.requireCoordinator(try SafetensorsIndex(contentsOf: from), path: from, at: Date())
            others = list.withdrawn
        }
        for path in samples { _ = try await SampleSetFile.open(path, verifying: false) }
        try StagedFile.requireWritable(output, force: replaces)
        try OutputPath.requireOther(output, than: [from])
        let withdrawal = try Withdrawal(site: site, from: from, parcels: parcels)
        // The site is marked first, so that the mark holds even if the merge fails.
        let isMarked = trust != nil && signing != nil
        if let trust, let signing { try TrustList.withdraw(site, in: trust, with: signing) }
        let outcome = try await withdrawal.run(
            to: output, withdrawn: others, samples: samples, key: signing, force: replaces)
        return Outcome(
            models: outcome.models,
            sampleSets: outcome.sampleSets.map { Outcome.SampleSet(file: $0.path, samples: $0.samples) },
            output: output, digest: outcome.digest.description, round: outcome.round,
            roundsToRetrain: outcome.roundsToRetrain, marked: isMarked, job: self, isBase: outcome.isBase,
            isTrainedFurther: outcome.isTrainedFurther)
    }
}
