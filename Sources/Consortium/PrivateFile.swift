import CheckpointStore
import Diffusion
import Files
import Foundation

/// A file that never leaves its site, or that has no place in a folder that goes from site to site. It is recognised by
/// its content, whatever its name is.
public enum PrivateFile {
    /// One clause on what is wrong with the file at `path`; nil for a file that may be there.
    public static func problem(_ path: String) -> String? {
        guard RegularFile.exists(path) else { return nil }
        guard let handle = FileHandle(forReadingAtPath: path), let start = start(of: handle) else {
            return "cannot be read, so that nobody can say whether it may be here"
        }
        defer { try? handle.close() }
        if KeyFile.sort(of: path) == .privateKey { return "is a private key; whoever reads it can sign in its name" }
        if start.starts(with: Data("fovea.samples ".utf8)) {
            return "is a sample set, which has no place here: it leaves its site only where it was released"
        }
        if let problem = weights(path) { return problem }
        if isHDF5(handle) { return "is a data set, which holds photographs of patients" }
        if let form = pictureForm(start) { return "is a picture (\(form)), perhaps of a patient" }
        if let form = documentForm(start) { return "is \(form), perhaps with data of patients" }
        if let form = archiveForm(start) { return "is an archive (\(form)), perhaps with photographs of patients" }
        return text(start, handle, path)
    }

    /// Weights that saw patients travel sealed in a parcel, or signed by the coordinator.
    private static func weights(_ path: String) -> String? {
        guard let index = try? SafetensorsIndex(contentsOf: path),
            let manifest = try? Manifest<ModelDescription>.read(index, path: path), manifest.parcel == nil,
            manifest.trainingData.contains(where: { $0.synthetic != true }),
            (try? WeightsSignature.signer(of: index, path: path)) == nil
        else { return nil }
        return "holds weights that saw photographs of patients and were not sealed; a parcel is what leaves a site"
    }

    /// The first bytes of a file; nil where it cannot be read.
    private static func start(of file: FileHandle) -> Data? {
        do { return try file.read(upToCount: 512) ?? Data() } catch { return nil }
    }

    /// The files in a folder, and in the folders below it, that may not be there. Places are paths within the folder.
    public static func findings(in folder: String) -> [Finding] {
        guard let names = FileManager.default.enumerator(atPath: folder) else { return [] }
        let paths = names.compactMap { $0 as? String }.sorted()
        return paths.compactMap { name in problem("\(folder)/\(name)").map { Finding(name.printable, $0) } }
    }

    /// Whether a file has the signature of HDF5 at a place where the format allows it: 0, 512, 1024 and so on.
    private static func isHDF5(_ file: FileHandle) -> Bool {
        let signature = Data([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A])
        guard let size = try? file.seekToEnd() else { return false }
        var place: UInt64 = 0
        while place + UInt64(signature.count) <= size {
            guard (try? file.seek(toOffset: place)) != nil else { return false }
            if (try? file.read(upToCount: signature.count)) == signature { return true }
            place = place == 0 ? 512 : 2 * place
        }
        return false
    }

    private static func pictureForm(_ start: Data) -> String? {
        let forms: [(name: String, place: Int, bytes: [UInt8])] = [
            ("JPEG", 0, [0xFF, 0xD8, 0xFF]), ("PNG", 0, [0x89, 0x50, 0x4E, 0x47]),
            ("TIFF", 0, [0x49, 0x49, 0x2A, 0x00]), ("TIFF", 0, [0x4D, 0x4D, 0x00, 0x2A]),
            ("DICOM", 128, Array("DICM".utf8)), ("HEIC", 4, Array("ftyp".utf8)), ("WebP", 8, Array("WEBP".utf8)),
            ("JPEG 2000", 4, Array("jP  ".utf8)), ("GIF", 0, Array("GIF8".utf8)), ("BMP", 0, Array("BM".utf8)),
        ]
        return forms.first { start.dropFirst($0.place).starts(with: $0.bytes) }?.name
    }

    private static func documentForm(_ start: Data) -> String? {
        let forms: [(name: String, bytes: [UInt8])] = [
            ("a PDF document", Array("%PDF".utf8)), ("a database", Array("SQLite format 3".utf8)),
            ("an Office document", [0xD0, 0xCF, 0x11, 0xE0]), ("a NumPy array", [0x93] + Array("NUMPY".utf8)),
        ]
        return forms.first { start.starts(with: $0.bytes) }?.name
    }

    private static func archiveForm(_ start: Data) -> String? {
        let forms: [(name: String, place: Int, bytes: [UInt8])] = [
            ("ZIP", 0, Array("PK".utf8) + [0x03, 0x04]), ("gzip", 0, [0x1F, 0x8B]), ("tar", 257, Array("ustar".utf8)),
            ("7z", 0, Array("7z".utf8) + [0xBC, 0xAF]), ("xz", 0, [0xFD] + Array("7zXZ".utf8)),
            ("zstd", 0, [0x28, 0xB5, 0x2F, 0xFD]), ("bzip2", 0, Array("BZh".utf8)),
        ]
        return forms.first { start.dropFirst($0.place).starts(with: $0.bytes) }?.name
    }

    /// Texts that are larger are not looked into. The private files of an audit, and the report of an import, are
    /// smaller.
    private static let longestText = 64 << 20

    private static func text(_ start: Data, _ file: FileHandle, _ path: String) -> String? {
        guard let first = start.first(where: { !" \n\r\t".utf8.contains($0) }),
            [UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "<")].contains(first),
            (try? file.seek(toOffset: 0)) != nil, let data = try? file.read(upToCount: longestText)
        else { return nil }
        if first == UInt8(ascii: "<") {
            if data.range(of: Data("Private: shows patients".utf8)) != nil {
                return "is a page of an import or of an audit that shows patients"
            }
            return data.range(of: Data("data:image/".utf8)) == nil
                ? nil : "is a page with pictures, perhaps of patients"
        }
        let object = try? JSONSerialization.jsonObject(with: data)
        let keys = Set(((object as? [String: Any]) ?? (object as? [[String: Any]])?.first ?? [:]).keys)
        let audit: [Set<String>] = [
            ["samples", "flagged", "scores"], ["members", "nonMembers"], ["sample", "test", "isFlagged", "training"],
        ]
        if audit.contains(where: { $0.isSubset(of: keys) }) {
            return "is from the private folder of an audit, and never leaves its site"
        }
        let report: Set = ["site", "onePatientPerPhoto", "refused", "duplicates"]
        if report.isSubset(of: keys) {
            return "is the report of an import, which names the files of patients"
        }
        return nil
    }
}
