import Files

/// What a label table says about one photograph.
public struct PhotographLabels: Sendable, Equatable {
    public var cohort: Cohort
    /// The patient as the table names them; nil if the cell is empty or the map has no patient column.
    public var patient: String?
    /// The line of the table that holds the labels; 0 for labels that come from the photograph's path alone.
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
    ///   does not match, a code that the map does not name, or an age that is none.
    public func labels(in table: LabelMapTable) throws -> [String: PhotographLabels] {
        let places = try files.map { try table.index(of: $0.column) }
        let patientReader = try PatientReader(patient, table)
        let common = try readers(attributes, table)
        let columns = try zip(files, places).map { ($0, $1, try readers($0.attributes, table)) }
        var result: [String: PhotographLabels] = [:]
        for row in table.rows {
            let place = "\(table.name) line \(row.line)"
            var labels = PhotographLabels(
                cohort: Cohort(), patient: try patientReader?.patient(in: row.cells, place: place), line: row.line)
            try common.forEach { try $0.read(row.cells, into: &labels.cohort, place: place) }
            var isNamed = false
            for (file, index, own) in columns where !row.cells[index].isEmpty {
                isNamed = true
                var labels = labels
                try own.forEach { try $0.read(row.cells, into: &labels.cohort, place: place) }
                let photograph = file.photograph(row.cells[index])
                result[photograph] = result[photograph].map { $0.merged(labels) } ?? labels
            }
            guard isNamed else {
                throw Failure(
                    .badData, place, field: files.map(\.column.excerpt).joined(separator: ", "),
                    expected: "a photograph's name", found: "nothing")
            }
        }
        return result
    }

    private func readers(_ entries: [Entry], _ table: LabelMapTable) throws -> [AttributeReader] {
        try entries.filter { !$0.source.isPath && $0.source != .header }.map {
            try AttributeReader($0, table, map: name)
        }
    }

    /// Whether a photograph's path says something about it.
    public var readsPaths: Bool {
        if case .path = patient { return true }
        return attributes.contains { $0.source.isPath }
    }

    /// What the paths of photographs in their folder say, and in a map that reads no table also what holds for all
    /// photographs. A path that a pattern does not match says nothing of that attribute.
    /// - Throws: `Failure(.badData)` for a part of a path that the map does not name, and for a pattern that matches no
    ///   path at all.
    public func labels(ofPaths photographs: [String]) throws -> [String: PhotographLabels] {
        if case .path(let pattern) = patient { try require(pattern, "patient", matches: photographs) }
        for case (let name, .path(let pattern, _)) in attributes.map({ ($0.attribute.name, $0.source) }) {
            try require(pattern, name, matches: photographs)
        }
        let entries = attributes.filter { ($0.source.isPath || !readsTable) && $0.source != .header }
        let readers = try entries.map { try AttributeReader($0, map: name) }
        let patientPattern: CompiledPattern? = if case .path(let pattern) = patient { pattern.compiled() } else { nil }
        var result: [String: PhotographLabels] = [:]
        for path in photographs {
            var labels = PhotographLabels(
                cohort: Cohort(), patient: patientPattern?.part(of: path).flatMap(PatientName.plain), line: 0)
            try readers.forEach { try $0.read([path], into: &labels.cohort, place: path) }
            result[path] = labels
        }
        return result
    }
}

extension LabelMap {
    /// Refuses a pattern that matches no path: the map is for another set, or the folder is another one.
    private func require(_ pattern: LabelPattern, _ field: String, matches photographs: [String]) throws {
        let compiled = pattern.compiled()
        guard !photographs.contains(where: { compiled.part(of: $0) != nil }) else { return }
        let some = photographs.prefix(3).map { "\"\($0.excerpt)\"" }.joined(separator: ", ")
        throw Failure(
            .badData, name, "\(field): the pattern \(pattern.text) matches no photograph of the folder, such as \(some)"
        )
    }
}

extension LabelMap.FileColumn {
    private static let pictures = [
        ".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".bmp", ".webp", ".jp2", ".dcm", ".ppm", ".gif",
    ]

    /// The photograph that a cell names: with the suffix, unless it has that of a picture already.
    func photograph(_ cell: String) -> String {
        let small = cell.lowercased()
        let isWhole = ([suffix.lowercased()] + Self.pictures).contains(where: small.hasSuffix)
        return isWhole ? cell : cell + suffix
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

/// Reads the patients of a table.
private struct PatientReader {
    private let column: String
    private let index: Int
    private let pattern: CompiledPattern?

    /// - Returns: nil if the table does not name the patients.
    init?(_ patient: LabelMap.Patient?, _ table: LabelMapTable) throws {
        guard case .column(let column, let pattern) = patient else { return nil }
        self.column = column
        index = try table.index(of: column)
        self.pattern = pattern?.compiled()
    }

    /// The patient; nil if the cell names none.
    func patient(in cells: [String], place: String) throws -> String? {
        let written = cells[index]
        if PatientName.plain(written) == nil { return nil }
        if written.contains("+"), written.wholeMatch(of: /[0-9][.,][0-9]+[Ee]\+[0-9]+/) != nil {
            throw Failure(
                .badData, place,
                """
                \(column.excerpt) "\(written)" is a number that a program for tables has rounded, so that several \
                patients may have it; give the column the format "text" and export the table again
                """)
        }
        guard let key = pattern.map({ $0.part(of: written) }) ?? written, !key.isEmpty else {
            throw Failure(
                .badData, place, field: column.excerpt,
                expected: "text that the pattern \(pattern?.text ?? "") matches", found: "\"\(written)\"")
        }
        return PatientName.plain(key)
    }
}
