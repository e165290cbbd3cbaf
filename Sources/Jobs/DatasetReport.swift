import Auditing
import Cohorts
import Datasets

/// What `fovea inspect` says about a data set: the file's description, its patients, and what an audit would show.
struct DatasetReport: Encodable, Sendable {
    let dataset: DatasetDescription
    let patients: PatientTable
    /// Attributes that are counted together.
    let by: [String]
    /// What a privacy audit can be expected to show; nil for drawn pictures, which show no patients.
    let auditOutlook: String?

    init(_ file: DatasetFile, by: [String]) {
        dataset = file.description
        patients = file.patientTable
        self.by = by
        auditOutlook =
            file.info.isDrawn ? nil : AuditOutlook(patients: file.patients, splits: file.splits).sentence
    }

    private enum Key: String, CodingKey {
        case patientsByValue = "patients_by_value"
        case table
        case auditOutlook = "audit_outlook"
    }

    /// One cell of the table.
    private struct Cell: Encodable {
        let values: [String: String]
        let patients: Int
    }

    /// The file's description, and beside it the patients by attribute, value and split.
    func encode(to encoder: any Encoder) throws {
        try dataset.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        var byValue: [String: [String: [String: Int]]] = [:]
        for attribute in patients.attributes {
            let splits = Split.allCases.map { ($0, patients.cells([attribute], in: $0)) }
            for value in splits[0].1.values[0] {
                byValue[attribute, default: [:]][value] = Dictionary(
                    uniqueKeysWithValues: splits.map { ("\($0)", $1[[value]]) })
            }
        }
        try container.encode(byValue, forKey: .patientsByValue)
        try container.encodeIfPresent(auditOutlook, forKey: .auditOutlook)
        guard !by.isEmpty else { return }
        let cells = patients.cells(by)
        try container.encode(
            DatasetReport.combinations(cells.values).map { values in
                Cell(values: Dictionary(uniqueKeysWithValues: zip(by, values)), patients: cells[values])
            }, forKey: .table)
    }

    /// All combinations of one value of each list, the last list varying fastest.
    private static func combinations(_ values: [[String]]) -> [[String]] {
        values.reduce([[]]) { found, values in found.flatMap { start in values.map { start + [$0] } } }
    }

    /// A number of patients, marked if it is too small for a model to be asked.
    private static func marked(_ count: Int) -> String {
        "\(count)\((1..<PatientTable.fewestPatients).contains(count) ? "*" : "")"
    }

    private static let mark = "* fewer than \(PatientTable.fewestPatients): a model will refuse to be asked for it"

    /// The patients by attribute, value and split.
    var patientLines: [String] {
        let lines = patients.attributes.map { attribute in
            let splits = Split.allCases.map { patients.cells([attribute], in: $0) }
            let values = splits[0].values[0].map { value in
                let others = splits.dropFirst().map { "\($0[[value]])" }
                return "\(value) \(([DatasetReport.marked(splits[0][[value]])] + others).joined(separator: "/"))"
            }
            return "  \(attribute): \(values.joined(separator: ", "))"
        }
        return lines.isEmpty ? [] : ["patients in train/validation/holdout (\(DatasetReport.mark)):"] + lines
    }

    /// The patients of the train split by several attributes: a column for each value of the last one.
    var tableLines: [String] {
        guard let last = by.last else { return [] }
        let cells = patients.cells(by), columns = cells.values[by.count - 1]
        let names = DatasetReport.combinations(Array(cells.values.dropLast()))
        let rows = names.map { name in name + columns.map { DatasetReport.marked(cells[name + [$0]]) } }
        let table = [by.dropLast() + columns] + rows
        let widths = table[0].indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        let title = by.count == 1 ? last : by.dropLast().joined(separator: ", ") + " by \(last)"
        return ["patients in train, \(title) (\(DatasetReport.mark)):"]
            + table.map { row in
                let padded = zip(row, widths).enumerated().map { place, cell in
                    let space = String(repeating: " ", count: cell.1 - cell.0.count)
                    return place < by.count - 1 ? cell.0 + space : space + cell.0
                }
                return "  " + padded.joined(separator: "  ")
            }
    }
}
