import Files
import Yams

extension LabelMap.Source {
    /// The columns that hold the value; none for a constant, a part of the path and a header.
    var columns: [String] {
        switch self {
        case .constant, .path, .header: []
        case .column(let column, _, _), .years(let column), .asWritten(let column, _), .list(let column, _, _, _, _):
            [column]
        case .dates(let born, let taken, _): [born, taken]
        case .flags(let flags, _, _): flags.map(\.column)
        }
    }

    /// Whether the value is a part of the photograph's path.
    var isPath: Bool { if case .path = self { true } else { false } }
}

extension LabelMapReader {
    private static let age = "age_band"

    /// Where the values of `attribute` come from.
    /// - Parameter field: where the map states it, for errors.
    func source(_ node: Node, _ attribute: Attribute, field: String) throws -> LabelMap.Source {
        let known = [
            "constant", "column", "pattern", "codes", "years", "born", "taken", "dates", "flags", "none", "several",
            "split", "otherwise", "path", "header",
        ]
        let keys = try mapping(node, field, keys: known)
        if let constant = keys["constant"] {
            try requireOnly(["constant"], keys, node, field)
            return .constant(try code(constant, attribute, field: "\(field).constant"))
        }
        if keys["born"] != nil || keys["taken"] != nil || keys["dates"] != nil {
            return try dates(node, keys, attribute, field: field)
        }
        if let header = keys["header"] {
            try requireOnly(["header"], keys, node, field)
            guard LabelMap.headerAttributes.contains(attribute.name) else {
                throw failure(
                    node, "\(field).header", expected: "one of \(LabelMap.headerAttributes.joined(separator: ", "))",
                    found: attribute.name)
            }
            try requireTrue(header, "\(field).header")
            return .header
        }
        if keys["flags"] != nil { return try flags(node, keys, attribute, field: field) }
        if let path = keys["path"] {
            try requireOnly(["path", "codes"], keys, node, field)
            if keys["codes"] == nil { try requireCodes(node, "the part of the path", attribute, field: field) }
            return .path(try pattern(path, "\(field).path"), codes: try codes(keys, attribute, field: field))
        }
        let column = try required(keys, "column", of: field, at: node)
        if keys["split"] != nil { return try list(node, keys, column, attribute, field: field) }
        if let years = keys["years"] {
            guard attribute.name == LabelMapReader.age, keys.count == 2 else {
                throw failure(
                    node, "\(field).years", expected: "only the attribute age_band, with column as the only other key",
                    found: attribute.name == LabelMapReader.age ? "other keys" : attribute.name)
            }
            try requireTrue(years, "\(field).years")
            return .years(column)
        }
        try requireOnly(["column", "pattern", "codes"], keys, node, field)
        let pattern = try keys["pattern"].map { try self.pattern($0, "\(field).pattern") }
        guard let codes = try codes(keys, attribute, field: field) else {
            try requireCodes(node, column, attribute, field: field)
            return .asWritten(column, pattern: pattern)
        }
        return .column(column, pattern: pattern, codes: codes)
    }

    private func requireOnly(_ allowed: [String], _ keys: [String: Node], _ node: Node, _ field: String) throws {
        guard let other = keys.keys.sorted().first(where: { !allowed.contains($0) }) else { return }
        let expected = allowed.count == 1 ? "\(allowed[0]) as the only key" : "only \(allowed.joined(separator: ", "))"
        throw failure(node, field, expected: expected, found: other)
    }

    /// What each text means; nil if the map does not say it.
    private func codes(_ keys: [String: Node], _ attribute: Attribute, field: String) throws -> [String: String]? {
        guard let node = keys["codes"] else { return nil }
        var codes: [String: String] = [:]
        for (written, value) in try pairs(node, "\(field).codes") {
            codes[written] = try code(value, attribute, field: "\(field).codes.\(written)")
        }
        return codes
    }

    /// Columns that each say yes or no to one code.
    private func flags(
        _ node: Node, _ keys: [String: Node], _ attribute: Attribute, field: String
    ) throws -> LabelMap.Source {
        try requireOnly(["flags", "none", "several"], keys, node, field)
        let flags = try keys["flags"].map { try pairs($0, "\(field).flags") } ?? []
        return .flags(
            try flags.map { column, value in
                LabelMap.Flag(column: column, code: try code(value, attribute, field: "\(field).flags.\(column)"))
            },
            none: try keys["none"].map { try code($0, attribute, field: "\(field).none") } ?? "unknown",
            several: try several(keys, attribute, field: field))
    }

    /// A cell that holds several codes.
    private func list(
        _ node: Node, _ keys: [String: Node], _ column: String, _ attribute: Attribute, field: String
    ) throws -> LabelMap.Source {
        try requireOnly(["column", "split", "codes", "otherwise", "several"], keys, node, field)
        guard let split = keys["split"], let codes = try codes(keys, attribute, field: field) else {
            throw failure(node, "\(field).codes", expected: "what each part of the cell means", found: "nothing")
        }
        return .list(
            column, split: try pattern(split, "\(field).split"), codes: codes,
            otherwise: try keys["otherwise"].map { try code($0, attribute, field: "\(field).otherwise") },
            several: try several(keys, attribute, field: field))
    }

    /// What counts where there are several codes: `unknown`, which is also meant where nothing is said, or a list of
    /// codes of which the first goes before the others.
    private func several(_ keys: [String: Node], _ attribute: Attribute, field: String) throws -> LabelMap.Several {
        guard let node = keys["several"] else { return .unknown }
        if case .sequence = node {
            return .first(try list(node, "\(field).several").map { try code($0, attribute, field: "\(field).several") })
        }
        let text = try text(node, "\(field).several")
        guard text == "unknown" else {
            throw failure(
                node, "\(field).several", expected: "unknown, or a list of codes of which the first there is counts",
                found: "\"\(text)\"")
        }
        return .unknown
    }

    /// Refuses an attribute that says where its texts come from, and not what they mean.
    private func requireCodes(_ node: Node, _ column: String, _ attribute: Attribute, field: String) throws {
        // A site's scheme for ethnicity has a declared crosswalk, so its codes must always be written out.
        if attribute.isOpen, attribute.name != "ethnicity" { return }
        guard attribute.name == LabelMapReader.age else {
            let example = attribute.names.first ?? "name"
            throw failure(
                node, "\(field).codes",
                expected: "what each cell of the column means, such as codes: {\"1\": \"\(example)\"}", found: "nothing"
            )
        }
        throw Failure(
            .badData, place(node),
            """
            \(field) names a column and does not say what its cells are; write {column: \(column.excerpt), years: \
            true} for ages in years, {born: COLUMN, taken: COLUMN} for the dates of birth and of the photograph, \
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
}
