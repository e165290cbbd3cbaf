import CheckpointStore
import Cohorts
import Consortium
import Diffusion
import Federation
import Files
import Foundation
import Models
import Networks
import Support
import TensorCore
import TestTensors

/// A small federation in a folder: a signed base, keys, a list of trust, and parcels as a test wants them.
final class TestFederation {
    enum Weights { case ffa, lora, full }

    let folder: TemporaryFolder
    let coordinator = SigningKey()
    let keys: [String: SigningKey]
    let basePath: String
    let base: LoadedModel
    static let day = Date(timeIntervalSince1970: 1_795_000_000)

    static let description: ModelDescription = {
        var network = UNetConfiguration(blockOutChannels: [8, 16], attentionLevels: [false, true])
        network.layersPerBlock = 1
        network.normGroups = 4
        return ModelDescription(
            network: network, height: 16, width: 16, cohort: CohortEncoding(attributes: ["dr_icdr"]))
    }()

    init(
        _ sites: [String] = ["aachen", "bonn", "celle", "dresden", "essen"], member more: [String: String] = [:],
        permissions: Permissions? = nil
    ) throws {
        folder = try TemporaryFolder()
        keys = Dictionary(uniqueKeysWithValues: sites.map { ($0, SigningKey()) })
        let parameters = ParameterMap(DiffusionModel(TestFederation.description).specifications, seed: 1)
        var manifest = Manifest(
            kind: .snapshot, model: TestFederation.description, cohortSchemaVersion: 1, imagesSeen: 64,
            trainingData: [TestFederation.data("phantom", patients: 100, synthetic: true)], licence: "CC0-1.0",
            attributions: ["phantoms"], configuration: "",
            toolVersion: "test")
        manifest.permissions = permissions
        basePath = folder.file("base.safetensors")
        try ModelFile.write(basePath, manifest, parameters.fileSources(), as: .f32, force: false, key: coordinator)
        base = try LoadedModel(contentsOf: basePath)
        try trust(member: more)
    }

    static func data(_ site: String, patients: Int, synthetic: Bool = false) -> TrainingData {
        TrainingData(
            digest: Digest(of: Array(site.utf8)).description, site: site, licence: synthetic ? "CC0-1.0" : "CC BY 4.0",
            source: "eyes of \(site)",
            cohortCounts: ["dr_icdr": ["0": patients, "unknown": 0]], patients: patients, synthetic: synthetic)
    }

    var trustPath: String { folder.file("TRUST.yaml") }

    /// Writes and signs the list; `more` says other things of a site than the defaults.
    func trust(member more: [String: String] = [:], withdrawn: [String] = [], key: SigningKey? = nil) throws {
        let members = keys.sorted { $0.key < $1.key }.map { name, key in
            """
              - {name: \(name), key: \(key.publicKey.text), \
            \(more[name] ?? "from: 2026-01-01, until: 2027-12-31, unaudited: true, largestShare: 1")}
            """
        }
        let text =
            """
            version: 1\nproject: test\ncoordinator: \
            \(coordinator.publicKey.text)\nmembers:\n\(members.joined(separator: "\n"))\nwithdrawn: \
            [\(withdrawn.joined(separator: ", "))]\n
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: trustPath))
        try TrustList.sign(trustPath, with: key ?? coordinator)
    }

    func list() throws -> TrustList { try TrustList(contentsOf: trustPath) }

    func adaptation(_ kind: AdapterKind, base: LoadedModel? = nil) -> Adaptation {
        let base = base ?? self.base
        return Adaptation(AdapterConfiguration(kind: kind), base: base.model.specifications, baseDigest: base.digest)
    }

    /// The tensors of a site's weights: small random changes, of which all sites share a part.
    func tensors(_ weights: Weights, seed: UInt64, scale: Float = 0.01, base: LoadedModel? = nil) -> [String: Tensor] {
        let base = base ?? self.base
        func change(_ number: Int, _ shape: [Int]) -> Tensor {
            randomTensor(shape, seed: 1000 + UInt64(number), scale: scale)
                + randomTensor(shape, seed: seed &* 7919 &+ UInt64(number), scale: scale)
        }
        switch weights {
        case .full:
            let specifications = base.parameters.specifications
            let changed = ParameterMap(
                specifications, tensors: base.parameters.tensors.enumerated().map { $1 + change($0, $1.shape) })
            return changed.fileTensors()
        case .ffa, .lora:
            let specifications = adaptation(weights == .ffa ? .ffa : .lora, base: base).layout.specifications
            return Dictionary(uniqueKeysWithValues: specifications.enumerated().map { ($1.path, change($0, $1.shape)) })
        }
    }

    func manifest(_ site: String, _ weights: Weights, patients: Int, base: LoadedModel? = nil) -> Manifest<
        ModelDescription
    > {
        let base = base ?? self.base
        var model = TestFederation.description
        switch weights {
        case .full: break
        case .ffa: model.adapter = AdapterConfiguration(kind: .ffa)
        case .lora: model.adapter = AdapterConfiguration(kind: .lora)
        }
        return Manifest(
            kind: weights == .full ? .snapshot : .adapter, model: model, cohortSchemaVersion: 1, imagesSeen: 640,
            trainingData: [TestFederation.data(site, patients: patients)],
            parents: [base.digest.description] + base.manifest.parents, licence: "CC BY 4.0",
            attributions: ["eyes of \(site)"], configuration: "", toolVersion: "test")
    }

    func statement(
        _ site: String, round: Int = 1, issued: TimeInterval = 0, permissions: Permissions? = nil,
        base: LoadedModel? = nil
    ) -> ParcelStatement {
        ParcelStatement(
            site: site, round: round, base: (base ?? self.base).digest.description,
            issued: TestFederation.day.addingTimeInterval(issued), selfTest: [],
            permissions: permissions ?? Permissions(purposes: ["DUO:0000042"]), contact: "data@\(site).example")
    }

    /// Seals a parcel; everything of it can be another than usual.
    @discardableResult
    func parcel(
        _ site: String, _ weights: Weights = .ffa, patients: Int = 40, round: Int = 1, issued: TimeInterval = 0,
        permissions: Permissions? = nil, name: String? = nil,
        key: SigningKey? = nil, tensors: [String: Tensor]? = nil, base: LoadedModel? = nil,
        change: (inout Manifest<ModelDescription>) -> Void = { _ in }
    ) throws -> String {
        var manifest = manifest(site, weights, patients: patients, base: base)
        manifest.parcel = statement(site, round: round, issued: issued, permissions: permissions, base: base)
        manifest.unaudited = "a test"
        change(&manifest)
        let seed = site.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
        let path = folder.file(name ?? "\(site)-\(round).parcel")
        let sources = (tensors ?? self.tensors(weights, seed: seed, base: base)).mapValues { tensor in
            TensorSource(shape: tensor.shape) { tensor }
        }
        try ModelFile.write(path, manifest, sources, as: .f32, force: true, key: key ?? keys[site] ?? SigningKey())
        return path
    }

    func settings(_ rule: MergeRecord.Rule = .mean, _ change: (inout MergeRecord.Settings) -> Void = { _ in })
        -> MergeRecord.Settings
    {
        var settings = MergeRecord.Settings()
        settings.rule = rule
        change(&settings)
        return settings
    }

    func merge(
        _ paths: [String], _ settings: MergeRecord.Settings = MergeRecord.Settings(), base: String? = nil,
        round: Int? = nil, excludesBad: Bool = false, ledger: ParcelLedger? = nil,
        at moment: Date = day
    ) throws -> ModelMerge {
        try ModelMerge(
            paths, base: base ?? basePath, trust: try list(), settings: settings, round: round, at: moment,
            ledger: ledger, excludesBad: excludesBad)
    }
}
