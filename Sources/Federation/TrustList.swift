import CheckpointStore
import Files
import Foundation
import Yams

/// The list of those whose signatures count: `TRUST.yaml`, which the coordinator signs in `TRUST.yaml.sig`.
public struct TrustList: Sendable {
    /// What a member's signature counts for.
    public enum Role: String, Codable, CaseIterable, Sendable {
        case site
        case coordinator
        case privacyOfficer = "privacy-officer"
    }

    /// A key, its owner, and the days on which it is valid.
    public struct Member: Codable, Hashable, Sendable {
        public var name: String
        /// The public key in base64.
        public var key: String
        public var role: Role
        /// The first day on which the key is valid, such as `2026-01-31`.
        public var from: String
        /// The last day on which the key is valid.
        public var until: String
        /// The largest share of a merge that the member can have.
        public var largestShare: Double
        /// Whether the member's weights are accepted without an audit.
        public var unaudited: Bool
        /// The most patients that the site can claim; nil for no limit.
        public var mostPatients: Int?

        enum CodingKeys: String, CodingKey { case name, key, role, from, until, largestShare, unaudited, mostPatients }

        /// Decodes a member; keys that are left out have defaults.
        /// - Throws: a `DecodingError`.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            key = try container.decode(String.self, forKey: .key)
            role = try container.decodeIfPresent(Role.self, forKey: .role) ?? .site
            from = try container.decode(String.self, forKey: .from)
            until = try container.decode(String.self, forKey: .until)
            largestShare = try container.decodeIfPresent(Double.self, forKey: .largestShare) ?? 0.5
            unaudited = try container.decodeIfPresent(Bool.self, forKey: .unaudited) ?? false
            mostPatients = try container.decodeIfPresent(Int.self, forKey: .mostPatients)
        }
    }

    private struct Content: Decodable {
        var version: Int
        var project: String
        var coordinator: String
        var members: [Member]
        /// Names of sites that were withdrawn.
        var withdrawn: [String]?
        /// Who was withdrawn and taken back, when and why; the oldest act first.
        var history: [Act]?
    }

    private static let keys: Set = ["version", "project", "coordinator", "members", "withdrawn", "history"]
    private static let memberKeys: Set = [
        "name", "key", "role", "from", "until", "largestShare", "unaudited", "mostPatients",
    ]

    public let path: String
    public let project: String
    public let coordinator: PublicKey
    public let members: [Member]
    /// The names of sites that were withdrawn.
    public let withdrawn: Set<String>
    /// Which sites were withdrawn or taken back, when and why; the oldest act first. Empty in a list without such acts,
    /// and in a list whose sites were withdrawn by version 0.1.
    public let history: [Act]

    static let domain = "fovea-trust-1"

    /// Reads a list and checks its coordinator's signature.
    /// - Throws: `Failure(.noSuchInput)`; `Failure(.badData)` naming the key that is missing or wrong;
    ///   `Failure(.notPermitted)` where the signature is missing or does not fit.
    public init(contentsOf path: String) throws {
        let yaml = try JSONText.contents(path)
        try self.init(yaml, path: path)
        try DetachedSignature.verify(
            yaml, at: path, domain: TrustList.domain, by: coordinator,
            advice: "the coordinator makes it with fovea parcel trust")
    }

    init(_ yaml: Data, path: String) throws {
        self.path = path
        guard let text = String(validating: yaml, as: UTF8.self), let node = try YAMLText.parse(text, name: path) else {
            throw Failure(.badData, path, "is empty or not UTF-8")
        }
        try TrustList.refuseUnknownKeys(node, known: TrustList.keys, place: path)
        for member in node["members"]?.sequence ?? [] {
            try TrustList.refuseUnknownKeys(member, known: TrustList.memberKeys, place: "\(path) members")
            if let role = member["role"], role.string.flatMap(Role.init) == nil {
                throw Failure(
                    .badData, role.mark.map { "\(path) line \($0.line)" } ?? path, field: "role",
                    expected: Role.allCases.map(\.rawValue).joined(separator: ", "),
                    found: (role.string?.printable ?? "something else").debugDescription)
            }
        }
        for act in node["history"]?.sequence ?? [] {
            try TrustList.refuseUnknownKeys(act, known: Act.keys, place: "\(path) history")
        }
        let content: Content
        do {
            content = try YAMLDecoder().decode(Content.self, from: node)
        } catch {
            throw Failure(.badData, path, JSONText.sentence(error))
        }
        guard content.version == 1 else {
            throw Failure(.badData, path, field: "version", expected: "1", found: "\(content.version)")
        }
        project = content.project
        coordinator = try PublicKey(content.coordinator, field: "coordinator", place: path)
        members = content.members
        withdrawn = Set(content.withdrawn ?? [])
        history = content.history ?? []
        try requireHistory()
        var seen: Set<PublicKey> = [], names: [String: String] = [:]
        for member in members {
            let place = "members \(member.name.printable)"
            if let problem = SiteName.problem(member.name) { throw Failure(.badData, path, "members name: \(problem)") }
            // A name may have several keys, since keys are replaced. Two names that look alike are an attack.
            let look = SiteName.look(member.name), other = names.updateValue(member.name, forKey: look)
            if let other, other != member.name {
                throw Failure(
                    .badData, path, field: "members name", expected: "names that do not look alike",
                    found: "\(other) and \(member.name)")
            }
            guard seen.insert(try PublicKey(member.key, field: "\(place) key", place: path)).inserted else {
                throw Failure(
                    .badData, path, field: "\(place) key", expected: "a key of one name", found: "a repeated key"
                )
            }
            for (field, day) in [("from", member.from), ("until", member.until)] where Day.noon(day) == nil {
                throw Failure(
                    .badData, path, field: "\(place) \(field)", expected: "a day such as 2026-01-31",
                    found: day.printable)
            }
            if let most = member.mostPatients, most < 1 {
                throw Failure(.badData, path, field: "\(place) mostPatients", expected: "at least 1", found: "\(most)")
            }
            guard member.largestShare > 0, member.largestShare <= 1 else {
                throw Failure(
                    .badData, path, field: "\(place) largestShare", expected: "more than 0, at most 1",
                    found: "\(member.largestShare)")
            }
        }
    }

    private static func refuseUnknownKeys(_ node: Node, known: Set<String>, place: String) throws {
        guard let mapping = node.mapping else { throw Failure(.badData, place, "is not a mapping of keys to values") }
        for key in mapping.keys {
            guard let name = key.string, known.contains(name) else {
                throw Failure(
                    .badData, place, field: "key \(key.string?.printable ?? "")",
                    expected: known.sorted().joined(separator: ", "), found: "an unknown key")
            }
        }
    }

    /// Signs the list at `path`.
    /// - Throws: `Failure(.notPermitted)` where the key is not the list's coordinator's; `Failure(.noSuchInput)`;
    ///   `Failure(.badData)` where the list is not valid; `Failure(.readOrWriteFailed)`.
    public static func sign(_ path: String, with key: SigningKey) throws {
        let yaml = try JSONText.contents(path)
        let list = try TrustList(yaml, path: path)
        guard list.coordinator == key.publicKey else {
            throw Failure(
                .notPermitted, path, field: "coordinator", expected: key.publicKey.fingerprint,
                found: list.coordinator.fingerprint)
        }
        try DetachedSignature.write(yaml, at: path, domain: domain, key: key)
    }

    /// Checks that a key may sign bases and merged models.
    /// - Throws: `Failure(.notPermitted)` where it may not.
    public func requireCoordinator(_ key: PublicKey, at moment: Date, file: String) throws {
        if key == coordinator { return }
        let member = try member(signing: key, at: moment, file: file)
        guard member.role == .coordinator else {
            throw Failure(
                .notPermitted, file, field: "signer", expected: "a coordinator",
                found: "\(member.name), a \(member.role.rawValue)")
        }
    }

    /// The name of the member whose key this is, whether the key counts today or not; nil for an unknown key.
    public func name(of key: PublicKey) -> String? { members.first { $0.key == key.text }?.name }

    /// Checks that the coordinator signed a weights file. Bases and merged models must be signed so.
    /// - Throws: `Failure(.notPermitted)` with the reason.
    public func requireCoordinator(_ index: SafetensorsIndex, path file: String, at moment: Date) throws {
        guard let signer = try WeightsSignature.signer(of: index, path: file) else {
            throw Failure(
                .notPermitted, file,
                """
                is unsigned, and \(path) asks for its coordinator's signature; the coordinator makes it with fovea \
                parcel sign
                """
            )
        }
        try requireCoordinator(signer, at: moment, file: file)
    }

    /// The member whose key signed, if the key is valid at `moment`.
    /// - Parameter name: the name that the member must have; nil for any name.
    /// - Throws: `Failure(.notPermitted)` where the signer is unknown, has another name or was withdrawn, or where the
    ///   key is not yet or no longer valid.
    public func member(signing key: PublicKey, as name: String? = nil, at moment: Date, file: String) throws -> Member {
        guard let member = members.first(where: { $0.key == key.text }) else {
            throw Failure(.notPermitted, file, "signer unknown: \(key.fingerprint) is not in \(path)")
        }
        if let name, name != member.name {
            throw Failure(
                .notPermitted, file, field: "site", expected: "\(member.name), whose key signed", found: name.printable)
        }
        let day = Day.text(moment)
        guard day >= member.from, day <= member.until else {
            throw Failure(
                .notPermitted, file,
                "the key of \(member.name) counts from \(member.from) to \(member.until), and it is \(day)")
        }
        guard !withdrawn.contains(member.name) else {
            throw Failure(.notPermitted, file, "\(member.name) was withdrawn\(reason(withdrawn: member.name))")
        }
        return member
    }
}
