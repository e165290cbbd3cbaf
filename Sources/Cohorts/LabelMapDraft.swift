import Files
import Foundation

/// A draft of a map for a table: guesses from the names of columns and from the values of cells, each of which a person
/// has to check.
///
/// The draft can be read as a map. A value whose meaning is open is mapped to `unknown` and marked. Of columns that are
/// not used the draft holds only the names, because their cells may be about patients.
public struct LabelMapDraft: Sendable {
    /// The map with its remarks, one line each.
    public let lines: [String]
    /// The attributes for which there is a guess.
    public private(set) var attributes: [String] = []
    /// The columns of the table that the draft does not use.
    public let unusedColumns: [String]

    /// More values than this are no codes.
    private static let mostCodes = 30

    public init(_ table: LabelMapTable) {
        var writer = Writer(table: table)
        if let known = KnownSet.of(table.columns) { writer.write(known) } else { writer.writeAll() }
        writer.writeUnused()
        lines = writer.lines
        attributes = writer.attributes
        unusedColumns = table.columns.filter { !writer.used.contains($0) }
    }

    private struct Writer {
        let table: LabelMapTable
        var lines: [String] = []
        var attributes: [String] = []
        var used: Set<String> = []

        /// Writes the map of a public data set.
        mutating func write(_ known: KnownSet) {
            guard let map = try? known.lines() else { fatalError("the map \(known.shipped.name) cannot be read") }
            lines = [
                "# A draft of a map for \(table.name.printable), whose columns are those of a public data set. The map",
                "# \(known.shipped.name) comes with the program, so that an import can take it by this name.",
                "# Check that it is for this release of the set:",
            ]
            lines += known.shipped.remarks.map { "# \($0)" } + map
            attributes = known.attributes
            used = known.usedColumns
        }

        /// Writes the guesses for a table of a hospital.
        mutating func writeAll() {
            lines = ["# A draft of a map for \(table.name.printable). Every line is a guess: check each of them."]
            lines.append("# release: name and year of this release of the data")
            writeFile()
            writePatient()
            var body: [String] = []
            for attribute in CohortSchema.attributes where attribute.name != "site" {
                let found = source(of: attribute)
                if found.contains(where: { !$0.hasPrefix("#") }) {
                    attributes.append(attribute.name)
                    body.append("  \(attribute.name):")
                    body += found.map { "    \($0)" }
                } else {
                    body += found.map { "  \($0)" }
                }
            }
            if attributes.isEmpty {
                lines.append("# attributes: no column is known; docs/import.md says how columns are named")
            } else {
                lines.append("attributes:")
            }
            lines += body
        }

        /// Names the columns that are not used.
        mutating func writeUnused() {
            let rest = table.columns.filter { !used.contains($0) }
            if !rest.isEmpty { lines.append("# columns that are not used:") }
            lines += rest.map { "#   \($0.printable)" }
        }

        /// The first column whose name has this meaning and that passes `test`.
        private func column(_ meaning: KnownColumn.Meaning, where test: (String) -> Bool = { _ in true }) -> String? {
            let names = KnownColumn.names.first { $0.meaning == meaning }?.names ?? []
            for name in names {
                let found = table.columns.first { column in
                    KnownColumn.simple(column) == name && table.columns.count { $0 == column } == 1 && test(column)
                }
                if let found { return found }
            }
            return nil
        }

        /// The values of a column, without empty ones, sorted. Whole numbers stand without a fraction of zeros.
        private func cells(of column: String) -> [String] {
            guard let index = table.columns.firstIndex(of: column) else { return [] }
            return Set(table.rows.map { CodeTable.whole($0.cells[index]) }).subtracting([""]).sorted()
        }

        private mutating func writeFile() {
            let pictures = [".jpg", ".jpeg", ".jpe", ".png"]
            func isPicture(_ cell: String) -> Bool { pictures.contains { cell.lowercased().hasSuffix($0) } }
            let named = table.columns.first { cells(of: $0).contains(where: isPicture) } ?? column(.file)
            let column = named ?? table.columns[0]
            used.insert(column)
            var line = "file: {column: \(quoted(column))"
            var remarks = named == nil ? ["no column seems to name the photographs; this is the first"] : []
            if !cells(of: column).contains(where: isPicture) {
                line += ", suffix: .jpg"
                remarks.append("the names have no suffix; is it .jpg or .png?")
            }
            lines.append(line + "}" + (remarks.isEmpty ? "" : "  # " + remarks.joined(separator: "; ")))
        }

        private mutating func writePatient() {
            guard let known = column(.patient) else {
                lines += [
                    "# No column seems to name the patient. If one does: patient: {column: NAME}. If each photograph",
                    "# is of another patient, say so when you import.",
                ]
                return
            }
            used.insert(known)
            lines.append("patient: {column: \(quoted(known))}")
        }

        /// The lines below an attribute's name; remarks alone where nothing is known.
        private mutating func source(of attribute: Attribute) -> [String] {
            if attribute.name == "age_band" { return age() }
            let fitting = column(.attribute(attribute.name)) { column in
                guard !used.contains(column) else { return false }
                // A column such as "diagnosis" may hold grades or diseases: it is what most of its values are.
                let values = cells(of: column)
                return attribute.isOpen || values.contains { KnownColumn.code($0, of: attribute) != nil }
                    || KnownColumn.simple(column) == KnownColumn.simple(attribute.name) && !values.isEmpty
            }
            guard let fitting else { return [] }
            let values = cells(of: fitting)
            if attribute.isOpen, attribute.name != "ethnicity" {
                used.insert(fitting)
                return ["column: \(quoted(fitting))"]
            }
            guard values.count <= LabelMapDraft.mostCodes, !values.isEmpty else {
                return [
                    "# \(attribute.name): the column \(fitting.excerpt) has \(values.count) values, too many for codes"
                ]
            }
            used.insert(fitting)
            return ["column: \(quoted(fitting))", "codes:"]
                + values.map { value in
                    if attribute.name == "ethnicity" {
                        return "  \(quoted(value, always: true)): \(quoted(value))  # the name in your own scheme"
                    }
                    guard let code = KnownColumn.code(value, of: attribute) else {
                        return "  \(quoted(value, always: true)): unknown  # what does it mean?"
                    }
                    return "  \(quoted(value, always: true)): \(quoted(code))"
                }
        }

        /// Where the age comes from: whole years, or two dates.
        private mutating func age() -> [String] {
            if let column = column(.attribute("age_band"), where: { !used.contains($0) }) {
                let values = cells(of: column)
                if !values.isEmpty, values.allSatisfy({ AgeText.years($0) != nil }) {
                    used.insert(column)
                    return ["column: \(quoted(column))", "years: true"]
                }
            }
            guard let born = column(.birth, where: { !cells(of: $0).isEmpty }) else { return [] }
            let forms = DateForm.common.filter { form in cells(of: born).allSatisfy { form.day($0) != nil } }
            guard let form = forms.first else {
                return [
                    "# age_band: the dates in \(born.excerpt) are not written in one form with years of four digits"
                ]
            }
            guard let taken = column(.taken, where: { cells(of: $0).contains { form.day($0) != nil } }) else {
                return [
                    "# age_band: \(born.excerpt) is a date of birth; name the date of the photograph, too:",
                    "# age_band: {born: \(quoted(born)), taken: COLUMN, dates: \(form.text)}",
                ]
            }
            used.formUnion([born, taken])
            let doubt = forms.count > 1 ? "  # or \(forms[1].text)? both fit" : ""
            return ["born: \(quoted(born))", "taken: \(quoted(taken))", "dates: \(form.text)\(doubt)"]
        }

        /// A text as YAML writes it, in double quotes where it is needed.
        private func quoted(_ text: String, always: Bool = false) -> String {
            let isPlain =
                text.first.map { $0.isASCII && $0.isLetter } == true
                && text.unicodeScalars.allSatisfy {
                    $0.properties.isAlphabetic || $0.properties.numericType != nil
                        || " _-./".unicodeScalars.contains($0)
                } && !["true", "false", "yes", "no", "null", "on", "off", "y", "n"].contains(text.lowercased())
            if isPlain, !always { return text }
            let escaped = text.printable.replacingOccurrences(of: "\\", with: "\\\\")
                .replacingOccurrences(of: "\"", with: "\\\"")
            return "\"\(escaped)\""
        }
    }
}
