import CHDF5
import Files
import Foundation

extension HDF5File {
    /// A digest of every group, dataset and attribute. It covers names, types, shapes and content, but not how they are
    /// arranged in the file.
    ///
    /// - Parameters:
    ///   - excluding: what is left out: paths of datasets and groups (`/runs/started`), and root attributes
    ///     (`created`).
    ///   - virtual: reads rows of virtual datasets of bytes, whose content lies in other files. If it is nil, such
    ///     datasets are refused.
    /// - Throws: `Failure`: `.badData` for damaged content or an attribute of another type; `.interrupted`; what
    ///   `virtual` throws.
    public func contentDigest(
        excluding: Set<String> = [], virtual: ((_ path: String, Range<Int>) throws -> [UInt8])? = nil
    ) throws -> Digest {
        var content = ContentDigest(excluding: excluding, virtual: virtual)
        try content.add(root)
        return content.hasher.finalize()
    }
}

@HDF5Actor
private struct ContentDigest {
    let excluding: Set<String>
    let virtual: ((_ path: String, Range<Int>) throws -> [UInt8])?
    var hasher = DigestBuilder()

    init(excluding: Set<String>, virtual: ((_ path: String, Range<Int>) throws -> [UInt8])?) {
        self.excluding = excluding
        self.virtual = virtual
    }

    mutating func add(_ group: HDF5Group) throws {
        hasher.update(line: "group \(group.path)")
        try addAttributes(of: group)
        for name in try group.names where !excluding.contains(group.child(name)) {
            if try group.isGroup(name) {
                try add(try group.group(name))
            } else if let virtual, let dataset = try group.virtualDataset(name) {
                try add(dataset) { try virtual(dataset.path, $0) }
            } else {
                let dataset = try group.dataset(name)
                try add(dataset) { try dataset.readBytes(rows: $0) }
            }
        }
    }

    private mutating func add(_ dataset: HDF5Dataset, _ read: (Range<Int>) throws -> [UInt8]) throws {
        hasher.update(line: "dataset \(dataset.path) \(dataset.type.canonical) \(dataset.shape)")
        try addAttributes(of: dataset)
        if dataset.type == .variableString {
            for text in try dataset.readStrings() { hasher.update(line: "\(text.utf8.count) \(text)") }
            return
        }
        let rows = dataset.shape.first ?? 1
        // Reads about 4 MB at a time, in whole rows.
        let rowSize = dataset.shape.dropFirst().reduce(1.0) { $0 * Double($1) }
        let rowsAtOnce = max(1, Int(4_000_000 / max(1, rowSize)))
        for start in stride(from: 0, to: rows, by: rowsAtOnce) {
            try Cancellation.check("\(dataset.file) was being read")
            hasher.update(try read(start..<min(rows, start + rowsAtOnce)))
        }
    }

    private mutating func addAttributes(of object: any HDF5Object) throws {
        for name in try object.attributeNames where !(object.path == "/" && excluding.contains(name)) {
            let type = try object.attributeType(name)
            switch type {
            case .fixedString, .variableString:
                let texts = try object.attributeStrings(name)
                hasher.update(line: "attribute \(name) \(texts.map { "\($0.utf8.count) \($0)" })")
            case .integer:
                hasher.update(line: "attribute \(name) \(try object.attributeInt(name))")
            default:
                throw Failure(
                    .badData, object.file, field: "attribute \(name) of \(object.path)", expected: "text or an integer",
                    found: "\(type)")
            }
        }
    }
}

extension HDF5Type {
    /// Describes every detail of a type, always in the same order.
    fileprivate var canonical: String {
        switch self {
        case .enumeration(let bytes, let signed, let members):
            let sorted = members.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
            return "enum\(bytes)\(signed) \(sorted.map { "\($0.value)=\($0.key)" })"
        case .fixedString(let bytes): return "string\(bytes)"
        default: return description
        }
    }
}

extension DigestBuilder {
    fileprivate mutating func update(line: String) {
        update(Array((line + "\n").utf8))
    }
}
