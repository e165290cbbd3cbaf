import Files
import Foundation
import Yams

extension LabelMap {
    /// Reads a map.
    /// - Throws: `Failure`: `.noSuchInput`, or `.badData` with the file and line for anchors and aliases, unknown keys,
    ///   attributes or codes that the schema lacks, and values of a wrong kind.
    public init(contentsOf path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { throw Failure(.noSuchInput, path, "does not exist") }
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8)
        else {
            throw Failure(.badData, path, "is not UTF-8 text")
        }
        try self.init(yaml: text, name: path)
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
            root, LabelMapReader.whole, keys: ["release", "separator", "file", "patient", "attributes"])
        name = reader.name
        release = try keys["release"].map { try reader.text($0, "release") }
        separator = try keys["separator"].map { node in
            let text = try reader.text(node, "separator")
            guard [",", ";", "\t"].contains(text), let character = text.first else {
                throw reader.failure(node, "separator", expected: "\",\", \";\" or \"\\t\"", found: "\"\(text)\"")
            }
            return character
        }
        guard let fileNode = keys["file"] else {
            throw reader.failure(root, "file", expected: "the column that names the photographs", found: "nothing")
        }
        let file = try reader.mapping(fileNode, "file", keys: ["column", "suffix"])
        self.file = FileColumn(
            column: try reader.required(file, "column", of: "file", at: fileNode),
            suffix: try file["suffix"].map { try reader.text($0, "file.suffix") } ?? "")
        patient = try keys["patient"].map { node in
            let patient = try reader.mapping(node, "patient", keys: ["column", "pattern"])
            return PatientColumn(
                column: try reader.required(patient, "column", of: "patient", at: node),
                pattern: try patient["pattern"].map { try reader.pattern($0, "patient.pattern") })
        }
        let named = try keys["attributes"].map {
            try reader.mapping($0, "attributes", keys: CohortSchema.attributes.map(\.name))
        }
        attributes = try CohortSchema.attributes.compactMap { attribute in
            guard let node = named?[attribute.name] else { return nil }
            return (attribute, try reader.source(node, attribute))
        }
    }
}

/// Reads the nodes of a label map strictly.
private struct LabelMapReader {
    /// What errors call the map as a whole.
    static let whole = "the map"

    let name: String

    func failure(_ node: Node, _ field: String, expected: String, found: String) -> Failure {
        Failure(.badData, place(node), field: field, expected: expected, found: found)
    }

    private func place(_ node: Node) -> String {
        node.mark.map { "\(name) line \($0.line)" } ?? name
    }

    func mapping(_ node: Node, _ field: String, keys: [String]? = nil) throws -> [String: Node] {
        guard case .mapping(let mapping) = node else {
            // The text of a whole file may be a table of patients.
            let found =
                if case .scalar = node, field == LabelMapReader.whole { "a text without keys" } else { kind(node) }
            throw failure(node, field, expected: "keys and values", found: found)
        }
        var result: [String: Node] = [:]
        for (key, value) in mapping {
            let text = try text(key, "a key of \(field)")
            if let keys, !keys.contains(text) {
                throw Failure(
                    .badData, place(key),
                    "unknown key \"\(text.excerpt)\" in \(field); the keys are \(keys.joined(separator: ", "))")
            }
            result[text] = value
        }
        return result
    }

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

    /// Where the values of `attribute` come from.
    func source(_ node: Node, _ attribute: Attribute) throws -> LabelMap.Source {
        let field = "attributes.\(attribute.name)"
        let known = ["constant", "column", "pattern", "codes", "years", "born", "taken", "dates"]
        let keys = try mapping(node, field, keys: known)
        if let constant = keys["constant"] {
            guard keys.count == 1 else {
                throw failure(node, field, expected: "constant as the only key", found: "other keys")
            }
            return .constant(try code(constant, attribute, field: "\(field).constant"))
        }
        if keys["born"] != nil || keys["taken"] != nil || keys["dates"] != nil {
            return try dates(node, keys, attribute, field: field)
        }
        let column = try required(keys, "column", of: field, at: node)
        if let years = keys["years"] {
            guard attribute.name == LabelMapReader.age, keys.count == 2 else {
                throw failure(
                    node, "\(field).years", expected: "only the attribute age_band, with column as the only other key",
                    found: attribute.name == LabelMapReader.age ? "other keys" : attribute.name)
            }
            let text = try text(years, "\(field).years")
            guard text == "true" else {
                throw failure(years, "\(field).years", expected: "true", found: "\"\(text)\"")
            }
            return .years(column)
        }
        let pattern = try keys["pattern"].map { try self.pattern($0, "\(field).pattern") }
        guard let codesNode = keys["codes"] else {
            // A site's scheme for ethnicity has a declared crosswalk, so its codes must always be written out.
            guard attribute.isOpen, attribute.name != "ethnicity" else { throw withoutCodes(node, column, attribute) }
            return .asWritten(column, pattern: pattern)
        }
        var codes: [String: String] = [:]
        for (written, value) in try mapping(codesNode, "\(field).codes") {
            codes[written] = try code(value, attribute, field: "\(field).codes.\(written)")
        }
        return .column(column, pattern: pattern, codes: codes)
    }

    private static let age = "age_band"

    /// The failure of an attribute that names a column, and does not say what its cells mean.
    private func withoutCodes(_ node: Node, _ column: String, _ attribute: Attribute) -> Failure {
        let field = "attributes.\(attribute.name)"
        guard attribute.name == LabelMapReader.age else {
            let example = attribute.names.first ?? "name"
            return failure(
                node, "\(field).codes",
                expected: "what each cell of the column means, such as codes: {\"1\": \"\(example)\"}", found: "nothing"
            )
        }
        return Failure(
            .badData, place(node),
            """
            \(field) names a column and does not say what its cells are; write {column: \(column.excerpt), years: \
            true} for ages in whole years, {born: COLUMN, taken: COLUMN} for the dates of birth and of the photograph, \
            or codes for bands
            """)
    }

    /// An age from two dates.
    private func dates(_ node: Node, _ keys: [String: Node], _ attribute: Attribute, field: String) throws
        -> LabelMap.Source
    {
        guard attribute.name == LabelMapReader.age, keys.keys.allSatisfy({ ["born", "taken", "dates"].contains($0) })
        else {
            throw failure(
                node, field, expected: "born, taken and dates only for age_band and without other keys",
                found: keys.keys.sorted().joined(separator: ", "))
        }
        let born = try required(keys, "born", of: field, at: node)
        guard keys["taken"] != nil else {
            throw failure(
                node, "\(field).taken",
                expected: "the column with the date of the photograph, since a date of birth alone gives no age",
                found: "nothing")
        }
        let taken = try required(keys, "taken", of: field, at: node)
        guard let dates = keys["dates"] else { return .dates(born: born, taken: taken, .usual) }
        let written = try text(dates, "\(field).dates")
        guard let form = DateForm(written) else {
            throw failure(
                dates, "\(field).dates", expected: "how dates are written, such as DD.MM.YYYY or YYYY-MM-DD",
                found: "\"\(written)\"")
        }
        return .dates(born: born, taken: taken, form)
    }

    /// The name of a code of `attribute`, or `unknown`.
    private func code(_ node: Node, _ attribute: Attribute, field: String) throws -> String {
        let text = try text(node, field)
        guard attribute.isOpen || attribute.names.contains(text) || text == "unknown" else {
            throw failure(
                node, field, expected: (attribute.names + ["unknown"]).joined(separator: ", "), found: "\"\(text)\"")
        }
        return text
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
