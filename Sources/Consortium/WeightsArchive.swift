import CheckpointStore
import Diffusion
import Files
import Foundation

/// The weights files in a folder and in the folders below it. A file is found by the digest of its bytes, and a parcel
/// also by the digest of what was signed.
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

    /// The path of the file whose bytes, or whose signed content, have this digest.
    func path(_ digest: Digest) -> String? { files.first { $0.digest == digest || $0.signed == digest }?.path }

    /// The files whose lineage holds a site. Files that are not weights files are passed over.
    func touched(by site: String) -> [String] {
        files.map(\.path).filter { path in
            guard let index = try? SafetensorsIndex(contentsOf: path),
                let manifest = try? Manifest<ModelDescription>.read(index, path: path)
            else { return false }
            return manifest.sites.contains(site)
        }
    }
}
