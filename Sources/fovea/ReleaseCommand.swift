import ArgumentParser
import CheckpointStore
import Federation
import Files
import Foundation
import Releasing

/// Who may sign audits, for the commands that let something out by one.
struct OfficerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Whose signatures count: a privacy officer of this list must have signed the audit (default: the key that \
            signs here).
            """,
            valueName: "trust.yaml"))
    var trust: String?

    /// The digest of a passing audit of a model.
    /// - Throws: `Failure(.notPermitted)` where it is none.
    func gate(_ folder: String, own: PublicKey?, model: Digest) throws -> Digest {
        let gate = try AuditGate(folder, requireOfficer: check(own))
        try gate.requireModel(model)
        return gate.digest
    }

    /// Throws where a key may not sign audits: without a list nobody but the key at hand speaks as the privacy officer.
    func check(_ own: PublicKey?) -> (PublicKey) throws -> Void {
        { signer in
            guard let trust else {
                guard signer == own else {
                    throw Failure(
                        .notPermitted, nil,
                        """
                        the audit is signed by \(signer.fingerprint), and nothing says that this is a privacy \
                        officer; give --trust with a list that does
                        """
                    )
                }
                return
            }
            let list = try TrustList(contentsOf: trust),
                member = try list.member(signing: signer, at: Date(), file: trust)
            guard member.role == .privacyOfficer else {
                throw Failure(
                    .notPermitted, trust, field: "role of \(member.name.printable)", expected: "privacy-officer",
                    found: member.role.rawValue)
            }
        }
    }
}

struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract:
            """
            Makes a set that may leave: of an audited set that passed, without flagged samples, signed, with its \
            verdict.
            """,
        discussion: """
            Refused where the audit failed, has no power, is unsigned, was edited, is of another set, or is too old. \
            Rows are renumbered; where \
            seeds would lead to a dropped sample they are removed (draw with --independent-seeds to keep them).

            Example: fovea release s.h5 --audit audit --key officer.key --out r.h5
            """)

    @Argument(help: ArgumentHelp("The sample set that was audited.", valueName: "samples"))
    var samples: String

    @Option(help: ArgumentHelp("The folder of its audit.", valueName: "folder"))
    var audit: String

    @Option(help: ArgumentHelp("The private key that signs the release.", valueName: "file"))
    var key: String

    @OptionGroup var officer: OfficerOptions

    @Option(help: ArgumentHelp("The released set to write; its cards go beside it.", valueName: "r.h5"))
    var out: String

    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        let output, card: String
        let samples, dropped: Int
        let replayable: Bool
        let deviations: [String]
    }

    func run() async throws {
        common.apply()
        try StagedFile.requireWritable(out, force: common.force)
        guard case .sampleSet = try FileSort(contentsOf: samples) else {
            throw Failure(.badData, samples, "is no sample set; only what fovea sample wrote is released")
        }
        try FileProbe.check(samples)
        let key = try SigningKey(contentsOf: key)
        let release = Release(samples, audit: audit, key: key, requireOfficer: officer.check(key.publicKey))
        let made = try await release.write(to: out, force: common.force)
        let card = try await ReleaseCards.write(for: out, force: common.force)
        try common.console.finish(
            Result(
                output: out, card: card, samples: made.samples, dropped: made.dropped, replayable: made.isReplayable,
                deviations: made.deviations),
            made.deviations.map { "not the usual limit: \($0)" }
                + [
                    """
                    \(out): \(made.samples) samples, signed by \(key.publicKey.fingerprint); \(made.dropped) flagged \
                    samples were left out
                    """
                ]
                + (made.isReplayable
                    ? []
                    : ["their seeds led to what was left out and are removed: replay cannot make these samples again"])
                + ["card: \(card)"])
    }
}
