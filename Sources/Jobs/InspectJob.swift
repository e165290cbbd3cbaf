import CheckpointStore
import Cohorts
import Datasets
import Diffusion
import Figures
import Files
import Foundation
import Models
import PictureFiles
import Reporting
import SampleStore
import Sampling
import Verdicts

/// Says what a file is (data set, checkpoint, snapshot or sample set), and names its cohorts, sites and licence.
public struct InspectJob: Job {
    /// A file made by fovea.
    public var file: String
    /// Attributes of a data set whose values are counted together, by patient of the train split: one to three.
    public var by: [String] = []

    public init(_ file: String) { self.file = file }

    /// The description of the file. It is encoded as the object that belongs to the file's kind.
    public struct Outcome: JobOutcome {
        fileprivate let description: any Encodable & Sendable
        public let lines: [String]
        public var warnings: [String] = []

        public func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        if let folder = AuditFolder(finding: file) {
            let audit = try folder.audit()
            return Outcome(
                description: audit,
                lines: ["audit, made by fovea \(audit.tool)"] + OfficerText.lines(audit, folder: nil)
                    + ["signed by: \(AuditPage(audit).signer) (as it says; a check of the audit checks the signature)"])
        }
        if KeyFile.sort(of: file) != nil {
            let key = ShowKeyJob.Outcome(try KeyFile(contentsOf: file))
            return Outcome(description: key, lines: key.lines, warnings: key.warnings)
        }
        switch try FileSort(contentsOf: file) {
        case .sampleSet:
            try refuseTable("a sample set")
            let set = try await SampleSetFile.open(file), description = try set.description()
            try await ReleaseGuard.require(file, set)
            return Outcome(description: description, lines: InspectJob.lines(description))
        case .hdf5:
            let description = DatasetReport(try await DatasetFile.open(file), by: by)
            return Outcome(description: description, lines: InspectJob.lines(description))
        case .weights:
            try refuseTable("a weights file")
            let (weights, digest) = try ModelFile.read(file)
            let description = WeightsDescription(weights, digest: digest)
            return Outcome(description: description, lines: InspectJob.lines(description))
        }
    }

    public func validate() throws { try CohortNames.require(by) }

    private func refuseTable(_ kind: String) throws {
        guard !by.isEmpty else { return }
        throw Failure(
            .usage, file, option: "by", "is \(kind), which knows no patients; patients are counted in a data set")
    }

    private static func lines(_ d: SampleSetDescription) -> [String] {
        [
            """
            sample set: \(d.samples) synthetic photographs of \(d.width) x \(d.height), \(size(d.bytes)), created \
            \(d.created)
            """,
            d.releasable
                ? WeakerLimits.naming(d.weakerLimits ?? [], "releasable: yes")
                : "releasable: no, there is no valid verdict of an audit",
        ] + d.warnings.map { "warning: \($0)" } + [
            """
            licence: \(d.terms.licence); attribution: \(d.terms.attribution.replacingOccurrences(of: "\n", with: "; "))
            """,
            "permitted: \(d.terms.permittedUses)",
            "sites: \(d.sites.joined(separator: ", "))",
        ] + lines(d.cohorts)
            + (d.joined ?? [:]).sorted { $0.key < $1.key }.map { "asked for as \($0.key): \($0.value)" }
            + (d.counterfactuals.map { ["counterfactuals, which show another row in another cohort: \($0)"] } ?? [])
            + LineageTree(d).lines
    }

    /// A number of bytes in KiB or MiB.
    private static func size(_ bytes: Int) -> String {
        bytes < 1 << 20 ? "\(bytes / 1024) KiB" : "\((Double(bytes) / Double(1 << 20)).short) MiB"
    }

    private static func lines(_ report: DatasetReport) -> [String] {
        let d = report.dataset, patients = report.patients
        let splits = Split.allCases.map { split in
            let count = patients.patients(split)
            return "\(split) \(d.splits["\(split)"] ?? 0) of \(count) \(count == 1 ? "patient" : "patients")"
        }
        return [
            "data set: \(d.photographs) \(d.synthetic && d.sampled == nil ? "synthetic pictures" : "photographs") "
                + "of \(d.size) x \(d.size), \(d.patients) patients, site \(d.site), created \(d.created)",
            "splits: \(splits.joined(separator: ", "))",
            "licence: \(d.licence); source: \(d.source)",
        ] + (d.notes.map { ["notes: \($0)"] } ?? [])
            + (d.sampled.map { ["synthetic: a model made \($0.of("picture")), as the labels in the files said"] } ?? [])
            + InspectJob.qualityLine(d.qualitySource)
            + (d.onePatientPerPhoto ? ["each photograph was declared to be another patient"] : [])
            + (d.masks.isEmpty ? [] : ["masks: \(d.masks.joined(separator: ", "))"]) + lines(d.cohorts)
            + report.patientLines + report.tableLines + [report.auditOutlook].compactMap(\.self)
    }

    private static func qualityLine(_ source: QualitySource?) -> [String] {
        switch source {
        case nil: []
        case .stated: ["quality: as the site's table states it"]
        case .measured: ["quality: measured by fovea"]
        case .mixed: ["quality: of some photographs as the site's table states it, of others measured by fovea"]
        }
    }

    private static func lines(_ d: WeightsDescription) -> [String] {
        var lines = [
            "\(d.kind): \(d.parameters) parameters for \(d.width) x \(d.height), \(d.network.space.name), "
                + "\(d.images_seen) training images seen"
        ]
        lines += d.network.experts.map { name, expert in
            "a \(name) network, \(expert.space.name), denoises up to a noise of \(expert.highestNoise) on pixels"
        }
        if let guiding = d.network.guiding {
            lines.append(
                "a guiding network, \(guiding.space.name), from whose answers samples are guided away up to a noise of "
                    + "\(guiding.highestNoise) on pixels")
        }
        lines.append("digest: \(d.digest)")
        if let parent = d.parents.first {
            lines.append("\(d.kind == "adapter" ? "changes" : "trained on") the base \(parent)")
        }
        if let sentence = d.auditSentence { lines.append(sentence) }
        lines.append("licence: \(d.licence)")
        lines += d.attributions.map { "attribution: \($0)" }
        lines += d.training_data.map {
            "trained on: site \($0.site), about \($0.patients) patients, training set \($0.digest.prefix(12))"
        }
        for merge in d.merges ?? [] {
            lines += merge.parts.map { part in
                let weight = String(format: "%.3g", part.weight)
                let rule = merge.settings.rule.rawValue, parcel = part.parcel.description.prefix(12)
                return "merged in round \(merge.round) by \(rule) with \(weight): \(part.site), parcel \(parcel)"
            }
            lines += merge.excluded.map { "left out of round \(merge.round): \($0.name), \($0.reason)" }
        }
        if let parcel = d.parcel {
            lines.append("parcel of \(parcel.site) for round \(parcel.round), contact \(parcel.contact)")
            lines.append("permitted: \(parcel.permissions.labelledText)")
        }
        if let permissions = d.permissions { lines.append("permitted: \(permissions.labelledText)") }
        lines.append("conditioned on: \(d.attributes.isEmpty ? "nothing" : d.attributes.joined(separator: ", "))")
        return lines + seen(d)
    }

    /// What the model may be asked for, by attribute.
    private static func seen(_ d: WeightsDescription) -> [String] {
        let seen = SeenCohorts(d.training_data)
        let counts = Dictionary(uniqueKeysWithValues: d.attributes.map { ($0, seen.counts(of: $0)) })
        let known = lines(counts)
        return known.isEmpty ? [] : ["patients of each value that may be asked for, rounded to 5:"] + known
    }

    static func lines(_ cohorts: [String: [String: Int]]) -> [String] {
        cohorts.sorted { $0.key < $1.key }.compactMap { name, counts in
            let known = counts.filter { $0.value > 0 }
            // An attribute that is known for no picture is left out.
            guard known.keys.contains(where: { $0 != "unknown" && $0 != "unspecified" }) else { return nil }
            return "\(name): "
                + known.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        }
    }
}
