import Files
import Foundation

/// A file or folder that a job reads. It is looked at before the work begins, so that a path that is nearly right
/// leads to the right one.
public struct JobInput: Sendable {
    /// What the job needs at the path.
    public enum Role: Sendable {
        /// A snapshot of a model.
        case model
        /// Weights of any kind, such as those that become a parcel.
        case weights
        case parcel
        case dataset
        case sampleSet
        /// Pictures that are audited.
        case auditedPictures
        /// Photographs that pictures are audited against.
        case auditPhotographs
        /// Features of pictures that another program computed.
        case features
        /// A folder of photographs to import.
        case photographs
        case table
        case labelMap
        case settings
        case trustList
        case privateKey
        case auditFolder
        case roundFolder
        /// Whatever Fovea can describe.
        case anything
    }

    let path: String
    let role: Role
    /// The setting of the job that names the path; nil for the one that needs no name.
    let setting: String?

    /// - Parameters:
    ///   - path: the file or folder, as the user named it.
    ///   - role: what the job needs there.
    ///   - setting: the name of the job's property; nil where a user gives the path without a name.
    public init(_ path: String, _ role: Role, setting: String?) {
        self.path = path
        self.role = role
        self.setting = setting
    }
}

/// A file or folder that a job writes.
public struct JobOutput: Sendable {
    public enum Form: Sendable {
        case hdf5, weights, parcel, page, table, folder
    }

    let path: String
    let form: Form

    public init(_ path: String, _ form: Form) {
        self.path = path
        self.form = form
    }

    /// Refuses an output that is an input, and a name whose suffix promises a file of another kind.
    /// - Throws: `Failure(.usage)`.
    func check(against inputs: [JobInput]) throws {
        try OutputPath.requireOther(path, than: inputs.map(\.path))
        let name = (path.withoutTrailingSlashes as NSString).lastPathComponent
        let suffix = (name as NSString).pathExtension.lowercased()
        guard let promised = JobOutput.kinds.first(where: { $0.suffixes.contains(suffix) })?.kind,
            !form.suffixes.contains(suffix)
        else { return }
        let advice = form.suffixes.first.map { "end its name with .\($0)" } ?? "give it a name without .\(suffix)"
        throw Failure(.usage, path, "ends like \(promised), but \(form.name) is written there; \(advice)")
    }

    /// What people expect of a file with one of these suffixes.
    private static let kinds: [(kind: String, suffixes: Set<String>)] = [
        ("a picture", ["png", "jpg", "jpeg", "jpe", "tif", "tiff", "bmp", "gif", "webp", "svg", "dcm"]),
        ("an HDF5 file", ["h5", "hdf5", "he5"]), ("a weights file", ["safetensors", "pt", "pth", "ckpt", "onnx"]),
        ("a parcel", ["parcel"]), ("a table", ["csv", "tsv", "xlsx", "xls"]), ("settings", ["yaml", "yml"]),
        ("a JSON file", ["json", "jsonl"]), ("a web page", ["html", "htm"]), ("a text", ["txt", "md", "pdf"]),
        ("an archive", ["zip", "tar", "gz", "npz", "npy"]), ("a key", ["key", "pub"]),
    ]
}

extension JobOutput.Form {
    /// The suffixes that fit, the usual one first; empty for a folder.
    fileprivate var suffixes: [String] {
        switch self {
        case .hdf5: ["h5", "hdf5", "he5"]
        case .weights: ["safetensors"]
        case .parcel: ["parcel", "safetensors"]
        case .page: ["html", "htm"]
        case .table: ["csv"]
        case .folder: []
        }
    }

    fileprivate var name: String {
        switch self {
        case .hdf5: "an HDF5 file"
        case .weights: "a weights file"
        case .parcel: "a parcel"
        case .page: "a web page"
        case .table: "a table (CSV)"
        case .folder: "a folder"
        }
    }
}

extension JobInput.Role {
    /// What is needed, in a sentence.
    var name: String {
        switch self {
        case .model: "a snapshot of a model"
        case .weights: "weights"
        case .parcel: "a parcel"
        case .dataset: "a data set"
        case .sampleSet: "a sample set"
        case .auditedPictures: "samples, in a sample set or a folder of pictures"
        case .auditPhotographs: "photographs of patients, in a data set or a folder"
        case .features: "features of pictures (safetensors)"
        case .photographs: "a folder of photographs"
        case .table: "a table (CSV)"
        case .labelMap: "a map of a table's columns (YAML)"
        case .settings: "settings (YAML)"
        case .trustList: "a list of trust (YAML)"
        case .privateKey: "a private key"
        case .auditFolder: "the folder of an audit"
        case .roundFolder: "the folder of a round"
        case .anything: "a file of Fovea"
        }
    }

    /// What fits the role. The first is looked for where the path is wrong.
    var fitting: [PathNature] {
        switch self {
        case .model: [.snapshot, .parcel]
        case .weights: [.snapshot, .adapter, .parcel]
        case .parcel: [.parcel]
        case .dataset: [.dataset]
        case .sampleSet: [.sampleSet]
        case .auditedPictures: [.sampleSet, .dataset, .photographFolder, .exportFolder, .folder]
        case .auditPhotographs: [.dataset, .photographFolder, .folder]
        case .features: [.weights]
        case .photographs: [.photographFolder, .exportFolder, .folder]
        case .table: [.table]
        case .labelMap: [.labelMap]
        case .settings: [.yaml]
        case .trustList: [.trustList]
        case .privateKey: [.privateKey]
        case .auditFolder: [.auditFolder]
        case .roundFolder: [.roundFolder]
        case .anything: [.sampleSet, .dataset, .snapshot, .checkpoint, .adapter, .parcel]
        }
    }

    /// What the reader of the file judges itself, because a first look cannot, or because it says more.
    private var undecided: Set<PathNature> {
        let unclear: Set<PathNature> = [.missing, .empty, .other, .text]
        switch self {
        case .model, .weights, .features: return unclear.union([.weights])
        case .parcel: return unclear.union([.weights, .snapshot, .adapter, .checkpoint])
        case .labelMap, .trustList: return unclear.union([.yaml, .json])
        case .settings: return unclear.union([.labelMap, .trustList, .json])
        case .photographs, .auditPhotographs, .auditedPictures: return unclear.union([.modelFolder])
        case .auditFolder, .roundFolder: return unclear.union([.folder])
        case .anything:
            return Set(PathNature.allCases).subtracting([
                .runFolder, .photographFolder, .unfinishedFolder, .lfsPointer, .pickle,
            ])
        case .table: return unclear.union([.yaml, .json])
        case .dataset, .sampleSet, .privateKey: return unclear
        }
    }

    /// Whether the reader of the file goes on with what is there.
    func takes(_ nature: PathNature) -> Bool { fitting.contains(nature) || undecided.contains(nature) }
}
