import CheckpointStore
import Consortium
import Diffusion
import Federation
import Files
import Foundation
import Models
import Training

/// Makes a site's key pair. Only the owner of the private key's file can read it.
public struct MakeKeyJob: Job {
    /// The path of the private key. The public key is written to the same path with `.pub`.
    public var output: String

    public init(to output: String) { self.output = output }

    public struct Outcome: JobOutcome {
        /// The paths of the two keys.
        public let privateKey, publicKey: String
        public let fingerprint: String

        private enum CodingKeys: String, CodingKey {
            case privateKey = "private_key"
            case publicKey = "public_key"
            case fingerprint
        }

        public var lines: [String] {
            [
                "\(privateKey): keep it, and give it to nobody",
                "\(publicKey): for the coordinator, fingerprint \(fingerprint)",
            ]
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let key = SigningKey()
        try key.write(output)
        return Outcome(privateKey: output, publicKey: output + ".pub", fingerprint: key.publicKey.fingerprint)
    }
}

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
    public var round: Int
    /// The permitted purposes, as codes of the Data Use Ontology.
    public var purposes: Set<String> = []
    /// The last day of the permissions, such as `2027-12-31`; nil for no end.
    public var expires: String?
    /// The countries of the permissions; empty for worldwide.
    public var territories: Set<String> = []
    /// Whether weights and samples may be handed on, and whether samples may be drawn from this site alone.
    public var redistribution = false, singleSite = false
    /// The folder of a passing audit of these weights, and a list of trust that says who is a privacy officer.
    public var audit, trust: String?
    /// Why the parcel has no audit for memorised patients.
    public var unaudited: String?
    /// Whom to ask.
    public var contact = "unspecified"
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(_ weights: String, key: String, site: String, round: Int, to output: String) {
        self.weights = weights
        self.key = key
        self.site = site
        self.round = round
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public let output, digest, site, base, fingerprint: String
        public let round, bytes: Int

        public var lines: [String] {
            ["\(output): \(bytes / 1024) KiB of \(site) for round \(round), signed by \(fingerprint)"]
        }
    }

    public func validate() throws {
        let permissions = Permissions(
            purposes: purposes, expires: expires, territories: grantedTerritories, redistribution: redistribution,
            singleSite: singleSite)
        if let problem = permissions.problem { throw Failure(.usage, nil, "permissions.\(problem)") }
    }

    private var grantedTerritories: Set<String> { territories.isEmpty ? [Permissions.worldwide] : territories }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        try OutputPath.requireOther(output, than: [weights, key])
        try StagedFile.requireWritable(output, force: replaces)
        let signing = try SigningKey(contentsOf: key)
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
            contact: contact)
        let audited = file.manifest.kind == .adapter ? LoadedModel.mixtureDigest(base: base, adapter: own) : own
        let passed = try audit.map {
            try OfficerRule(trust: trust, own: signing.publicKey).gate($0, model: audited)
        }
        let digest = try ParcelSeal.seal(
            file, path: weights, statement: statement, audit: passed, unaudited: unaudited, key: signing, to: output,
            as: try SafetensorsIndex(contentsOf: weights).entries.first?.type ?? .f16,
            force: replaces)
        let bytes = (try? FileManager.default.attributesOfItem(atPath: output)[.size] as? Int) ?? 0
        return Outcome(
            output: output, digest: digest.description, site: site, base: base,
            fingerprint: signing.publicKey.fingerprint, round: round, bytes: bytes)
    }
}

/// Checks a parcel's signature, says what is in it, and unpacks its weights.
public struct OpenParcelJob: Job {
    public var file: String
    /// The list of those whose signatures count. Nil checks that the parcel is intact, but not who signed it.
    public var trust: String?
    /// The file to which the weights are written without the signature; nil writes no file.
    public var output: String?
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(_ file: String) { self.file = file }

    public struct Outcome: JobOutcome {
        public let statement: ParcelStatement
        public let fingerprint: String
        /// Whether a list of trust was given, which accepted the signer.
        public let trusted: Bool
        public let output: String?
        fileprivate let isAdapter: Bool
        fileprivate let file: String, trust, unaudited: String?

        private enum CodingKeys: String, CodingKey { case statement, fingerprint, trusted, output }

        public var lines: [String] {
            [
                """
                \(file): \(isAdapter ? "an adapter" : "weights") of \(statement.site) for round \(statement.round), on \
                the base \(statement.base.prefix(12))
                """,
                """
                signed by \(fingerprint), \
                \(trust.map { "whom \($0) trusts" } ?? "whom nobody has checked: compare it, or give a list of trust")
                """,
                "permitted: \(statement.permissions.text)",
                """
                contact: \(statement.contact); audit: \
                \(unaudited.map { "none, \($0)" } ?? "no photographs of patients")
                """,
            ] + (output.map { ["weights: \($0)"] } ?? [])
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let parcel = try Parcel<ModelDescription>(contentsOf: file)
        if let trust { try parcel.requireTrust(try TrustList(contentsOf: trust), at: Date()) }
        if let output {
            try OutputPath.requireOther(output, than: [file])
            var (weights, _) = try ModelFile.read(file)
            // The site's permissions stay with the weights.
            weights.manifest.permissions = try weights.manifest.effectivePermissions(path: file)
            weights.manifest.notAlone = weights.manifest.notAloneInherited
            weights.manifest.parcel = nil
            try weights.write(output, as: parcel.storedType, force: replaces)
        }
        return Outcome(
            statement: parcel.statement, fingerprint: parcel.signer.fingerprint, trusted: trust != nil,
            output: output, isAdapter: parcel.manifest.kind == .adapter, file: file, trust: trust,
            unaudited: parcel.manifest.unaudited)
    }
}

/// Signs a base or a merged model as the coordinator. Sites train only on signed models.
public struct SignBaseJob: Job {
    /// A snapshot.
    public var weights: String
    /// The coordinator's private key.
    public var key: String
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(_ weights: String, key: String, to output: String) {
        self.weights = weights
        self.key = key
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public let output, digest, fingerprint: String

        public var lines: [String] { ["\(output): signed by \(fingerprint), digest \(digest)"] }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        try OutputPath.requireOther(output, than: [weights, key])
        try StagedFile.requireWritable(output, force: replaces)
        let key = try SigningKey(contentsOf: key)
        let digest = try SignedBase.sign(weights, with: key, to: output, force: replaces)
        return Outcome(output: output, digest: digest.description, fingerprint: key.publicKey.fingerprint)
    }
}

/// Signs a list of trust as its coordinator, or checks the list where no key is given.
public struct TrustListJob: Job {
    public var file: String
    /// The coordinator's private key.
    public var key: String?

    public init(_ file: String) { self.file = file }

    public struct Outcome: JobOutcome {
        public let project, coordinator: String
        public let members, withdrawn: [String]
        public let lines: [String]

        private enum CodingKeys: String, CodingKey { case project, coordinator, members, withdrawn }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        if let key { try TrustList.sign(file, with: try SigningKey(contentsOf: key)) }
        let list = try TrustList(contentsOf: file), coordinator = list.coordinator.fingerprint
        let members = try list.members.map {
            let key = try PublicKey($0.key, field: "key", place: file)
            return
                """
                \($0.role.rawValue) \($0.name): \(key.fingerprint), \($0.from) to \
                \($0.until)\(list.withdrawn.contains($0.name) ? ", withdrawn" : "")
                """
        }
        return Outcome(
            project: list.project, coordinator: coordinator, members: list.members.map(\.name),
            withdrawn: list.withdrawn.sorted(),
            lines: ["\(file): \(list.project), signed by the coordinator \(coordinator)"] + members)
    }
}
