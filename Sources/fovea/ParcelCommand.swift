import ArgumentParser
import CheckpointStore
import Consortium
import Diffusion
import Federation
import Files
import Foundation
import Models

/// Signed weights that leave a site.
struct ParcelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parcel",
        abstract: "Weights that a site shares: its keys, one signed file to hand over, and whose signatures count.",
        discussion:
            """
            Example: fovea parcel seal run/best.adapter.safetensors --key aachen.key --site aachen --round 1 \
            --purpose DUO:0000042 --out aachen-1.parcel
            """,
        subcommands: [KeygenCommand.self, SealCommand.self, OpenCommand.self, TrustCommand.self, SignCommand.self])
}

private struct KeygenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen", abstract: "Makes a site's key pair; the private key is readable by its owner alone.",
        discussion: "Example: fovea parcel keygen --out aachen.key")

    @Option(help: ArgumentHelp("The private key to write; the public one goes to FILE.pub.", valueName: "file"))
    var out: String

    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        let private_key, public_key, fingerprint: String
    }

    func run() async throws {
        let key = SigningKey()
        try key.write(out)
        try common.console.finish(
            Result(private_key: out, public_key: out + ".pub", fingerprint: key.publicKey.fingerprint),
            [
                "\(out): keep it, and give it to nobody",
                "\(out).pub: for the coordinator, fingerprint \(key.publicKey.fingerprint)",
            ])
    }
}

private struct SealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal",
        abstract: "Puts weights, what they came from and what may be done with them into one signed file.",
        discussion:
            """
            Example: fovea parcel seal run/best.adapter.safetensors --key aachen.key --site aachen --round 1 \
            --purpose DUO:0000042 --out aachen-1.parcel
            """
    )

    @Argument(help: ArgumentHelp("An adapter or a snapshot of a training.", valueName: "weights"))
    var weights: String

    @Option(help: ArgumentHelp("The site's private key.", valueName: "file"))
    var key: String

    @Option(help: ArgumentHelp("The site's name, as in the training.", valueName: "name"))
    var site: String

    @Option(help: ArgumentHelp("The round that it is for.", valueName: "n"))
    var round: Int

    @Option(
        help: ArgumentHelp(
            "A purpose that is permitted, a code of the Data Use Ontology; may be given several times.",
            valueName: "DUO:0000042"))
    var purpose: [String] = []

    @Option(help: ArgumentHelp("The last day of the permissions (default: no end).", valueName: "2027-12-31"))
    var expires: String?

    @Option(help: ArgumentHelp("A country; may be given several times (default: worldwide).", valueName: "DE"))
    var territory: [String] = []

    @Flag(help: "Weights and samples may be handed on.")
    var redistribution = false

    @Flag(help: "One may sample from this site alone.")
    var singleSite = false

    @Option(
        help: ArgumentHelp(
            "The folder of a passing audit of these weights, which fovea audit --model makes.", valueName: "folder"))
    var audit: String?

    @OptionGroup var officer: OfficerOptions

    @Option(help: ArgumentHelp("Why it goes without an audit for memorised patients.", valueName: "reason"))
    var unaudited: String?

    @Option(help: ArgumentHelp("Whom to ask.", valueName: "text"))
    var contact: String = "unspecified"

    @Option(help: ArgumentHelp("The parcel to write.", valueName: "file"))
    var out: String

    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        let output, digest, site, base, fingerprint: String
        let round, bytes: Int
    }

    func run() async throws {
        common.apply()
        try StagedFile.requireWritable(out, force: common.force)
        let signing = try SigningKey(contentsOf: key)
        let (file, own) = try ModelFile.read(weights)
        guard let base = file.manifest.parents.first else {
            throw Failure(
                .badData, weights, field: "base", expected: "weights that were trained on a base", found: "none")
        }
        let statement = ParcelStatement(
            site: site, round: round, base: base, issued: Date(), selfTest: try selfTest(file.manifest.imagesSeen),
            permissions: Permissions(
                purposes: Set(purpose), expires: expires,
                territories: territory.isEmpty ? [Permissions.worldwide] : Set(territory),
                redistribution: redistribution, singleSite: singleSite),
            contact: contact)
        let audited = file.manifest.kind == .adapter ? LoadedModel.mixtureDigest(base: base, adapter: own) : own
        let passed = try audit.map { try officer.gate($0, own: signing.publicKey, model: audited) }
        let digest = try ParcelSeal.seal(
            file, path: weights, statement: statement, audit: passed, unaudited: unaudited, key: signing, to: out,
            as: try SafetensorsIndex(contentsOf: weights).entries.first?.type ?? .f16,
            force: common.force)
        let bytes = (try? FileManager.default.attributesOfItem(atPath: out)[.size] as? Int) ?? 0
        try common.console.finish(
            Result(
                output: out, digest: digest.description, site: site, base: base,
                fingerprint: signing.publicKey.fingerprint, round: round, bytes: bytes),
            ["\(out): \(bytes / 1024) KiB of \(site) for round \(round), signed by \(signing.publicKey.fingerprint)"])
    }

    /// The errors by noise level that the training's log states for these weights.
    private func selfTest(_ imagesSeen: Int) throws -> [ParcelStatement.SelfTest] {
        struct Line: Decodable {
            struct Each: Decodable { var sigma, error: Double }
            var images_seen: Int
            var denoising_errors: [Each]?
        }
        let log = URL(fileURLWithPath: weights).deletingLastPathComponent().appendingPathComponent("log.jsonl").path
        guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return [] }
        let lines = text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        let errors = lines.last { $0.images_seen <= imagesSeen && $0.denoising_errors != nil }?.denoising_errors ?? []
        return errors.map { ParcelStatement.SelfTest(sigma: $0.sigma, error: $0.error) }
    }
}

private struct OpenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Checks a parcel's signature, says what is in it, and unpacks its weights.",
        discussion: "Example: fovea parcel open aachen-1.parcel --trust TRUST.yaml --out aachen.adapter.safetensors")

    @Argument(help: ArgumentHelp("A parcel.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("Whose signatures count.", valueName: "trust.yaml"))
    var trust: String?

    @Option(
        help: ArgumentHelp(
            "Where the weights go, without the signature (default: they stay where they are).", valueName: "weights"))
    var out: String?

    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        let statement: ParcelStatement
        let fingerprint: String
        let trusted: Bool
        let output: String?
    }

    func run() async throws {
        common.apply()
        let parcel = try Parcel<ModelDescription>(contentsOf: file), said = parcel.statement
        if let trust { try parcel.requireTrust(try TrustList(contentsOf: trust), at: Date()) }
        if let out {
            var (weights, _) = try ModelFile.read(file)
            // What its site permits stays with the weights.
            weights.manifest.permissions = try weights.manifest.effectivePermissions(path: file)
            weights.manifest.parcel = nil
            try weights.write(out, as: parcel.storedType, force: common.force)
        }
        try common.console.finish(
            Result(statement: said, fingerprint: parcel.signer.fingerprint, trusted: trust != nil, output: out),
            [
                """
                \(file): \(parcel.manifest.kind == .adapter ? "an adapter" : "weights") of \(said.site) for round \
                \(said.round), on the base \(said.base.prefix(12))
                """,
                """
                signed by \(parcel.signer.fingerprint), \
                \(trust.map { "whom \($0) trusts" } ?? "whom nobody has checked: compare it, or give --trust")
                """,
                "permitted: \(said.permissions.text)",
                """
                contact: \(said.contact); audit: \
                \(parcel.manifest.unaudited.map { "none, \($0)" } ?? "no photographs of patients")
                """,
            ] + (out.map { ["weights: \($0)"] } ?? []))
    }
}

private struct SignCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Signs a base or a merged model as the coordinator; sites train on no other.",
        discussion:
            """
            Its digest becomes another: sign before the first site trains on it. Example: fovea parcel sign \
            run/best.safetensors --key coordinator.key --out base.safetensors
            """
    )

    @Argument(help: ArgumentHelp("A snapshot.", valueName: "weights"))
    var weights: String

    @Option(help: ArgumentHelp("The coordinator's private key.", valueName: "file"))
    var key: String

    @Option(help: ArgumentHelp("The signed snapshot to write.", valueName: "file"))
    var out: String

    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        let output, digest, fingerprint: String
    }

    func run() async throws {
        common.apply()
        try StagedFile.requireWritable(out, force: common.force)
        let key = try SigningKey(contentsOf: key),
            digest = try SignedBase.sign(weights, with: key, to: out, force: common.force)
        try common.console.finish(
            Result(output: out, digest: digest.description, fingerprint: key.publicKey.fingerprint),
            ["\(out): signed by \(key.publicKey.fingerprint), digest \(digest)"])
    }
}

private struct TrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "Signs a list of whom to trust, as its coordinator; checks it without --key.",
        discussion: "Example: fovea parcel trust TRUST.yaml --key coordinator.key")

    @Argument(help: ArgumentHelp("The list.", valueName: "trust.yaml"))
    var file: String

    @Option(help: ArgumentHelp("The coordinator's private key.", valueName: "file"))
    var key: String?

    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        let project, coordinator: String
        let members: [String]
        let withdrawn: [String]
    }

    func run() async throws {
        if let key { try TrustList.sign(file, with: try SigningKey(contentsOf: key)) }
        let list = try TrustList(contentsOf: file)
        try common.console.finish(
            Result(
                project: list.project, coordinator: list.coordinator.fingerprint, members: list.members.map(\.name),
                withdrawn: list.withdrawn.sorted()),
            ["\(file): \(list.project), signed by the coordinator \(list.coordinator.fingerprint)"]
                + (try list.members.map {
                    let key = try PublicKey($0.key, field: "key", place: file)
                    return
                        """
                        \($0.role.rawValue) \($0.name): \(key.fingerprint), \($0.from) to \
                        \($0.until)\(list.withdrawn.contains($0.name) ? ", withdrawn" : "")
                        """
                }))
    }
}
