import CheckpointStore
import Consortium
import Federation
import Files
import Foundation
import SampleStore

/// Takes a site out of a merged model: back to the last base without it, and merged again.
///
/// The result is the same, bit for bit, as a merge that never had the site.
public struct WithdrawJob: Job {
    public var site: String
    /// The merged model that it is in.
    public var from: String
    /// Where parcels and bases of all rounds lie, in folders of any depth.
    public var parcels: String
    /// Sample sets to look through.
    public var samples: [String] = []
    /// The list of trust: the model has to be signed by its coordinator, and with a key the site is marked there.
    public var trust: String?
    /// The coordinator's private key, which signs the result and the list.
    public var key: String?
    /// The model without the site.
    public var output: String
    public var replaces = false

    public init(site: String, from: String, parcels: String, to output: String) {
        self.site = site
        self.from = from
        self.parcels = parcels
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public struct SampleSet: Encodable, Sendable {
            public let file: String
            /// How many of its samples the site touched.
            public let samples: Int
        }

        /// Weights and sample sets that the site touched.
        public let models: [String]
        public let sampleSets: [SampleSet]
        public let output, digest: String
        public let round: Int
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
                    \(job.from) was trained further after its last merge: that training is not in the result, and is \
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
        // The mark first: it holds whatever comes of the rest.
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
