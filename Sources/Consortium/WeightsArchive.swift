import CheckpointStore
import Diffusion
import Files
import Foundation

/// The weights files in a folder and the folders in it, by the digest of their bytes, and parcels by that of what was
/// signed.
struct WeightsArchive {
    private let files: [(path: String, digest: Digest, signed: Digest?)]

    /// - Throws: `Failure(.noSuchInput)` where there is no such folder.
    init(_ folder: String) throws {
        guard let names = FileManager.default.enumerator(atPath: folder) else {
            throw Failure(.noSuchInput, folder, "is no folder")
        }
        var paths: [String] = []
        for case let name as String in names where name.hasSuffix(".safetensors") || name.hasSuffix(".parcel") {
            paths.append("\(folder)/\(name)")
        }
        files = try paths.sorted().filter { RegularFile.exists($0) }.map { path in
            let signed = try? WeightsSignature.signedTable(of: SafetensorsIndex(contentsOf: path), path: path)
            return (path, try Digest(ofFile: path), signed?.digest)
        }
    }

    /// The file with these bytes, or the one that holds what was signed with this digest.
    func path(_ digest: Digest) -> String? { files.first { $0.digest == digest || $0.signed == digest }?.path }

    /// Files whose lineage holds a site; what is no weights file is passed over.
    func touched(by site: String) -> [String] {
        files.map(\.path).filter { path in
            guard let index = try? SafetensorsIndex(contentsOf: path),
                let manifest = try? Manifest<ModelDescription>.read(index, path: path)
            else { return false }
            return manifest.sites.contains(site)
        }
    }
}
