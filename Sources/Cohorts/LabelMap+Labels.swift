import Files

/// What a label table says about one photograph.
public struct PhotographLabels: Sendable, Equatable {
    public var cohort: Cohort
    /// The patient as the table names them; nil if the cell is empty or the map has no patient column.
    public var patient: String?
    /// The line of the table that holds the labels.
    public let line: Int
    /// Attributes (and "patient") in which rows of this photograph contradict each other. These attributes are unknown.
    public var conflicts: [String] = []

    public init(cohort: Cohort, patient: String?, line: Int) {
        self.cohort = cohort
        self.patient = patient
        self.line = line
    }
}

extension LabelMap {
    /// The labels in `table`, by the photograph's file name. A photograph with several rows keeps the labels in which
    /// its rows agree.
    /// - Throws: `Failure(.badData)` for a missing column, an empty name of a photograph, a cell that its pattern
    ///   does not match, a code that the map does not name, or an age that is not a whole number from 0 to 130.
    public func labels(in table: LabelMapTable) throws -> [String: PhotographLabels] {
        let fileIndex = try table.index(of: file.column)
        let patientIndex = try patient.map { try table.index(of: $0.column) }
        let sources = try attributes.map { entry in
            (entry.attribute, entry.source, try entry.source.columns.map { try table.index(of: $0) })
        }
        var result: [String: PhotographLabels] = [:]
        for row in table.rows {
            let cell = row.cells[fileIndex]
            guard !cell.isEmpty else {
                throw Failure(
                    .badData, "\(table.name) line \(row.line)", field: file.column, expected: "a photograph's name",
                    found: "nothing")
            }
            let photograph = cell.hasSuffix(file.suffix) ? cell : cell + file.suffix
            var labels = PhotographLabels(cohort: Cohort(), patient: nil, line: row.line)
            if let patient, let patientIndex {
                let written = row.cells[patientIndex]
                if !written.isEmpty {
                    guard let key = patient.pattern.map({ $0.part(of: written) }) ?? written, !key.isEmpty else {
                        throw Failure(
                            .badData, "\(table.name) line \(row.line)", field: patient.column.excerpt,
                            expected: "text that the pattern \(patient.pattern?.text ?? "") matches",
                            found: "\"\(written)\"")
                    }
                    labels.patient = key
                }
            }
            for (attribute, source, indices) in sources {
                let place = "\(table.name) line \(row.line)"
                let value = try source.value(of: indices.map { row.cells[$0] }, attribute, place: place, map: name)
                if value != "unknown" { labels.cohort[attribute.name] = value }
            }
            result[photograph] = result[photograph].map { $0.merged(labels) } ?? labels
        }
        return result
    }
}

extension PhotographLabels {
    /// What both say, and what only one of them says. Contradictions become unknown and are named in `conflicts`.
    public func merged(_ other: PhotographLabels) -> PhotographLabels {
        var result = self
        var conflicts = Set(self.conflicts + other.conflicts)
        for attribute in Set(cohort.values.keys).union(other.cohort.values.keys) {
            switch (cohort[attribute], other.cohort[attribute]) {
            case (let a?, let b?) where a != b: conflicts.insert(attribute)
            case (nil, let b?): result.cohort[attribute] = b
            default: break
            }
        }
        if let a = patient, let b = other.patient, a != b { conflicts.insert("patient") }
        result.patient = patient ?? other.patient
        for attribute in conflicts { result.cohort[attribute] = nil }
        result.conflicts = conflicts.sorted()
        return result
    }
}

extension LabelMap.Source {
    /// The columns that hold the value; none for a constant.
    var columns: [String] {
        switch self {
        case .constant: []
        case .column(let column, _, _), .years(let column), .asWritten(let column, _): [column]
        case .dates(let born, let taken, _): [born, taken]
        }
    }

    /// The name of the code that the cells of `columns` stand for, or `unknown`.
    fileprivate func value(of cells: [String], _ attribute: Attribute, place: String, map: String) throws -> String {
        if case .constant(let name) = self { return name }
        if cells.contains("") { return "unknown" }
        let cell = cells[0]
        switch self {
        case .constant(let name): return name
        case .years(let column):
            guard let years = Int(cell), (0...130).contains(years) else {
                let looksLikeDate = cell.count { "./-".contains($0) } == 2
                throw Failure(
                    .badData, place,
                    "\(column.excerpt): expected an age in whole years, found \"\(cell.excerpt)\""
                        + (looksLikeDate
                            ? """
                            ; a date of birth is mapped together with the date of the photograph: \(attribute.name): \
                            {born: \(column.excerpt), taken: COLUMN, dates: DD.MM.YYYY}
                            """ : ""))
            }
            return attribute.band(years)
        case .dates(let born, let taken, let form):
            let days = try zip([born, taken], cells).map { column, cell in
                guard let day = form.day(cell) else {
                    throw Failure(
                        .badData, place, field: column.excerpt, expected: "a date such as \(form.text)",
                        found: "\"\(cell)\"")
                }
                return day
            }
            let years = days[1].years(since: days[0])
            guard (0...130).contains(years) else {
                throw Failure(
                    .badData, place, field: "\(born.excerpt) and \(taken.excerpt)",
                    expected: "an age of 0 to 130 years", found: "\(years)")
            }
            return attribute.band(years)
        case .asWritten(let column, let pattern):
            guard let pattern else { return cell.printable }
            guard let part = pattern.part(of: cell) else {
                throw Failure(
                    .badData, place, field: column.excerpt, expected: "text that the pattern \(pattern.text) matches",
                    found: "\"\(cell)\"")
            }
            return part.printable
        case .column(let column, let pattern, let codes):
            let written = pattern.map { $0.part(of: cell) } ?? cell
            guard let written, let name = codes[written] else {
                let known = codes.keys.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
                throw Failure(
                    .badData, place,
                    "\(column.excerpt) \"\(cell.excerpt)\" is not a code that \(map) names (\(known), or empty)")
            }
            return name
        }
    }
}

extension Attribute {
    /// The band of ten years of an age.
    package func band(_ years: Int) -> String { names[min(years / 10, names.count - 1)] }
}
