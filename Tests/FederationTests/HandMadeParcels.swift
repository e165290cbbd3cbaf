import CheckpointStore
import Federation
import Files
import Foundation
import Support
import TensorCore

/// A model that is nothing but its tensors.
struct Nothing: Codable, Sendable {}

/// Sites with keys, a list of trust and a base of a few numbers: what a merge makes of them is worked out by hand.
struct HandMadeParcels {
    let folder: TemporaryFolder
    let coordinator = SigningKey()
    let keys: [String: SigningKey]
    static let day = Date(timeIntervalSince1970: 1_795_000_000)
    static let digest = Digest(of: Array("base".utf8))

    init(_ sites: [String] = ["aachen", "bonn", "celle", "dresden", "essen"]) throws {
        folder = try TemporaryFolder()
        keys = Dictionary(uniqueKeysWithValues: sites.map { ($0, SigningKey()) })
    }

    /// - Parameter more: what the list says of a site besides its name and key.
    func trust(_ more: [String: String] = [:], withdrawn: String = "") throws -> TrustList {
        let members = keys.sorted { $0.key < $1.key }.map { name, key in
            let usual = "from: 2026-01-01, until: 2027-12-31, unaudited: true, largestShare: 1"
            return "  - {name: \(name), key: \(key.publicKey.text), \(more[name] ?? usual)}\n"
        }
        let head = "version: 1\nproject: test\ncoordinator: \(coordinator.publicKey.text)\nmembers:\n"
        let path = try folder.write((head + members.joined() + "withdrawn: [\(withdrawn)]\n").utf8, "TRUST.yaml")
        try TrustList.sign(path, with: coordinator)
        return try TrustList(contentsOf: path)
    }

    static func data(_ site: String, patients: Int = 40) -> TrainingData {
        TrainingData(
            digest: "00", site: site, licence: "CC0", source: "eyes", cohortCounts: ["dr_icdr": ["0": patients]],
            patients: patients)
    }

    /// Seals a parcel of tensors that are rows of numbers; everything of it can be another than usual.
    func parcel(
        _ site: String, _ tensors: [String: Tensor], round: Int = 1, issued: TimeInterval = 0, name: String? = nil,
        kind: WeightsKind = .adapter, as type: StoredType = .f32,
        change: (inout Manifest<Nothing>) -> Void = { _ in }
    ) throws -> String {
        var manifest = Manifest(
            kind: kind, model: Nothing(), cohortSchemaVersion: 1, imagesSeen: 640,
            trainingData: [HandMadeParcels.data(site)], parents: [HandMadeParcels.digest.description], licence: "CC0",
            attributions: [], configuration: "", toolVersion: "test")
        manifest.parcel = ParcelStatement(
            site: site, round: round, base: HandMadeParcels.digest.description,
            issued: HandMadeParcels.day.addingTimeInterval(issued), selfTest: [],
            permissions: Permissions(purposes: ["DUO:0000042"]), contact: "")
        manifest.unaudited = "a test"
        change(&manifest)
        let path = folder.file(name ?? "\(site)-\(round).parcel")
        let sources = tensors.mapValues { tensor in TensorSource(shape: tensor.shape) { tensor } }
        try WeightsFile.write(path, manifest, sources, as: type, force: true, key: keys[site] ?? SigningKey())
        return path
    }

    /// A parcel of one row of numbers, `w`.
    func parcel(_ site: String, _ numbers: [Float], patients: Int = 40) throws -> String {
        try parcel(site, ["w": Tensor(numbers, shape: [numbers.count])]) {
            $0.trainingData = [HandMadeParcels.data(site, patients: patients)]
        }
    }

    /// Parcels of one row of numbers each, of the first sites.
    func rows(_ rows: [[Float]]) throws -> [String] {
        try zip(keys.keys.sorted(), rows).map { try parcel($0, $1) }
    }

    static func base(
        _ shapes: [String: [Int]] = ["w": [2]], kind: WeightsKind = .adapter, reference: [String: Tensor]? = nil,
        norm: Double = 1e6, merges: [MergeRecord] = [], permissions: Permissions? = nil,
        factors: [(a: String?, b: String)] = [], scale: Double = 1, digest: Digest = digest
    ) -> MergeBase {
        MergeBase(
            path: "base", digest: digest, kind: kind, shapes: shapes, reference: reference, norm: norm, merges: merges,
            permissions: permissions, factors: factors, scale: scale)
    }

    func admission(
        _ paths: [String], _ base: MergeBase = base(), trust list: TrustList? = nil, round: Int? = nil,
        weighting: MergeRecord.Weighting = .patients, ledger: ParcelLedger? = nil, asked: [String]? = nil,
        requireModel: (Parcel<Nothing>) throws -> Void = { _ in }
    ) throws -> Admission<Nothing> {
        let opened = Admission<Nothing>.Opened(
            paths, base: HandMadeParcels.digest, trust: try list ?? trust(), at: HandMadeParcels.day, asked: asked)
        return Admission(
            opened, base: base, round: round, weighting: weighting, ledger: ledger, requireModel: requireModel)
    }

    /// What the parcels become; `change` says by which rule.
    func merged(
        _ paths: [String], _ base: MergeBase = base(), rowShares: [String: [[Double]]] = [:],
        _ change: (inout MergeRecord.Settings) -> Void = { _ in }
    ) throws -> [String: Tensor] {
        var settings = MergeRecord.Settings()
        change(&settings)
        let admission = try admission(paths, base)
        if let refused = admission.refused.first { throw refused.failure }
        return try TensorMerge(
            admission, base: base, settings: settings, shares: try admission.shares(settings), rowShares: rowShares
        ).merged()
    }
}
