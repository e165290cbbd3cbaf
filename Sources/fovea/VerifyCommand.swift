import ArgumentParser
import CheckpointStore
import Diffusion
import Exporting
import Federation
import Files
import Foundation
import Models
import Releasing
import SampleStore
import TensorCore

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Checks every digest, label and link in a file, and names what fails.",
        discussion: """
            Exit code 1 where anything fails. A sample set carries the SHA-256 of all its bytes, so one that changed \
            is found.

            Example: fovea verify s.h5
            """)

    @Argument(
        help: ArgumentHelp("A sample set, data set or weights file, or a folder that export wrote.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("Whose signatures are trusted; an unsigned file then fails.", valueName: "trust.yaml"))
    var trust: String?

    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        let ok: Bool
        let signed: Bool
        let kind: String
        let failures: [Finding]
    }

    /// Lines for a person, at most.
    private static let most = 20

    func run() async throws {
        let list = try trust.map { try TrustList(contentsOf: $0) }
        var (kind, findings) = try check()
        var signature = kind == .weights ? try signature(list, &findings) : nil
        if kind == .sampleSet, findings.isEmpty { signature = try await release(list, &findings) }
        if let list { findings += try withdrawn(kind, list) }
        if list != nil, signature == nil { findings.append(Finding("signature", "the file is unsigned")) }
        let lines =
            findings.prefix(VerifyCommand.most).map { "\($0.place): \($0.problem)" }
            + (findings.count > VerifyCommand.most ? ["and \(findings.count - VerifyCommand.most) more"] : [])
        try common.console.finish(
            Result(ok: findings.isEmpty, signed: signature != nil, kind: kind.rawValue, failures: findings),
            findings.isEmpty ? ["\(file): \(kind.praise); \(signature ?? "it is unsigned")"] : lines)
        guard findings.isEmpty else {
            throw Failure(
                .checkFailed, file,
                """
                \(findings.count) \(findings.count == 1 ? "check fails" : "checks fail"); the first: \
                \(findings[0].place): \(findings[0].problem)
                """
            )
        }
    }

    /// Who signed a weights file, for a person; nil where nobody did.
    private func signature(_ list: TrustList?, _ findings: inout [Finding]) throws -> String? {
        do {
            guard let signer = try WeightsSignature.signer(of: try SafetensorsIndex(contentsOf: file), path: file)
            else { return nil }
            guard let list else { return "it is signed by \(signer.fingerprint), whom no list was asked about" }
            if signer == list.coordinator { return "it is signed by the coordinator" }
            let member = try list.member(signing: signer, at: Date(), file: file)
            return "it is signed by \(member.name)"
        } catch let failure as Failure where failure.kind == .notPermitted {
            findings.append(Finding("signature", failure.sentence))
            return "it is signed"
        }
    }

    /// Who released a sample set, for a person, and whether its chain holds; nil for a set that was not released.
    private func release(_ list: TrustList?, _ findings: inout [Finding]) async throws -> String? {
        let (wrong, signers) = try await ReleaseChain.check(file)
        findings += wrong
        guard let signers else { return nil }
        guard let list else {
            return
                """
                it was released by \(signers.releaser.fingerprint) on an audit signed by \
                \(signers.officer.fingerprint), about whom no list was asked
                """
        }
        do {
            let officer = try list.member(signing: signers.officer, at: Date(), file: file)
            if officer.role != .privacyOfficer {
                findings.append(Finding("/audit/verdict_signature", "is by \(officer.name), who is no privacy officer"))
            }
            let releaser = try list.member(signing: signers.releaser, at: Date(), file: file)
            return "it was released by \(releaser.name) on an audit signed by \(officer.name)"
        } catch let failure as Failure where failure.kind == .notPermitted {
            findings.append(Finding("signature", failure.sentence))
            return "it is signed"
        }
    }

    /// Sites in the file's lineage that were withdrawn.
    private func withdrawn(_ kind: Kind, _ list: TrustList) throws -> [Finding] {
        let sites: Set<String>
        switch kind {
        case .weights:
            sites = try Manifest<ModelDescription>.read(try SafetensorsIndex(contentsOf: file), path: file).sites
        case .sampleSet:
            do { sites = try FileProbe.lineageSites(file) } catch let failure as Failure {
                return [Finding("lineage", failure.sentence)]
            }
        case .dataset, .export: return []
        }
        return sites.intersection(list.withdrawn).sorted().map { Finding("lineage", "\($0) was withdrawn") }
    }

    private enum Kind: String {
        case sampleSet = "sample set"
        case dataset = "data set"
        case weights = "weights file"
        case export

        /// What is right where nothing is wrong.
        var praise: String {
            switch self {
            case .sampleSet: "every digest, label and link of the sample set is right"
            case .dataset: "every label and link of the data set is right, and so are its pixels"
            case .export: "every file is what export.json says, and every picture has its label and its pixels"
            case .weights:
                """
                the weights are complete and finite; whether they were changed only a signature or a digest from \
                elsewhere can say
                """
            }
        }
    }

    private func check() throws -> (kind: Kind, findings: [Finding]) {
        if ExportVerification.isExport(file) { return (.export, try ExportVerification.findings(file)) }
        switch try FileSort(contentsOf: file) {
        case .sampleSet:
            let bytes = try SampleSetVerification.findingsInBytes(file)
            let content = try FileProbe.findings(file)
            let isElsewhere = !bytes.isEmpty && content.isEmpty
            return (
                .sampleSet,
                bytes + content
                    + (isElsewhere
                        ? [
                            Finding(
                                "content",
                                "nothing that is read has changed: the byte is in the structure or in unused space")
                        ] : [])
            )
        case .hdf5:
            return (.dataset, try FileProbe.findings(file))
        case .weights:
            let (weights, _) = try ModelFile.read(file)
            let problems = weights.tensors.sorted { $0.key < $1.key }.filter { !$0.value.isFinite }
            return (.weights, problems.map { Finding($0.key, "holds infinity or NaN") })
        }
    }
}
