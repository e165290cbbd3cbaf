import Files
import Foundation

/// Reads the values of one attribute, from the rows of a table or from paths. It must stay on one thread.
struct AttributeReader {
    private let attribute: Attribute
    private let source: LabelMap.Source
    private let indices: [Int]
    private let pattern: CompiledPattern?
    private let codes: CodeTable
    /// The map's name, for errors.
    private let map: String

    /// - Throws: `Failure(.badData)` if the table lacks a column.
    init(_ entry: LabelMap.Entry, _ table: LabelMapTable, map: String) throws {
        try self.init(entry, map: map, indices: try entry.source.columns.map { try table.index(of: $0) })
    }

    /// A reader for what does not come from a table.
    init(_ entry: LabelMap.Entry, map: String) throws { try self.init(entry, map: map, indices: [0]) }

    private init(_ entry: LabelMap.Entry, map: String, indices: [Int]) throws {
        (attribute, source, self.indices, self.map) = (entry.attribute, entry.source, indices, map)
        (pattern, codes) =
            switch entry.source {
            case .column(_, let pattern, let codes): (pattern?.compiled(), CodeTable(codes))
            case .asWritten(_, let pattern): (pattern?.compiled(), CodeTable([:]))
            case .list(_, let split, let codes, _, _): (split.compiled(), CodeTable(codes))
            case .path(let pattern, let codes): (pattern.compiled(), CodeTable(codes ?? [:]))
            case .constant, .years, .dates, .flags, .header: (nil, CodeTable([:]))
            }
    }

    /// Adds the value to `cohort`, unless it is unknown.
    /// - Parameter place: the file and line, for errors.
    func read(_ cells: [String], into cohort: inout Cohort, place: String) throws {
        let value = try value(of: indices.map { cells[$0] }, place)
        if value != "unknown" { cohort[attribute.name] = value }
    }

    private func value(of cells: [String], _ place: String) throws -> String {
        switch source {
        case .constant(let name): return name
        case .flags(let flags, let none, let several): return try flagged(flags, cells, none, several, place)
        default: break
        }
        guard !cells.contains(""), let cell = cells.first else { return "unknown" }
        switch source {
        case .constant, .flags, .header: return "unknown"
        case .years(let column): return try age(cell, column, place)
        case .dates(let born, let taken, let form): return try age([born, taken], cells, form, place)
        case .asWritten(let column, _):
            guard let pattern else { return cell.printable }
            guard let part = pattern.part(of: cell) else {
                throw Failure(
                    .badData, place, field: column.excerpt, expected: "text that the pattern \(pattern.text) matches",
                    found: "\"\(cell)\"")
            }
            return part.printable
        case .column(let column, _, _):
            let written = pattern.map { $0.part(of: cell) } ?? cell
            guard let written, let name = codes[written] else { throw unnamed(cell, column, place) }
            return name
        case .list(let column, _, _, let otherwise, let several):
            let parts = (pattern?.split(cell) ?? []).map { $0.trimmingCharacters(in: .whitespaces) }
            let found = try parts.filter { !$0.isEmpty }.map { part in
                guard let name = codes[part] ?? otherwise else { throw unnamed(part, column, place) }
                return name
            }
            return several.one(of: found) ?? "unknown"
        case .path(_, let known):
            guard let part = pattern?.part(of: cell), !part.isEmpty else { return "unknown" }
            guard known != nil else { return part.printable }
            guard let name = codes[part] else { throw unnamed(part, "the path's part", place) }
            return name
        }
    }

    private func unnamed(_ text: String, _ column: String, _ place: String) -> Failure {
        Failure(
            .badData, place,
            "\(column.excerpt) \"\(text.excerpt)\" is not a code that \(map) names (\(codes.texts), or empty)")
    }

    private static let flag = CodeTable(
        ["1": "yes", "yes": "yes", "true": "yes", "x": "yes", "0": "no", "no": "no", "false": "no"])

    /// The code of the columns that say yes. Where one of the columns is empty, it is not known that all say no.
    private func flagged(
        _ flags: [LabelMap.Flag], _ cells: [String], _ none: String, _ several: LabelMap.Several, _ place: String
    ) throws -> String {
        var found: [String] = [], isComplete = true
        for (flag, cell) in zip(flags, cells) {
            if cell.isEmpty {
                isComplete = false
                continue
            }
            guard let says = AttributeReader.flag[cell.lowercased()] else {
                throw Failure(
                    .badData, place, field: flag.column.excerpt, expected: "0, 1, yes or no", found: "\"\(cell)\"")
            }
            if says == "yes" { found.append(flag.code) }
        }
        if found.isEmpty { return isComplete ? none : "unknown" }
        return several.one(of: found) ?? "unknown"
    }

    /// The band of an age in years.
    private func age(_ cell: String, _ column: String, _ place: String) throws -> String {
        if MissingText.all.contains(cell.lowercased()) { return "unknown" }
        guard let ages = AgeText.years(cell) else {
            let looksLikeDate = cell.count { "./-".contains($0) } == 2
            throw Failure(
                .badData, place,
                "\(column.excerpt): expected an age in years such as 48 or 90+, found \"\(cell.excerpt)\""
                    + (looksLikeDate
                        ? """
                        ; a date of birth is mapped together with the date of the photograph: \(attribute.name): \
                        {born: \(column.excerpt), taken: COLUMN, dates: DD.MM.YYYY}
                        """ : ""))
        }
        let band = attribute.band(ages.lowerBound)
        guard band == attribute.band(ages.upperBound) else {
            throw Failure(
                .badData, place,
                """
                \(column.excerpt) "\(cell.excerpt)" is in no single band of ten years (80+ is one); map this column \
                with codes in place of years: {column: \(column.excerpt), codes: {"\(cell.excerpt)": unknown, ...}}
                """)
        }
        return band
    }

    /// The band of the age between two dates.
    private func age(_ columns: [String], _ cells: [String], _ form: DateForm, _ place: String) throws -> String {
        let days = try zip(columns, cells).map { column, cell in
            guard let day = form.day(cell) else {
                throw Failure(
                    .badData, place, field: column.excerpt, expected: "a date such as \(form.text)",
                    found: "\"\(cell)\"")
            }
            return day
        }
        let years = days[1].years(since: days[0])
        guard (0...AgeText.oldest).contains(years) else {
            throw Failure(
                .badData, place, field: columns.map(\.excerpt).joined(separator: " and "),
                expected: "an age of 0 to \(AgeText.oldest) years", found: "\(years)")
        }
        return attribute.band(years)
    }
}

extension LabelMap.Several {
    /// The one code that counts of those that were found; nil if that is unknown.
    fileprivate func one(of found: [String]) -> String? {
        let known = Set(found).subtracting(["unknown"])
        if known.count < 2 { return known.first }
        switch self {
        case .unknown: return nil
        case .first(let order): return order.first(where: known.contains)
        }
    }
}

extension Attribute {
    /// The band of ten years of an age.
    package func band(_ years: Int) -> String { names[min(years / 10, names.count - 1)] }
}
