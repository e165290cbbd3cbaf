import CheckpointStore
import Cohorts
import Diffusion
import Federation
import Files
import Foundation
import Networks
import Randomness
import TensorCore

/// Makes the files with which `fovea merge` is timed: a signed base, a list of trust, and parcels of many sites with
/// random updates.
public struct ParcelMaker {
    private let folder: String
    private let preset: Preset
    private let adapter: AdapterKind?

    /// - Parameter adapter: the kind of the sites' adapters; nil for full weights.
    public init(folder: String, preset: Preset, adapter: AdapterKind?) {
        self.folder = folder
        self.preset = preset
        self.adapter = adapter
    }

    /// Writes `base.safetensors`, `TRUST.yaml`, `coordinator.key` and `site-N.parcel`.
    /// - Throws: `Failure(.cannotCreateOutput)`, or an error of writing.
    public func write(count: Int) throws {
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw Failure(
                .cannotCreateOutput, folder, "the folder could not be made: \(SystemReason.text(error))")
        }
        var description = ModelDescription(
            network: preset.configuration, height: 64, width: 64, cohort: CohortEncoding(attributes: ["dr_icdr"]))
        let base = ParameterMap(DiffusionModel(description).specifications, seed: 1), coordinator = SigningKey()
        func manifest(_ kind: WeightsKind, _ site: String, parents: [String]) -> Manifest<ModelDescription> {
            Manifest(
                kind: kind, model: description, cohortSchemaVersion: 1, imagesSeen: 1000,
                trainingData: [
                    TrainingData(
                        digest: site, site: site, licence: "none", source: "benchmark",
                        cohortCounts: ["dr_icdr": ["0": 100]], patients: 100, synthetic: true)
                ],
                parents: parents, licence: "none", attributions: [], configuration: "", toolVersion: ToolVersion.current
            )
        }
        try coordinator.write("\(folder)/coordinator.key")
        let digest = try WeightsFile.write(
            "\(folder)/base.safetensors", manifest(.snapshot, "benchmark", parents: []), base.fileSources(), as: .f32,
            force: false, key: coordinator)
        description.adapter = adapter.map { AdapterConfiguration(kind: $0) }
        let own =
            description.adapter.map { AdapterLayout($0, base: base.specifications).specifications }
            ?? base.specifications
        var members = ""
        for number in 1...count {
            let site = "site-\(number)", key = SigningKey()
            members += "  - {name: \(site), key: \(key.publicKey.text), from: 2000-01-01, until: 2999-12-31}\n"
            var sources: [String: TensorSource] = [:]
            for (place, specification) in own.enumerated() {
                let origin = adapter == nil ? base.tensors[place] : .zeros(specification.shape)
                let changed = ParameterMap(
                    [specification],
                    tensors: [origin + ParcelMaker.noise(specification.shape, site: number, place: place)])
                sources.merge(changed.fileSources()) { $1 }
            }
            let statement = ParcelStatement(
                site: site, round: 1, base: digest.description, issued: Date(), selfTest: [],
                permissions: Permissions(purposes: ["DUO:0000042"]), contact: "benchmark")
            var said = manifest(adapter == nil ? .snapshot : .adapter, site, parents: [digest.description])
            said.parcel = statement
            try WeightsFile.write("\(folder)/\(site).parcel", said, sources, as: .f16, force: false, key: key)
        }
        let list = "version: 1\nproject: benchmark\ncoordinator: \(coordinator.publicKey.text)\nmembers:\n\(members)"
        try Data(list.utf8).write(to: URL(fileURLWithPath: "\(folder)/TRUST.yaml"))
        try TrustList.sign("\(folder)/TRUST.yaml", with: coordinator)
    }

    private static func noise(_ shape: [Int], site: Int, place: Int) -> Tensor {
        var random = Philox(seed: UInt64(site), stream: .tests, index: UInt64(place))
        return Tensor(shape: shape) { buffer in
            for i in buffer.indices { buffer[i] = Float(0.02 * random.nextUniform() - 0.01) }
        }
    }
}
