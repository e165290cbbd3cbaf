import CHDF5
import Files
import Foundation

extension HDF5File {
    /// A digest of every group, dataset and attribute: names, types, shapes and content, but not how they lie in the file.
    ///
    /// - Parameter excluding: paths of datasets (`/runs/started`) and root attributes (`created`) that are left out.
    public func contentDigest(excluding: Set<String> = []) throws -> Digest {
        var hasher = DigestBuilder()
        try add(root, excluding, to: &hasher)
        return hasher.finalize()
    }

    private func add(_ group: HDF5Group, _ excluding: Set<String>, to hasher: inout DigestBuilder) throws {
        hasher.update(line: "group \(group.path)")
        try addAttributes(of: group, excluding, to: &hasher)
        for name in try group.names where !excluding.contains(group.child(name)) {
            if try group.isGroup(name) {
                try add(try group.group(name), excluding, to: &hasher)
            } else {
                try add(try group.dataset(name), excluding, to: &hasher)
            }
        }
    }

    private func add(_ dataset: HDF5Dataset, _ excluding: Set<String>, to hasher: inout DigestBuilder) throws {
        hasher.update(line: "dataset \(dataset.path) \(dataset.type.canonical) \(dataset.shape)")
        try addAttributes(of: dataset, excluding, to: &hasher)
        if dataset.type == .variableString {
            for text in try dataset.readStrings() { hasher.update(line: "\(text.utf8.count) \(text)") }
            return
        }
        let rows = dataset.shape.first ?? 1
        // About 4 MB at a time, whole rows.
        let rowsAtOnce = max(1, 4_000_000 / max(1, dataset.shape.dropFirst().reduce(1, *)))
        for start in stride(from: 0, to: rows, by: rowsAtOnce) {
            hasher.update(try dataset.readBytes(rows: start..<min(rows, start + rowsAtOnce)))
        }
    }

    private func addAttributes(of object: any HDF5Object, _ excluding: Set<String>, to hasher: inout DigestBuilder) throws {
        for name in try object.attributeNames where !(object.path == "/" && excluding.contains(name)) {
            let type = try object.attributeType(name)
            switch type {
            case .fixedString, .variableString:
                let texts = try object.attributeStrings(name)
                hasher.update(line: "attribute \(name) \(texts.map { "\($0.utf8.count) \($0)" })")
            case .integer:
                hasher.update(line: "attribute \(name) \(try object.attributeInt(name))")
            default:
                throw Failure(.badData, object.file, field: "attribute \(name) of \(object.path)", expected: "text or an integer", found: "\(type)")
            }
        }
    }

}

extension HDF5Type {
    /// Every detail, in one order.
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
