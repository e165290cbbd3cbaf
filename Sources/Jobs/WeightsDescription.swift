import CheckpointStore
import Diffusion
import Files
import Foundation
import Models
import Reporting
import TensorCore

/// What `fovea inspect` says about a weights file.
struct WeightsDescription: Encodable, Sendable {
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
    let audit: Digest?
    let audit_limits: [String]?
    let unaudited: String?

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
        (audit, audit_limits, unaudited) = (manifest.audit, manifest.auditLimits, manifest.unaudited)
        configuration = manifest.configuration
        tool_version = manifest.toolVersion
        parcel = manifest.parcel
        permissions = manifest.permissions
        merges = manifest.merges
    }

    /// Whether the weights were audited before they left their site; nil where nothing is stated.
    var auditSentence: String? {
        WeightsDescription.auditSentence(audit, limits: audit_limits, unaudited: unaudited)
    }

    static func auditSentence(_ audit: Digest?, limits: [String]?, unaudited: String?) -> String? {
        if let unaudited { return "not audited; the reason given: \(unaudited)" }
        return audit.map {
            WeakerLimits.naming(limits ?? [], "audited: the passing audit.json has the SHA-256 \($0.grouped(16))")
        }
    }
}
