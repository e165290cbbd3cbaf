import Foundation

/// What is at a path, as far as names and first bytes tell it. It serves errors: whoever gives a path that is nearly
/// right is told which one is right. What a file really holds is decided by whoever reads it.
public enum PathNature: String, Sendable, CaseIterable {
    // Files of Fovea.
    case dataset, sampleSet, snapshot, checkpoint, adapter, parcel, privateKey, publicKey, labelMap, trustList
    case importReport, audit
    // Other files.
    case hdf5, weights, pickle, lfsPointer, table, yaml, json, picture, page, archive, text, other, empty
    // Folders.
    case runFolder, auditFolder, auditPart, roundFolder, exportFolder, modelFolder, unfinishedFolder, photographFolder,
        folder
    case missing

    /// In a sentence, with an article.
    public var name: String {
        switch self {
        case .dataset: "a data set"
        case .sampleSet: "a sample set"
        case .snapshot: "a snapshot of a model"
        case .checkpoint: "a checkpoint of a training"
        case .adapter: "an adapter"
        case .parcel: "a parcel"
        case .privateKey: "a private key"
        case .publicKey: "a public key"
        case .labelMap: "a map of a table's columns (YAML)"
        case .trustList: "a list of trust (YAML)"
        case .importReport: "the report of an import"
        case .audit: "the verdict of an audit"
        case .hdf5: "an HDF5 file"
        case .weights: "a weights file that is not of Fovea"
        case .pickle: "a PyTorch pickle, which could run code when it is read"
        case .lfsPointer: "a git-lfs pointer and not the file itself"
        case .table: "a table (CSV)"
        case .yaml: "a file of settings (YAML)"
        case .json: "a JSON file"
        case .picture: "a picture"
        case .page: "a web page"
        case .archive: "an archive or an office document"
        case .text: "a text"
        case .other: "a file of another kind"
        case .empty: "an empty file"
        case .runFolder: "the folder of a training"
        case .auditFolder: "the folder of an audit"
        case .auditPart: "a part of the folder of an audit"
        case .roundFolder: "the folder of a round"
        case .exportFolder: "the folder of an export"
        case .modelFolder: "a folder of diffusers"
        case .unfinishedFolder: "the folder of an output that is not finished"
        case .photographFolder: "a folder of pictures"
        case .folder: "a folder"
        case .missing: "nothing"
        }
    }

    public var isFolder: Bool {
        switch self {
        case .runFolder, .auditFolder, .auditPart, .roundFolder, .exportFolder, .modelFolder, .unfinishedFolder,
            .photographFolder, .folder:
            true
        default: false
        }
    }

    /// Looks at `path`. Of a file it reads the first bytes, and of weights the header.
    public init(_ path: String) {
        var found = stat()
        guard stat(path, &found) == 0 else {
            self = .missing
            return
        }
        switch found.st_mode & S_IFMT {
        case S_IFDIR: self = PathNature.folder(path)
        case S_IFREG: self = PathNature.file(path)
        default: self = .other
        }
    }

    private static func folder(_ path: String) -> PathNature {
        func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }
        if path.withoutTrailingSlashes.hasSuffix(".unfinished") { return .unfinishedFolder }
        if has("checkpoint.safetensors") || has("snapshot.safetensors") && has("config.yaml") { return .runFolder }
        if has("public/audit.json") { return .auditFolder }
        if has("audit.json") || has("evidence.html") { return .auditPart }
        if has("round.json") { return .roundFolder }
        if has("export.json") { return .exportFolder }
        if has("model_index.json") || has("unet/config.json") { return .modelFolder }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.contains { pictureSuffixes.contains(($0 as NSString).pathExtension.lowercased()) }
            ? .photographFolder : .folder
    }

    private static let pictureSuffixes: Set = ["jpg", "jpeg", "jpe", "png", "tif", "tiff", "bmp", "dcm"]

    private static func file(_ path: String) -> PathNature {
        guard let handle = FileHandle(forReadingAtPath: path) else { return .other }
        // At the end of a file, nil is read.
        let start: Data
        do { start = try handle.read(upToCount: 4096) ?? Data() } catch { return .other }
        if start.isEmpty { return .empty }
        switch ForeignWeights(start) {
        case .gitLFSPointer: return .lfsPointer
        case .pickle: return .pickle
        case nil: break
        }
        func begins(_ bytes: [UInt8], at offset: Int = 0) -> Bool { start.dropFirst(offset).starts(with: bytes) }
        let hdf5: [UInt8] = [0x89, 0x48, 0x44, 0x46]
        if begins(Array("fovea.samples ".utf8)) || begins(hdf5, at: 512) { return .sampleSet }
        if begins(hdf5) { return .dataset }
        if begins(Array("fovea-private-key".utf8)) { return .privateKey }
        if begins(Array("fovea-public-key".utf8)) { return .publicKey }
        let pictures: [[UInt8]] = [
            [0xFF, 0xD8, 0xFF], [0x89, 0x50, 0x4E, 0x47], Array("GIF8".utf8), [0x49, 0x49, 0x2A, 0],
            [0x4D, 0x4D, 0, 0x2A],
        ]
        if pictures.contains(where: { begins($0) }) || begins(Array("DICM".utf8), at: 128) { return .picture }
        // ZIP (also .xlsx), gzip and the older office documents; PDF.
        let archives: [[UInt8]] = [
            [0x50, 0x4B, 3, 4], [0x1F, 0x8B], [0xD0, 0xCF, 0x11, 0xE0], Array("%PDF".utf8),
        ]
        if archives.contains(where: { begins($0) }) { return .archive }
        if begins([UInt8(ascii: "{")], at: 8), let nature = weights(handle, start) { return nature }
        return text(start, path)
    }

    /// The kind of a safetensors file by its manifest; nil if the header is not one.
    private static func weights(_ handle: FileHandle, _ start: Data) -> PathNature? {
        let length = start.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length > 1, length <= 100 << 20 else { return nil }
        guard (try? handle.seek(toOffset: 8)) != nil, let header = try? handle.read(upToCount: Int(length)),
            let object = try? JSONSerialization.jsonObject(with: header) as? [String: Any]
        else { return nil }
        guard let metadata = object["__metadata__"] as? [String: Any], let manifest = metadata["fovea"] as? String,
            let fields = try? JSONSerialization.jsonObject(with: Data(manifest.utf8)) as? [String: Any]
        else { return .weights }
        if fields["parcel"] is [String: Any] { return .parcel }
        switch fields["kind"] as? String {
        case "fovea.snapshot": return .snapshot
        case "fovea.checkpoint": return .checkpoint
        case "fovea.adapter": return .adapter
        default: return .weights
        }
    }

    private static func text(_ start: Data, _ path: String) -> PathNature {
        // A cut in the middle of a character is no reason to call a text binary.
        guard !start.contains(0) else { return .other }
        let text = String(decoding: start, as: UTF8.self)
        let suffix = (path as NSString).pathExtension.lowercased()
        let firstLine = text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }.prefix { !$0.isNewline }
        let isTable = ["csv", "tsv"].contains(suffix)
        if firstLine.hasPrefix("<"), !isTable { return .page }
        if firstLine.hasPrefix("{") || firstLine.hasPrefix("["), !isTable {
            if path.hasSuffix(".import-report.json") { return .importReport }
            return path.hasSuffix("audit.json") ? .audit : .json
        }
        let keys = text.split(whereSeparator: \.isNewline).compactMap { line -> Substring? in
            guard let colon = line.firstIndex(of: ":"), line.first.map({ $0.isLetter || $0 == "\"" }) == true else {
                return nil
            }
            return line[..<colon]
        }
        if keys.contains("file"), keys.contains("attributes") || keys.contains("patient") || keys.contains("release") {
            return .labelMap
        }
        if keys.contains("members"), keys.contains("coordinator") { return .trustList }
        if isTable { return .table }
        if ["yaml", "yml"].contains(suffix) { return .yaml }
        // A header of columns, unless a key of YAML stands before the first separator.
        let header = text.split(whereSeparator: \.isNewline).first { !$0.hasPrefix("#") } ?? ""
        let column = header.prefix { !",;\t".contains($0) }
        if column.count < header.count, !column.contains(": "), !column.hasSuffix(":") { return .table }
        return keys.isEmpty ? .text : .yaml
    }
}
