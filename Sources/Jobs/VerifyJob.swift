import CheckpointStore
import Consortium
import Datasets
import Diffusion
import Exporting
import Federation
import Files
import Foundation
import Models
import PictureFiles
import Releasing
import SampleStore
import TensorCore
import Verdicts

/// Checks every digest, label, link and signature of a file, and names what fails.
public struct VerifyJob: Job {
    /// A sample set, data set or weights file, a folder that export wrote, or an audit.
    public var file: String
    /// The samples that an audit should be of; nil does not ask.
    public var samples: String?
    /// The list of those whose signatures count. With a list, an unsigned file fails, and so does a file whose lineage
    /// holds a withdrawn site.
    public var trust: String?

    public init(_ file: String) { self.file = file }

    public struct Outcome: JobOutcome {
        public let ok, signed: Bool
        /// `sample set`, `data set`, `weights file`, `export` or `audit`.
        public let kind: String
        /// What is wrong, and where.
        public let failures: [Finding]
        fileprivate let file, praise: String

        private enum CodingKeys: String, CodingKey { case ok, signed, kind, failures }

        /// The most failures that `lines` names.
        private static let most = 20

        public var lines: [String] {
            guard !ok else { return ["\(file): \(praise)"] }
            return failures.prefix(Outcome.most).map { "\($0.place): \($0.problem)" }
                + (failures.count > Outcome.most ? ["and \(failures.count - Outcome.most) more"] : [])
        }

        public var refusal: Failure? {
            guard let first = failures.first else { return nil }
            return Failure(
                .checkFailed, file,
                """
                \(failures.count) \(failures.count == 1 ? "check fails" : "checks fail"); the first: \(first.place): \
                \(first.problem)
                """)
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let list = try trust.map { try TrustList(contentsOf: $0) }
        if let folder = AuditFolder(finding: file) {
            var check = try await checkAudit(folder, list)
            if list != nil, check.signer == nil, check.findings.isEmpty {
                check.findings.append(Finding("signature", "the audit is unsigned"))
            }
            return Outcome(
                ok: check.findings.isEmpty, signed: check.signer != nil, kind: "audit", failures: check.findings,
                file: file,
                praise: check.praise + "; " + (check.signer ?? "nobody has signed it, so anybody can have changed it"))
        }
        if samples != nil {
            throw Failure(.usage, file, option: "samples", "an audit was expected; only an audit is of samples")
        }
        var (kind, findings) = try await check()
        var signature = kind == .weights ? try signature(list, &findings) : nil
        if kind == .sampleSet, findings.isEmpty { signature = try await release(list, &findings) }
        if let list { findings += try await withdrawn(kind, list) }
        if list != nil, signature == nil { findings.append(Finding("signature", "the file is unsigned")) }
        return Outcome(
            ok: findings.isEmpty, signed: signature != nil, kind: kind.rawValue, failures: findings, file: file,
            praise: "\(kind.praise); \(signature ?? "it is unsigned")")
    }

    /// A clause that says who signed a weights file; nil where nobody did.
    private func signature(_ list: TrustList?, _ findings: inout [Finding]) throws -> String? {
        do {
            guard let signer = try WeightsSignature.signer(of: try SafetensorsIndex(contentsOf: file), path: file)
            else { return nil }
            guard let list else { return "it is signed by \(signer.fingerprint), who was not looked up in any list" }
            if signer == list.coordinator { return "it is signed by the coordinator" }
            let member = try list.member(signing: signer, at: Date(), file: file)
            return "it is signed by \(member.name)"
        } catch let failure as Failure where failure.kind == .notPermitted {
            findings.append(Finding("signature", failure.sentence))
            return "it is signed"
        }
    }

    /// A clause that says who released a sample set; nil for a set that was not released. What is wrong with its chain
    /// is added to `findings`.
    private func release(_ list: TrustList?, _ findings: inout [Finding]) async throws -> String? {
        let (wrong, signers) = try await ReleaseChain.check(file)
        findings += wrong
        guard let signers else { return nil }
        guard let list else {
            return
                """
                it was released by \(signers.releaser.fingerprint) on an audit signed by \
                \(signers.officer.fingerprint); neither was looked up in a list
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

    /// A finding for each withdrawn site in the file's lineage.
    private func withdrawn(_ kind: Kind, _ list: TrustList) async throws -> [Finding] {
        let sites: Set<String>
        switch kind {
        case .weights:
            sites = try Manifest<ModelDescription>.read(try SafetensorsIndex(contentsOf: file), path: file).sites
        case .sampleSet:
            do { sites = try await ProbeAnswer.lineageSites(file) } catch let failure as Failure {
                return [Finding("lineage", failure.sentence)]
            }
        case .dataset, .export: return []
        }
        return sites.intersection(list.withdrawn).sorted().map {
            Finding("lineage", "\($0) was withdrawn\(list.reason(withdrawn: $0))")
        }
    }

    private enum Kind: String {
        case sampleSet = "sample set"
        case dataset = "data set"
        case weights = "weights file"
        case export

        /// What the check has shown where nothing is wrong.
        var praise: String {
            switch self {
            case .sampleSet: "every digest, label and link of the sample set is right"
            case .dataset: "every label and link of the data set is right, and so are its pixels"
            case .export: "every file is what export.json says, and every picture has its label and its pixels"
            case .weights:
                """
                the weights are complete and finite; only a signature or a digest from elsewhere can say whether \
                they were changed
                """
            }
        }
    }

    private func check() async throws -> (kind: Kind, findings: [Finding]) {
        if ExportVerification.isExport(file) {
            // A file that is not of the export is named for what it is, so that nobody hands patients on with it.
            let named = try ExportVerification.findings(file).map { finding in
                let what = finding.place == "export.json" ? nil : PrivateFile.problem("\(file)/\(finding.place)")
                return Finding(finding.place, what.map { "\(finding.problem); it \($0)" } ?? finding.problem)
            }
            return (.export, named)
        }
        switch try FileSort(contentsOf: file) {
        case .sampleSet:
            let bytes = try SampleSetVerification.findingsInBytes(file)
            let content = try await ProbeAnswer.findings(file)
            guard !bytes.isEmpty, content.isEmpty else { return (.sampleSet, bytes + content) }
            let elsewhere = Finding(
                "content", "nothing that is read has changed: the byte is in the structure or in unused space")
            return (.sampleSet, bytes + [elsewhere])
        case .hdf5:
            return (.dataset, try await ProbeAnswer.findings(file))
        case .weights:
            let (weights, _) = try ModelFile.read(file)
            let problems = weights.tensors.sorted { $0.key < $1.key }.filter { !$0.value.isFinite }
            return (.weights, problems.map { Finding($0.key, "holds infinity or NaN") })
        }
    }
}
