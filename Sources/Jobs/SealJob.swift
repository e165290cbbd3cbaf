import CheckpointStore
import Consortium
import Diffusion
import Federation
import Files
import Foundation
import Models
import Training

/// Puts weights, their origin and their permissions into one signed file.
///
/// Weights that saw photographs of patients need a passing audit, or a reason why there is no audit.
public struct SealJob: Job {
    /// An adapter or a snapshot of a training.
    public var weights: String
    /// The site's private key.
    public var key: String
    /// The site's name, as in the training.
    public var site: String
    /// The number of the round; nil takes that of the round's folder.
    public var round: Int?
    /// The permitted purposes, as codes of the Data Use Ontology.
    public var purposes: Set<String> = []
    /// The last day of the permissions, such as `2027-12-31`; nil for no end.
    public var expires: String?
    /// The countries of the permissions; empty for worldwide.
    public var territories: Set<String> = []
    /// Whether weights and samples may be handed on, and whether samples may be drawn from this site alone.
    public var redistribution = false, singleSite = false
    /// The folder of a passing audit of these weights.
    public var audit: String?
    /// A list of trust: it says who is a privacy officer, and what it would refuse is not sealed.
    public var trust: String?
    /// The site's earlier parcel for the same round that this one replaces; nil for none.
    public var earlier: String?
    /// The folder of the round; nil takes the folder in whose `parcels` the output is. What the round would refuse is
    /// not sealed.
    public var roundFolder: String?
    /// Why the parcel has no audit for memorised patients.
    public var unaudited: String?
    /// Whom to ask.
    public var contact = "unspecified"
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(_ weights: String, key: String, site: String, round: Int?, to output: String) {
        self.weights = weights
        self.key = key
        self.site = site
        self.round = round
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public let output, digest, site, base, fingerprint: String
        public let round, bytes: Int
        /// Whether a list of trust was asked whether it takes the parcel.
        public let checked: Bool

        public var lines: [String] {
            ["\(output): \(bytes / 1024) KiB of \(site) for round \(round), signed by \(fingerprint)"]
                + (checked ? [] : ["no list of trust was asked whether the coordinator takes it"])
        }
    }

    public func validate() throws {
        guard !purposes.isEmpty else {
            throw Failure(
                .usage, option: "purpose",
                "expected what the weights may be used for, at least one code, found none; the codes are "
                    + DataUse.list)
        }
        for purpose in purposes.sorted() { try DataUse.require(purpose, option: "purpose") }
        if let expires, Day.noon(expires) != nil, expires < Day.text(Date()) {
            throw Failure(
                .usage, option: "expires",
                expected: "\(Day.text(Date())) or later, since the round refuses what has ended",
                found: expires)
        }
        let permissions = Permissions(
            purposes: purposes, expires: expires, territories: grantedTerritories, redistribution: redistribution,
            singleSite: singleSite)
        if let problem = permissions.problem { throw Failure(.usage, nil, "permissions.\(problem)") }
    }

    private var grantedTerritories: Set<String> { territories.isEmpty ? [Permissions.worldwide] : territories }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        try StagedFile.requireWritable(output, force: replaces)
        let signing = try SigningKey(contentsOf: key), asking = try asked()
        guard let round = round ?? asking?.request.round else {
            throw Failure(.usage, option: "round", expected: "the number or the folder of the round", found: "none")
        }
        let (file, own) = try ModelFile.read(weights)
        guard let base = file.manifest.parents.first else {
            throw Failure(
                .badData, weights, field: "base", expected: "weights that were trained on a base", found: "none")
        }
        let statement = ParcelStatement(
            site: site, round: round, base: base, issued: Date(),
            selfTest: TrainingLog.selfTest(of: weights, imagesSeen: file.manifest.imagesSeen),
            permissions: Permissions(
                purposes: purposes, expires: expires,
                territories: grantedTerritories,
                redistribution: redistribution, singleSite: singleSite),
            contact: contact, replaces: try earlier.map { try replaced($0, round: round, base: base) })
        try asking?.requireAsked(statement, path: weights, output: output)
        let list = try trust.map { try TrustList(contentsOf: $0) } ?? asking?.trust
        let audited = file.manifest.kind == .adapter ? LoadedModel.mixtureDigest(base: base, adapter: own) : own
        let passed = try audit.map {
            try OfficerRule(trust: trust, own: signing.publicKey).gate($0, model: audited)
        }
        let digest = try ParcelSeal.seal(
            file, path: weights, statement: statement, audit: passed, unaudited: unaudited, trust: list, key: signing,
            to: output,
            as: try SafetensorsIndex(contentsOf: weights).entries.first?.type ?? .f16,
            force: replaces)
        let bytes = (try? FileManager.default.attributesOfItem(atPath: output)[.size] as? Int) ?? 0
        return Outcome(
            output: output, digest: digest.description, site: site, base: base,
            fingerprint: signing.publicKey.fingerprint, round: round, bytes: bytes, checked: list != nil)
    }

    /// The round that the parcel is for; nil where nothing says which folder is the round's.
    private func asked() throws -> Round? {
        let parent = (output as NSString).deletingLastPathComponent as NSString
        let beside = parent.lastPathComponent == "parcels" ? parent.deletingLastPathComponent : ""
        guard let folder = roundFolder ?? (Round.isRound(beside) ? beside : nil) else { return nil }
        return try Round(folder, trust: trust)
    }

    /// The digest of the earlier parcel.
    private func replaced(_ path: String, round: Int, base: String) throws -> Digest {
        let parcel = try Parcel<ModelDescription>(contentsOf: path), said = parcel.statement
        for (field, expected, found) in [
            ("site", site, said.site), ("round", "\(round)", "\(said.round)"), ("base", base, said.base),
        ] where expected != found {
            throw Failure(
                .badData, path, field: field, expected: "\(expected), as in the parcel that replaces it", found: found)
        }
        return parcel.digest
    }
}
