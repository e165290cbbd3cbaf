import CheckpointStore
import Cohorts
import Datasets
import Diffusion
import Files

/// Which values of which attributes have enough patients in the train split to condition on.
public struct CohortSupport: Sendable {
    /// One photograph of the train split: its patient, and the names of its values.
    private struct Row: Hashable {
        let patient: Int
        let values: [String]
    }

    private let attributes: [String]
    private let rows: [Row]
    /// The values of each patient's photographs, by patient, each with the number of photographs.
    private let photographs: [[[String]: Int]]

    /// - Parameter attributes: the attributes of interest. The caller must only name attributes of the schema.
    public init(_ datasets: [DatasetFile], attributes: [String]) {
        self.attributes = attributes
        var patients: [String: Int] = [:]
        var rows: Set<Row> = [], photographs: [[[String]: Int]] = []
        for (number, dataset) in datasets.enumerated() {
            let columns = attributes.map { dataset.cohorts[$0] }
            for row in dataset.rows(of: .train) {
                // Patient keys are salted for each data set, so equal keys in two data sets are a coincidence.
                let key = "\(number)/\(dataset.patients[row])"
                let patient = patients[key] ?? patients.count
                patients[key] = patient
                let values = columns.map { $0?.name(row: row) ?? "unknown" }
                rows.insert(Row(patient: patient, values: values))
                if patient == photographs.count { photographs.append([:]) }
                photographs[patient][values, default: 0] += 1
            }
        }
        self.photographs = photographs
        self.rows = rows.sorted {
            ($0.patient, $0.values.joined(separator: "\u{1}")) < ($1.patient, $1.values.joined(separator: "\u{1}"))
        }
    }

    private func patients(_ rows: [Int]) -> Int { Set(rows.map { self.rows[$0].patient }).count }

    /// The values of an attribute that have enough patients, sorted; `unknown` may be one of them.
    public func names(of attribute: String) -> [String] {
        guard let column = attributes.firstIndex(of: attribute) else { return [] }
        return byValue(Array(rows.indices), column).map(\.value)
    }

    /// The values of a column that have enough patients among `candidates`, each with its rows.
    private func byValue(_ candidates: [Int], _ column: Int) -> [(value: String, rows: [Int])] {
        Dictionary(grouping: candidates) { rows[$0].values[column] }
            .filter { patients($0.value) >= PatientTable.fewestPatients }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The largest combinations of values that enough patients have in one photograph. Every part of such a combination
    /// is also supported. So these combinations describe all supported ones, and they reveal no counts.
    public func combinations() -> [[String: String]] {
        var found: [[String: String]] = []
        func extend(_ chosen: [String: String], _ candidates: [Int], from first: Int) {
            for column in first..<attributes.count {
                for (value, rows) in byValue(candidates, column) {
                    var larger = chosen
                    larger[attributes[column]] = value
                    extend(larger, rows, from: column + 1)
                }
            }
            let canGrow = attributes.indices.contains {
                chosen[attributes[$0]] == nil && !byValue(candidates, $0).isEmpty
            }
            if !chosen.isEmpty, !canGrow { found.append(chosen) }
        }
        extend([:], Array(rows.indices), from: 0)
        return found
    }

    /// The rounded numbers of patients with each value of one attribute, and with each pair of values of two.
    public func jointCounts() -> [JointCount] {
        attributes.indices.flatMap { first in
            jointCounts([first]) + (first + 1..<attributes.count).flatMap { jointCounts([first, $0]) }
        }
    }

    private func jointCounts(_ columns: [Int]) -> [JointCount] {
        var patients: [[String]: Int] = [:]
        for own in photographs {
            var counts: [[String]: Int] = [:]
            for (values, count) in own { counts[columns.map { values[$0] }, default: 0] += count }
            // Of values with equally many photographs, the first by name counts.
            let usual = counts.min {
                ($1.value, $0.key.joined(separator: "\u{1}")) < ($0.value, $1.key.joined(separator: "\u{1}"))
            }
            if let usual { patients[usual.key, default: 0] += 1 }
        }
        return patients.sorted { $0.key.joined(separator: "\u{1}") < $1.key.joined(separator: "\u{1}") }.compactMap {
            values, count in
            let rounded = TrainingData.rounded(count)
            guard rounded > 0 else { return nil }
            return JointCount(
                values: Dictionary(uniqueKeysWithValues: zip(columns.map { attributes[$0] }, values)),
                patients: rounded)
        }
    }
}

extension CohortEncoding {
    /// The encoding of the attributes that a training asks for, with the values that its data have.
    ///
    /// - Parameter wanted: names of attributes, or `TrainingConfiguration.allAttributes` for those with two or more
    ///   values.
    /// - Throws: `Failure(.badData)` for an attribute outside the schema, an attribute that is named twice, an open
    ///   attribute without a value of enough patients, or `allAttributes` beside other names.
    init(_ wanted: [String], over datasets: [DatasetFile], file: String) throws {
        let schema = CohortSchema.attributes.map(\.name)
        for name in wanted where name != TrainingConfiguration.allAttributes && !schema.contains(name) {
            throw Failure(
                .badData, file, field: "attributes",
                expected: "attributes of the schema (\(schema.joined(separator: ", ")))", found: name)
        }
        let support = CohortSupport(datasets, attributes: schema)
        func names(_ attribute: Attribute) -> [String] { support.names(of: attribute.name).filter { $0 != "unknown" } }
        let isAll = wanted == [TrainingConfiguration.allAttributes]
        if !isAll, wanted.contains(TrainingConfiguration.allAttributes) {
            throw Failure(
                .badData, file, field: "attributes", expected: "\(TrainingConfiguration.allAttributes) alone",
                found: wanted.joined(separator: ", "))
        }
        let attributes = isAll ? schema.filter { support.names(of: $0).count >= 2 } : wanted
        var openNames: [String: [String]] = [:]
        for attribute in attributes.compactMap(CohortSchema.attribute) where attribute.isOpen {
            openNames[attribute.name] = names(attribute)
            if names(attribute).isEmpty {
                throw Failure(
                    .badData, file, field: "attributes",
                    expected: "attributes with a value of at least \(PatientTable.fewestPatients) patients",
                    found: attribute.name)
            }
        }
        guard Set(attributes).count == attributes.count else {
            throw Failure(
                .badData, file, field: "attributes", expected: "each attribute once",
                found: attributes.joined(separator: ", "))
        }
        self.init(attributes: attributes, openNames: openNames)
    }

    /// The value of one photograph. A name that the encoding does not have counts as unknown.
    func value(_ attribute: String, _ column: CohortColumn?, row: Int) -> Value {
        guard let name = column?.name(row: row), let code = names(of: attribute).firstIndex(of: name) else {
            return .unknown
        }
        return .code(Int16(code))
    }
}
