import ArgumentParser
import CheckpointStore
import Datasets
import Diffusion
import Files
import Foundation
import HDF5Files
import Models
import SampleStore
import TensorCore

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Says what a file is: data set, checkpoint, snapshot or sample set; its cohorts, sites and licence.",
        discussion: "Example: fovea inspect samples.h5")

    @Argument(help: ArgumentHelp("A file made by fovea.", valueName: "file"))
    var file: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let console = common.console
        switch try FileSort(contentsOf: file) {
        case .sampleSet:
            try FileProbe.check(file)
            let description = try await SampleSetFile.describe(file)
            try console.finish(description, InspectCommand.lines(description))
        case .hdf5:
            try FileProbe.check(file)
            let description = try await DatasetFile.describe(file)
            try console.finish(description, InspectCommand.lines(description))
        case .weights:
            let (weights, digest) = try ModelFile.read(file)
            let description = WeightsDescription(weights, digest: digest)
            try console.finish(description, InspectCommand.lines(description))
        }
    }

    private static func lines(_ d: SampleSetDescription) -> [String] {
        [
            """
            sample set: \(d.samples) synthetic photographs of \(d.width) x \(d.height), \(size(d.bytes)), created \
            \(d.created)
            """,
            "releasable: \(d.releasable ? "yes" : "no, there is no valid verdict of an audit")",
            """
            licence: \(d.terms.licence); attribution: \(d.terms.attribution.replacingOccurrences(of: "\n", with: "; "))
            """,
            "sites: \(d.sites.joined(separator: ", "))",
        ] + lines(d.cohorts) + Tree(d).lines
    }

    /// Bytes for a person.
    private static func size(_ bytes: Int) -> String {
        bytes < 1 << 20 ? "\(bytes / 1024) KiB" : "\((Double(bytes) / Double(1 << 20)).short) MiB"
    }

    private static func lines(_ d: DatasetDescription) -> [String] {
        [
            """
            data set: \(d.photographs) \(d.synthetic ? "synthetic pictures" : "photographs") of \(d.size) x \(d.size), 
            """
                + "\(d.patients) patients, site \(d.site), created \(d.created)",
            "splits: " + d.splits.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "),
            "licence: \(d.licence); source: \(d.source)",
        ] + (d.onePatientPerPhoto ? ["each photograph was declared to be another patient"] : [])
            + (d.masks.isEmpty ? [] : ["masks: \(d.masks.joined(separator: ", "))"]) + lines(d.cohorts)
    }

    private static func lines(_ d: WeightsDescription) -> [String] {
        var lines = [
            "\(d.kind): \(d.parameters) parameters for \(d.width) x \(d.height), \(d.network.space.name), "
                + "\(d.images_seen) training images seen"
        ]
        lines += d.network.experts.map { name, expert in
            "a \(name) network, \(expert.space.name), denoises up to a noise of \(expert.highestNoise) on pixels"
        }
        lines.append("digest: \(d.digest)")
        if let parent = d.parents.first {
            lines.append("\(d.kind == "adapter" ? "changes" : "trained on") the base \(parent)")
        }
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
            lines.append("permitted: \(parcel.permissions.text)")
        }
        if let permissions = d.permissions { lines.append("permitted: \(permissions.text)") }
        lines.append("conditioned on: \(d.attributes.isEmpty ? "nothing" : d.attributes.joined(separator: ", "))")
        return lines
    }

    static func lines(_ cohorts: [String: [String: Int]]) -> [String] {
        cohorts.sorted { $0.key < $1.key }.compactMap { name, counts in
            let known = counts.filter { $0.value > 0 }
            // An attribute of which nothing is known is no news.
            guard known.keys.contains(where: { $0 != "unknown" && $0 != "unspecified" }) else { return nil }
            return "\(name): "
                + known.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        }
    }
}

/// What kind of file stands at a path, by its first bytes.
enum FileSort {
    case sampleSet, hdf5, weights

    init(contentsOf path: String) throws {
        try RegularFile.require(path)
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw Failure(.readOrWriteFailed, path, "could not be read")
        }
        guard let start = try handle.read(upToCount: 520), !start.isEmpty else {
            throw Failure(.badData, path, "is empty")
        }
        // A sample set with a damaged first block is one still.
        if start.starts(with: Data("fovea.samples ".utf8))
            || start.dropFirst(512).starts(with: [0x89, 0x48, 0x44, 0x46])
        {
            self = .sampleSet
        } else if start.starts(with: [0x89, 0x48, 0x44, 0x46]) {
            self = .hdf5
        } else if start.count > 8, start[start.startIndex + 8] == UInt8(ascii: "{") {
            self = .weights
        } else {
            throw Failure(.badData, path, "is neither an HDF5 nor a safetensors file, so fovea did not make it")
        }
    }
}

/// What `fovea inspect` says of a weights file.
private struct WeightsDescription: Encodable {
    let kind, digest: String
    let version, parameters, images_seen, width, height: Int
    let attributes: [String]
    let training_data: [TrainingData]
    let parents: [String]
    let licence: String
    let attributions, permitted_uses: [String]
    let network: ModelDescription
    let configuration, tool_version: String
    let parcel: ParcelStatement?
    let permissions: Permissions?
    let merges: [MergeRecord]?

    init(_ file: ModelFile, digest: Digest) {
        let manifest = file.manifest
        kind = manifest.kind.rawValue.replacingOccurrences(of: "fovea.", with: "")
        self.digest = digest.description
        version = manifest.version
        let isOwn: (String) -> Bool = manifest.kind == .checkpoint ? { $0.hasPrefix("parameters/") } : { _ in true }
        parameters = file.tensors.filter { isOwn($0.key) }.reduce(0) { $0 + $1.value.count }
        images_seen = manifest.imagesSeen
        width = manifest.model.width
        height = manifest.model.height
        attributes = manifest.model.cohort.attributes
        training_data = manifest.trainingData
        parents = manifest.parents
        licence = manifest.licence
        attributions = manifest.attributions
        permitted_uses = manifest.permittedUses
        network = manifest.model
        configuration = manifest.configuration
        tool_version = manifest.toolVersion
        parcel = manifest.parcel
        permissions = manifest.permissions
        merges = manifest.merges
    }
}
