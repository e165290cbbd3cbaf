import CheckpointStore
import Diffusion
import Federation
import Files
import Models
import Networks
import TensorCore

/// What parcels of a base are: adapters of one kind or full weights, with the attributes of the base or with more.
struct ParcelSort: Hashable {
    let kind: WeightsKind
    let adapter: AdapterConfiguration?
    /// The base's encoding, or one that extends it, where the sites trained with `--extend`.
    let cohort: CohortEncoding

    private init(kind: WeightsKind, adapter: AdapterConfiguration?, cohort: CohortEncoding) {
        self.kind = kind
        self.adapter = adapter
        self.cohort = cohort
    }

    private init(_ manifest: Manifest<ModelDescription>) {
        self.init(
            kind: manifest.kind, adapter: manifest.kind == .adapter ? manifest.model.adapter : nil,
            cohort: manifest.model.cohort)
    }

    /// What most of the trusted parcels are. Parcels of another sort will be refused.
    init(mostOf manifests: [Manifest<ModelDescription>], base: LoadedModel) {
        let own = base.manifest.model.cohort
        let sorts = manifests.filter { $0.kind != .checkpoint && $0.model.cohort.extends(own) }.map { ParcelSort($0) }
        let counts = Dictionary(
            grouping: sorts.filter { $0.kind == .snapshot || $0.adapter?.problem == nil && $0.adapter != nil }
        ) { $0 }.mapValues(\.count)
        // A tie is decided by the name, so that the order of the parcels does not matter.
        self =
            counts.max { ($0.value, $1.key.name) < ($1.value, $0.key.name) }?.key
            ?? ParcelSort(kind: .adapter, adapter: AdapterConfiguration(), cohort: own)
    }

    private var name: String { "\(weights) of a model of \(attributes)" }

    private var weights: String {
        kind != .adapter
            ? "full weights"
            : adapter.map {
                "an adapter of kind \($0.kind.rawValue), rank \($0.rank), share \($0.layerShare), scale \($0.scale)"
            } ?? "an adapter without settings"
    }

    /// The attributes, each open one with its names.
    private var attributes: String {
        let each = cohort.attributes.map { attribute in
            cohort.openNames[attribute].map { "\(attribute) (\($0.joined(separator: ", ")))" } ?? attribute
        }
        return each.isEmpty ? "no attributes" : each.joined(separator: ", ")
    }

    /// The rows of the table of cohorts that parcels of this sort add to the base in the file `file`.
    func added(to file: LoadedModel) -> AddedRows? {
        file.extended(to: cohort).model.addedRows(to: file.manifest.model.cohort)
    }

    /// What the parcels must fit, and how adapters change the base.
    /// - Parameters:
    ///   - base: the base, extended to the sort's encoding.
    ///   - added: the rows by which it was extended.
    func prepared(_ base: LoadedModel, added: AddedRows?) -> (MergeBase, Adaptation?) {
        var shapes: [String: [Int]] = [:], reference: [String: Tensor]?, adaptation: Adaptation?
        var factors: [(a: String?, b: String)] = []
        if let adapter, adapter.problem == nil {
            let made = Adaptation(
                adapter, base: base.model.specifications, baseDigest: base.digest, added: added)
            shapes = Dictionary(uniqueKeysWithValues: made.layout.specifications.map { ($0.path, $0.fileShape) })
            // Added rows are an update by themselves, as a B is whose A is orthonormal.
            factors =
                made.layout.adapted.indices.map(made.names)
                + (added == nil ? [] : [(nil, AddedRows.path(of: DiffusionModel.cohortPath))])
            adaptation = made
        } else {
            shapes = Dictionary(uniqueKeysWithValues: base.model.specifications.map { ($0.path, $0.fileShape) })
            reference = base.parameters.fileTensors()
        }
        let norm = base.parameters.tensors.reduce(0) { $0 + $1.sumOfSquares }.squareRoot()
        return (
            MergeBase(
                path: base.path, digest: base.digest, kind: adaptation == nil ? .snapshot : .adapter, shapes: shapes,
                reference: reference, norm: norm,
                merges: base.manifest.merges ?? [], permissions: base.manifest.permissions, factors: factors,
                scale: adapter?.scale ?? 1),
            adaptation
        )
    }

    /// - Throws: `Failure(.badData)` where a parcel is of another sort or of another model.
    func requireModel(_ parcel: Parcel<ModelDescription>, base: LoadedModel) throws {
        var model = parcel.manifest.model
        let found = ParcelSort(parcel.manifest)
        guard found.cohort == cohort else {
            throw Failure(
                .badData, parcel.path, field: "model.cohort",
                expected: "\(attributes), as in most of the parcels; sites that extend a base must add the same",
                found: found.attributes.printable)
        }
        guard found == self else {
            throw Failure(.badData, parcel.path, field: "model.adapter", expected: weights, found: found.weights)
        }
        model.adapter = nil
        guard model == base.manifest.model else {
            throw Failure(.badData, parcel.path, field: "model", expected: "what the base is", found: "other settings")
        }
    }
}
