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
    /// Why the site leaves. The reason stays in the list of trust.
    public var reason: String?
    /// Say what would change, and write nothing.
    public var isDryRun = false
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
        public let output: String
        /// The digest of the result; nil where nothing was written.
        public let digest: String?
        public let round: Int
        /// The later rounds, which must be trained again.
        public let roundsToRetrain: [Int]
        /// Whether the site is marked in the list of trust; in a dry run, whether it would be.
        public let marked: Bool
        public let dryRun: Bool
        /// The lists of trust of rounds that the mark was carried to.
        public let markedLists: [String]
        fileprivate let job: WithdrawJob
        fileprivate let isBase, isTrainedFurther: Bool
        public let warnings: [String]

        private enum CodingKeys: String, CodingKey {
            case models, output, digest, round, marked
            case sampleSets = "sample_sets"
            case roundsToRetrain = "rounds_to_retrain"
            case dryRun = "dry_run"
            case markedLists = "marked_lists"
        }

        public var lines: [String] {
            let site = job.site, list = job.trust ?? ""
            let model =
                isBase
                ? "the base of round \(round), in which \(site) was alone" : "round \(round) without \(site)"
            let mark =
                marked
                ? dryRun
                    ? "\(list): \(site) would be marked as withdrawn"
                    : "\(list): \(site) is withdrawn; verify --trust fails for what it touched"
                : """
                \(site) is not marked: a list of trust with the coordinator's key marks it, so that verify fails for \
                what it touched
                """
            return [dryRun ? "\(output): would hold \(model)" : "\(output): \(model)"]
                + models.map { "touched by \(site): \($0)" }
                + sampleSets.map { "touched by \(site): \($0.file), \($0.samples) samples" } + [mark]
                + markedLists.map { "\($0): \(site) is marked there, too" }
                + (dryRun ? notice.map { ["then: \($0)"] } ?? [] : [])
                + (dryRun ? ["nothing was written; this was a dry run"] : [])
        }

        /// What is left to do after the withdrawal; nil for nothing.
        private var notice: String? {
            if isTrainedFurther {
                return """
                    \(job.from) was trained further after its last merge. The result lacks that training, which has \
                    to be done again from here
                    """
            }
            guard !roundsToRetrain.isEmpty else { return nil }
            return """
                was trained on weights that \(job.site) had touched; it has to be trained again from here: \
                \(roundsToRetrain.count == 1 ? "round" : "rounds") \
                \(roundsToRetrain.map(String.init).joined(separator: ", "))
                """
        }

        public var refusal: Failure? { dryRun ? nil : notice.map { Failure(.checkFailed, output, $0) } }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let signing = try key.map { try SigningKey(contentsOf: $0) },
            list = try trust.map { try TrustList(contentsOf: $0) }
        try list?.requireCoordinator(try SafetensorsIndex(contentsOf: from), path: from, at: Date())
        for path in samples { _ = try await SampleSetFile.open(path, verifying: false) }
        try StagedFile.requireWritable(output, force: replaces)
        let plan = try await Withdrawal(site: site, from: from, parcels: parcels).plan(
            withdrawn: list?.withdrawn ?? [], samples: samples)
        // What the list would refuse is found here, before the merge and in a dry run.
        func prepareMark() throws -> TrustList.Change? {
            guard let list, let signing else { return nil }
            return try list.withdrawing(site, reason: reason, with: signing, at: Date())
        }
        var change = try prepareMark()
        func outcome(_ digest: Digest?, _ copies: [WithdrawnSites.Copy]) -> Outcome {
            Outcome(
                models: plan.models,
                sampleSets: plan.sampleSets.map { Outcome.SampleSet(file: $0.path, samples: $0.samples) },
                output: output, digest: digest?.description, round: plan.round, roundsToRetrain: plan.roundsToRetrain,
                marked: list != nil && signing != nil, dryRun: isDryRun,
                markedLists: copies.filter { $0.problem == nil }.map(\.path), job: self, isBase: plan.isBase,
                isTrainedFurther: plan.isTrainedFurther, warnings: copies.compactMap(\.warning))
        }
        if isDryRun { return outcome(nil, []) }
        change = nil
        let digest = try Withdrawal.write(plan, to: output, key: signing, force: replaces) {
            change = try prepareMark()
            return change
        }
        var copies: [WithdrawnSites.Copy] = []
        if let signing, let after = change?.list ?? list {
            copies = WithdrawnSites.carry(site, from: after, to: parcels, with: signing, at: Date())
        }
        return outcome(digest, copies)
    }
}

extension WithdrawnSites.Copy {
    /// A sentence on a list that was not changed; nil for a list that was.
    var warning: String? {
        problem.map { "\(path): could not be changed, and tells nobody of the mark: \($0)" }
    }
}
