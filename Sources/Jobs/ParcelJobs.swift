import CheckpointStore
import Consortium
import Diffusion
import Federation
import Files
import Foundation
import Models

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
        fileprivate let file: String, trust, audited: String?

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
                "permitted: \(statement.permissions.labelledText)",
                "contact: \(statement.contact)",
                audited ?? "not audited, because the weights saw no photographs of patients",
            ] + (statement.replaces.map { ["replaces the parcel \($0)"] } ?? [])
                + (output.map { ["weights: \($0)"] } ?? [])
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let parcel = try Parcel<ModelDescription>(contentsOf: file)
        if let trust { try parcel.requireTrust(try TrustList(contentsOf: trust), at: Date()) }
        if let output {
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
            audited: WeightsDescription.auditSentence(
                parcel.manifest.audit, limits: parcel.manifest.auditLimits, unaudited: parcel.manifest.unaudited))
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
            lines: ["\(file): \(list.project), signed by the coordinator \(coordinator)"] + members
                + list.history.map { "\($0.site): \($0.text)" })
    }
}
