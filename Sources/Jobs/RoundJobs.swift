import CheckpointStore
import Consortium
import Diffusion
import Federation
import Files
import Foundation
import Training

/// Begins a round that is exchanged as files: makes a folder with the signed base, the list of trust and the request.
public struct BeginRoundJob: Job {
    /// The round's folder.
    public var folder: String
    /// The snapshot to train on. It is signed if it is unsigned.
    public var base: String
    /// The list of those whose signatures count.
    public var trust: String
    /// The coordinator's private key.
    public var key: String
    /// The number of the round; nil takes the number after the base's last merge.
    public var round: Int?
    /// The sites that are asked; empty for all sites of the list.
    public var sites: [String] = []
    /// The last day, such as `2026-12-31`; nil for no deadline.
    public var deadline: String?
    /// How the parcels will be merged.
    public var settings = MergeRecord.Settings()
    /// How the sites are asked to train. `settings` of it is set by the run.
    public var training = Round.Training()
    /// A file with settings of training for the sites, which is copied into the folder; nil for none.
    public var config: String?
    /// Gives the text of `README.md` in the folder, which tells the sites what to do; nil writes none.
    public var guide: (@Sendable (Round.Request, TrustList) -> String)?

    public init(_ folder: String, base: String, trust: String, key: String) {
        self.folder = folder
        self.base = base
        self.trust = trust
        self.key = key
    }

    public struct Outcome: JobOutcome {
        public let folder, base: String
        public let round: Int
        public let sites: [String]
        public let deadline: String?
        fileprivate let basePath, parcelFolder: String

        private enum CodingKeys: String, CodingKey { case folder, base, round, sites, deadline }

        public var lines: [String] {
            [
                """
                \(folder): round \(round) asks \(sites.joined(separator: ", "))\(deadline.map { " until \($0)" } ?? "")
                """,
                "each site trains on \(basePath) and puts its parcel into \(parcelFolder)",
            ]
        }
    }

    public func validate() throws {
        for purpose in training.purposes ?? [] { try DataUse.require(purpose, option: "purpose") }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        // Settings that no site could use are refused here, with their line.
        if let config { _ = try Configuration.read(config, over: TrainingConfiguration()) }
        let begun = try Round.begin(
            folder, base: base, trust: trust, key: try SigningKey(contentsOf: key), round: round,
            sites: sites.isEmpty ? nil : sites, deadline: deadline, settings: settings, training: training,
            trainingSettings: try config.map { try JSONText.contents($0) }, guide: guide, at: Date())
        let asked = begun.request
        return Outcome(
            folder: folder, base: asked.base.description, round: asked.round, sites: asked.sites,
            deadline: asked.deadline, basePath: begun.basePath, parcelFolder: begun.parcelFolder)
    }
}

/// Says which sites have delivered, whose parcel is refused and why, and which sites are late.
public struct RoundStatusJob: Job {
    public var folder: String
    /// The list of those whose signatures count; nil takes the folder's own list.
    public var trust: String?

    public init(_ folder: String) { self.folder = folder }

    public struct Outcome: JobOutcome {
        public let round: Int
        public let closed: Bool
        public let deadline: String?
        /// One for each site.
        public let deliveries: [Round.Delivery]
        /// Files in the folder of parcels that are nobody's delivery, with what they are.
        public let others: [Round.OtherFile]
        /// What may not be in the folder. The round is not closed before it is gone.
        public let findings: [Finding]
        fileprivate let folder: String

        private enum CodingKeys: String, CodingKey { case round, closed, deadline, deliveries, others, findings }

        public var lines: [String] {
            let head =
                "\(folder): round \(round), \(closed ? "closed" : "open")\(deadline.map { ", until \($0)" } ?? "")"
            return [head]
                + deliveries.map {
                    let file = $0.file.map { ", \($0)" } ?? "", reason = $0.reason.map { ": \($0)" } ?? ""
                    return "\($0.site): \($0.state.rawValue)\(file)\(reason)"
                } + others.map { "\($0.file): \($0.reason)" }
        }

        public var warnings: [String] {
            findings.map { "\(folder)/\($0.place): \($0.problem)" }
        }

        public var refusal: Failure? {
            guard let first = findings.first else { return nil }
            let more = findings.count > 1 ? " and \(findings.count - 1) more" : ""
            return Failure(
                .checkFailed, folder,
                """
                holds what may not be here (\(first.place)\(more)); take it away, and ask who could read it. The round \
                is not closed before it is gone
                """)
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let round = try Round(folder, trust: trust)
        let base = try Manifest<ModelDescription>.read(
            try SafetensorsIndex(contentsOf: round.basePath), path: round.basePath)
        if let notice = WithdrawnSites.notice(round.basePath, sites: base.sites, trust: round.trust.path) {
            report.warn(notice)
        }
        let status = try round.status(at: Date(), ledger: try ParcelLedger(for: round.trust))
        return Outcome(
            round: round.request.round, closed: round.isClosed, deadline: round.request.deadline,
            deliveries: status.deliveries, others: status.others, findings: status.findings, folder: folder)
    }
}

/// Merges the delivered parcels. Closing a round for a second time fails and changes nothing.
public struct CloseRoundJob: Job {
    public var folder: String
    /// The list of those whose signatures count; nil takes the folder's own list.
    public var trust: String?
    /// The coordinator's private key.
    public var key: String
    /// The base of the merge that made this base, where the round asks for momentum.
    public var previous: String?
    /// Close the round even where sites are missing.
    public var isEarly = false
    /// Go on without parcels that are refused.
    public var excludesBad = false
    /// Stop where the screening names an outlier.
    public var isStrict = false

    public init(_ folder: String, key: String) {
        self.folder = folder
        self.key = key
    }

    public func perform(_ report: JobReporter) async throws -> MergeOutcome {
        let round = try Round(folder, trust: trust), ledger = try ParcelLedger(for: round.trust)
        var found: Screening?
        let (merge, digest, residual) = try round.close(
            key: try SigningKey(contentsOf: key), isEarly: isEarly, excludesBad: excludesBad, previous: previous,
            ledger: ledger, at: Date()
        ) { screening in
            found = screening
            if isStrict { try screening.requireNone() }
        }
        return try MergeOutcome(
            merge, screening: found, residual: residual, output: round.mergedPath, digest: digest, isSigned: true)
    }
}
