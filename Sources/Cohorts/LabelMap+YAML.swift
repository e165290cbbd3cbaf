import Files
import Yams

extension LabelMap {
    /// Reads a map from a file or a pipe.
    /// - Throws: `Failure`: `.noSuchInput`; `.readOrWriteFailed`; `.badData` with the file and line for anchors and
    ///   aliases, unknown keys, attributes or codes that the schema lacks, and values of a wrong kind.
    public init(contentsOf path: String) throws {
        let text = try TableText.read(path, advice: "a map of a table's columns is text in YAML")
        try self.init(yaml: String(decoding: text, as: UTF8.self), name: path)
    }

    /// Reads a map from text.
    /// - Parameter name: the file's name, for errors.
    /// - Throws: `Failure(.badData)` as the other initialiser.
    public init(yaml: String, name: String) throws {
        let reader = LabelMapReader(name: name)
        let root = try YAMLText.parse(yaml, name: name)
        guard let root else { throw Failure(.badData, name, "is empty; a label map was expected") }
        try self.init(reader, root)
    }

    private init(_ reader: LabelMapReader, _ root: Node) throws {
        let keys = try reader.mapping(
            root, LabelMapReader.whole,
            keys: [
                "release", "source", "known_by", "separator", "columns", "file", "files", "patient", "attributes",
            ])
        let attributes = try keys["attributes"].map { try reader.entries($0, "attributes") } ?? []
        let patient = try keys["patient"].map { try reader.patient($0) }
        let files = try reader.files(keys, root, common: attributes)
        try reader.requireSource(keys["source"], root, patient, attributes)
        if files.isEmpty { try reader.requirePaths(root, patient, attributes) }
        self.init(
            name: reader.name, release: try keys["release"].map { try reader.text($0, "release") },
            separator: try keys["separator"].map { try reader.separator($0) },
            columns: try keys["columns"].map { try reader.texts($0, "columns") }, files: files, patient: patient,
            attributes: attributes, knownBy: try keys["known_by"].map { try reader.texts($0, "known_by") } ?? [])
    }
}

/// Reads the nodes of a label map strictly.
struct LabelMapReader {
    /// What errors call the map as a whole.
    static let whole = "the map"

    let name: String

    // MARK: The parts of a map

    fileprivate func separator(_ node: Node) throws -> TableSeparator {
        let text = try text(node, "separator")
        guard let separator = TableSeparator(text) else {
            throw failure(
                node, "separator", expected: "\",\", \";\", \"|\", \"\\t\" or \" \"", found: "\"\(text)\"")
        }
        return separator
    }

    /// The columns that name photographs.
    /// - Parameter common: the attributes of all photographs, which no single column may state again.
    fileprivate func files(
        _ keys: [String: Node], _ root: Node, common: [LabelMap.Entry]
    ) throws -> [LabelMap.FileColumn] {
        if let node = keys["file"] {
            guard keys["files"] == nil else {
                throw failure(node, "file", expected: "either file or files", found: "both")
            }
            return [try file(node, "file", keys: ["column", "suffix"], common: [])]
        }
        guard let node = keys["files"] else { return [] }
        let nodes = try list(node, "files")
        guard !nodes.isEmpty else {
            throw failure(node, "files", expected: "the columns that name photographs", found: "an empty list")
        }
        let files = try nodes.enumerated().map { index, node in
            try file(node, "files[\(index)]", keys: ["column", "suffix", "attributes"], common: common)
        }
        for (index, file) in files.enumerated() where files[..<index].contains(where: { $0.column == file.column }) {
            throw failure(
                nodes[index], "files", expected: "each column once", found: "\"\(file.column)\" twice")
        }
        return files
    }

    private func file(
        _ node: Node, _ field: String, keys: [String], common: [LabelMap.Entry]
    ) throws -> LabelMap.FileColumn {
        let found = try mapping(node, field, keys: keys)
        let own = try found["attributes"].map { try entries($0, "\(field).attributes") } ?? []
        for entry in own where entry.source.isPath {
            throw failure(
                node, "\(field).attributes", expected: "attributes from the table; a path belongs to attributes",
                found: entry.attribute.name)
        }
        for entry in own where common.contains(where: { $0.attribute == entry.attribute }) {
            throw failure(
                node, "\(field).attributes", expected: "attributes that are not stated for all photographs",
                found: entry.attribute.name)
        }
        return LabelMap.FileColumn(
            column: try required(found, "column", of: field, at: node),
            suffix: try found["suffix"].map { try text($0, "\(field).suffix") } ?? "", attributes: own)
    }

    fileprivate func patient(_ node: Node) throws -> LabelMap.Patient {
        let found = try mapping(node, "patient", keys: ["column", "pattern", "path", "header"])
        if let path = found["path"] {
            guard found.count == 1 else {
                throw failure(node, "patient", expected: "path as the only key", found: "other keys")
            }
            return .path(try pattern(path, "patient.path"))
        }
        if let header = found["header"] {
            guard found.count == 1 else {
                throw failure(node, "patient", expected: "header as the only key", found: "other keys")
            }
            try requireTrue(header, "patient.header")
            return .header
        }
        return .column(
            try required(found, "column", of: "patient", at: node),
            pattern: try found["pattern"].map { try pattern($0, "patient.pattern") })
    }

    /// The attributes of a mapping, in the schema's order.
    fileprivate func entries(_ node: Node, _ field: String) throws -> [LabelMap.Entry] {
        let named = try mapping(node, field, keys: CohortSchema.attributes.map(\.name))
        return try CohortSchema.attributes.compactMap { attribute in
            guard let node = named[attribute.name] else { return nil }
            return LabelMap.Entry(
                attribute: attribute, source: try source(node, attribute, field: "\(field).\(attribute.name)"))
        }
    }

    /// Refuses a map that takes something from headers and does not say of which files, and the other way round.
    fileprivate func requireSource(
        _ source: Node?, _ root: Node, _ patient: LabelMap.Patient?, _ entries: [LabelMap.Entry]
    ) throws {
        let usesHeaders = patient == .header || entries.contains { $0.source == .header }
        guard let source else {
            guard usesHeaders else { return }
            throw failure(root, "source", expected: "dicom, since the map takes values from headers", found: "nothing")
        }
        let text = try text(source, "source")
        guard text == "dicom" else { throw failure(source, "source", expected: "dicom", found: "\"\(text)\"") }
        guard usesHeaders else {
            throw failure(
                source, "source",
                expected: "patient: {header: true}, or {header: true} for one of the attributes "
                    + LabelMap.headerAttributes.joined(separator: ", "),
                found: "nothing from the header")
        }
    }

    /// Refuses another value than `true`.
    func requireTrue(_ node: Node, _ field: String) throws {
        let text = try text(node, field)
        guard text == "true" else { throw failure(node, field, expected: "true", found: "\"\(text)\"") }
    }

    /// Refuses a map that names no column of photographs, and yet has columns or states nothing.
    fileprivate func requirePaths(_ root: Node, _ patient: LabelMap.Patient?, _ entries: [LabelMap.Entry]) throws {
        let usesColumns = if case .column = patient { true } else { entries.contains { !$0.source.columns.isEmpty } }
        guard !usesColumns, patient != nil || !entries.isEmpty else {
            throw failure(root, "file", expected: "the column that names the photographs", found: "nothing")
        }
    }

    // MARK: Nodes

    func failure(_ node: Node, _ field: String, expected: String, found: String) -> Failure {
        Failure(.badData, place(node), field: field, expected: expected, found: found)
    }

    func place(_ node: Node) -> String {
        node.mark.map { "\(name) line \($0.line)" } ?? name
    }

    func mapping(_ node: Node, _ field: String, keys: [String]? = nil) throws -> [String: Node] {
        var result: [String: Node] = [:]
        for (key, value) in try pairs(node, field, keys: keys) { result[key] = value }
        return result
    }

    /// The keys and values of a mapping in their order.
    func pairs(_ node: Node, _ field: String, keys: [String]? = nil) throws -> [(key: String, value: Node)] {
        guard case .mapping(let mapping) = node else {
            // The text of a whole file may be a table of patients.
            let found =
                if case .scalar = node, field == LabelMapReader.whole { "a text without keys" } else { kind(node) }
            throw failure(node, field, expected: "keys and values", found: found)
        }
        return try mapping.map { key, value in
            let text = try text(key, "a key of \(field)")
            if let keys, !keys.contains(text) {
                throw Failure(
                    .badData, place(key),
                    "unknown key \"\(text.excerpt)\" in \(field); the keys are \(keys.joined(separator: ", "))")
            }
            return (text, value)
        }
    }

    func list(_ node: Node, _ field: String) throws -> [Node] {
        guard case .sequence(let sequence) = node else {
            throw failure(node, field, expected: "a list", found: kind(node))
        }
        return Array(sequence)
    }

    func texts(_ node: Node, _ field: String) throws -> [String] { try list(node, field).map { try text($0, field) } }

    func text(_ node: Node, _ field: String) throws -> String {
        guard case .scalar(let scalar) = node else { throw failure(node, field, expected: "text", found: kind(node)) }
        return scalar.string
    }

    func required(_ keys: [String: Node], _ key: String, of field: String, at node: Node) throws -> String {
        guard let value = keys[key] else {
            throw failure(node, "\(field).\(key)", expected: "a column's name", found: "nothing")
        }
        return try text(value, "\(field).\(key)")
    }

    func pattern(_ node: Node, _ field: String) throws -> LabelPattern {
        let text = try text(node, field)
        do {
            return try LabelPattern(text)
        } catch {
            throw failure(node, field, expected: "a regular expression", found: "\"\(text)\"")
        }
    }

    private func kind(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): "\"\(scalar.string)\""
        case .mapping: "keys and values"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
