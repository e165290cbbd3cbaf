import Cohorts
import Files
import Foundation
import Pictures
import SampleStore

/// Checks an exported folder: every file's digest, and every picture's label and pixels.
public enum ExportVerification {
    /// Whether a folder holds an export.
    public static func isExport(_ folder: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/\(ExportManifest.name)")
    }

    /// What is wrong with the export in `folder`.
    /// - Throws: `Failure(.noSuchInput)` where the folder has no manifest; `Failure(.badData)` where the manifest is
    ///   damaged or of another version.
    public static func findings(_ folder: String) throws -> [Finding] { try check(folder).findings }

    /// - Returns: what is wrong, and the hexadecimal digests of the pictures in order.
    static func check(_ folder: String) throws -> (findings: [Finding], digests: [String]) {
        let manifest = try ExportManifest(in: folder)
        var findings: [Finding] = [], digests: [String] = []
        if !manifest.synthetic || manifest.digitalSourceType != SampleSet.digitalSourceType {
            findings.append(Finding(ExportManifest.name, "does not call the pictures synthetic"))
        }
        findings += ExportVerification.listFindings(manifest, in: folder)
        for file in manifest.files {
            do {
                digests += try pictures(of: file, in: folder)
            } catch {
                findings.append(
                    Finding(file.name, SystemReason.text(error)))
            }
        }
        if findings.isEmpty, digests.count - Set(digests).count > manifest.counterfactuals ?? 0 {
            findings.append(Finding("pictures", "a picture occurs twice"))
        }
        if findings.isEmpty, digests.count != manifest.samples {
            findings.append(
                Finding(ExportManifest.name, "speaks of \(manifest.samples) samples, and there are \(digests.count)"))
        }
        return (findings, digests)
    }

    /// What is wrong with the list of files, and files in the folder that are not in the list.
    private static func listFindings(_ manifest: ExportManifest, in folder: String) -> [Finding] {
        var findings: [Finding] = []
        let listed = manifest.files.map(\.name), files = FileManager.default
        if manifest.samples < 1 { findings.append(Finding(ExportManifest.name, "speaks of no sample")) }
        if Set(listed).count != listed.count { findings.append(Finding(ExportManifest.name, "lists a file twice")) }
        for name in ((try? files.subpathsOfDirectory(atPath: folder)) ?? []).sorted()
        where name != ExportManifest.name && !listed.contains(name) {
            var isFolder: ObjCBool = false
            if files.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder), !isFolder.boolValue {
                findings.append(Finding(name.printable, "is not in \(ExportManifest.name)"))
            }
        }
        if let releasable = manifest.releasable, releasable == listed.contains(ExportManifest.notice) {
            findings.append(
                Finding(
                    ExportManifest.name,
                    "says that the set is \(releasable ? "" : "not ")released, and \(ExportManifest.notice) is "
                        + (releasable ? "there" : "missing")))
        }
        let kind =
            switch manifest.format {
            case .png: ".png"
            case .npz: ".npz"
            case .webdataset: ".tar"
            }
        if !listed.contains(where: { $0.hasSuffix(kind) }) {
            findings.append(Finding(ExportManifest.name, "lists no \(kind) file"))
        }
        return findings
    }

    /// The digests of the pictures in a file, hexadecimal.
    private static func pictures(of file: ExportManifest.File, in folder: String) throws -> [String] {
        let path = "\(folder)/\(file.name)"
        try RegularFile.require(path)
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        guard size == file.bytes else {
            throw Failure(.checkFailed, path, field: "bytes", expected: "\(file.bytes)", found: "\(size)")
        }
        let found = try Digest(ofFile: path).description
        guard found == file.sha256 else {
            throw Failure(.checkFailed, path, field: "SHA-256", expected: file.sha256, found: found)
        }
        switch URL(fileURLWithPath: path).pathExtension {
        case "png":
            let digest = try pictureDigest(try JSONText.contents(path), file: path)
            return PNGWriter.isMap(file.name) ? [] : [digest]
        case "tar": return try tarDigests(path)
        case "npz": return try arrayDigests(path)
        case "csv": return try requireTable(path)
        case "md", "json": return []
        case "txt" where file.name == ExportManifest.notice: return []
        default: throw Failure(.badData, path, "is of a kind that no export has")
        }
    }

    /// Checks that every line of a table calls its picture synthetic.
    private static func requireTable(_ path: String) throws -> [String] {
        let table = try LabelMapTable(contentsOf: path)
        let column = try table.index(of: "synthetic")
        if let row = table.rows.first(where: { $0.cells[column] != "YES" }) {
            throw Failure(
                .badData, "\(path) line \(row.line)", field: "synthetic", expected: "YES", found: row.cells[column])
        }
        return []
    }

    /// The digest of a PNG file's pixels. The file's label must state the same digest.
    private static func pictureDigest(_ png: Data, file: String) throws -> String {
        let label = try LabelledPNG.label(png, file: file)
        guard label.digitalSourceType == SampleSet.digitalSourceType else {
            throw Failure(
                .badData, file, field: "XMP DigitalSourceType", expected: SampleSet.digitalSourceType,
                found: label.digitalSourceType)
        }
        let found = Digest(of: try Picture(decoding: Array(png), name: file).pixels).description
        guard found == label.provenanceDigest else {
            throw Failure(
                .badData, file, field: LabelledPNG.digestKeyword, expected: found, found: label.provenanceDigest)
        }
        return found
    }

    private static func tarDigests(_ path: String) throws -> [String] {
        var digests: [String] = [], key = ""
        try ArchiveReader.forEachEntry(path) { name, size, read in
            let bytes = try read(size)
            if name.hasSuffix(".png") {
                key = String(name.dropLast(4))
                digests.append(try pictureDigest(Data(bytes), file: name))
                return
            }
            let details = try JSONText.decode(SampleDetails.self, Data(bytes), place: name)
            let isLabelled = details.synthetic && details.digitalSourceType == SampleSet.digitalSourceType
            guard name == key + ".json", details.digest == digests.last, isLabelled else {
                throw Failure(.badData, path, "\(name) does not belong to the picture before it")
            }
        }
        return digests
    }

    /// Digests of the rows of `train_images`. The array `digest` must hold the same digests, and the file must keep its
    /// synthetic label.
    private static func arrayDigests(_ path: String) throws -> [String] {
        var found: [[UInt8]] = [], stated: [[UInt8]] = [], texts: [String: String] = [:]
        try ArchiveReader.forEachEntry(path) { name, size, read in
            switch name {
            case "train_images.npy": found = try NumPyArray.rows(read) { Digest(of: $0).bytes }
            case "digest.npy": stated = try NumPyArray.rows(read) { $0 }
            case "val_images.npy", "test_images.npy":
                guard try NumPyArray.rows(read, { $0 }).isEmpty else {
                    throw Failure(.badData, path, "\(name) holds pictures; an export has them only in train_images")
                }
            case "synthetic.npy", "digital_source_type.npy": texts[name] = try NumPyArray.text(read, byteCount: size)
            default: break
            }
        }
        guard texts["synthetic.npy"] == "YES", texts["digital_source_type.npy"] == SampleSet.digitalSourceType else {
            throw Failure(.badData, path, "has lost the label that says its pictures are synthetic")
        }
        guard !found.isEmpty, found == stated else {
            throw Failure(.badData, path, "its pictures differ from its digests")
        }
        return found.compactMap { Digest(bytes: $0)?.description }
    }
}
