import Cohorts

/// Patients of a data set by split and by what is known about them.
///
/// Patients are counted and not photographs, because the number of patients in the train split decides what a model may
/// be asked for. The counts are exact, so they stay at the site.
public struct PatientTable: Sendable {
    /// What is known about one photograph.
    public struct Photograph: Sendable {
        public let patient: String
        public let split: Split
        public let cohort: Cohort

        public init(patient: String, split: Split, cohort: Cohort) {
            self.patient = patient
            self.split = split
            self.cohort = cohort
        }
    }

    /// The numbers of patients for the combinations of the values of some attributes.
    public struct Cells: Sendable {
        public let attributes: [String]
        /// The values of each attribute that occur in some split, in the schema's order; `unknown` is the last.
        public let values: [[String]]
        fileprivate let counts: [[String]: Int]

        /// The number of patients with a photograph of all these values, one for each attribute.
        public subscript(values: [String]) -> Int { counts[values] ?? 0 }
    }

    /// A value is asked of a model from this number of patients on. With fewer patients, the model could single them
    /// out.
    public static let fewestPatients = 5

    public let photographs: [Photograph]

    public init(_ photographs: [Photograph]) { self.photographs = photographs }

    /// The number of patients in a split.
    public func patients(_ split: Split) -> Int {
        Set(photographs.lazy.filter { $0.split == split }.map(\.patient)).count
    }

    /// The attributes that are known for some photograph, in the schema's order.
    public var attributes: [String] {
        CohortSchema.attributes.map(\.name).filter { values(of: $0).contains { $0 != PatientTable.unknown } }
    }

    /// The pairs of attributes that may be asked for together: each has at least two known values, and `most` at most.
    public func pairs(most: Int) -> [(String, String)] {
        let useful = attributes.filter { (2...most).contains(values(of: $0).count { $0 != PatientTable.unknown }) }
        return useful.indices.flatMap { first in useful[(first + 1)...].map { (useful[first], $0) } }
    }

    /// Counts the patients of a split by the values of some attributes.
    public func cells(_ attributes: [String], in split: Split = .train) -> Cells {
        var seen: [[String]: Set<String>] = [:]
        for photograph in photographs where photograph.split == split {
            let key = attributes.map { photograph.cohort[$0] ?? PatientTable.unknown }
            seen[key, default: []].insert(photograph.patient)
        }
        return Cells(attributes: attributes, values: attributes.map(values), counts: seen.mapValues(\.count))
    }

    public static let unknown = "unknown"

    private func values(of attribute: String) -> [String] {
        let found = Set(photographs.map { $0.cohort[attribute] ?? PatientTable.unknown })
        let order = CohortSchema.attribute(attribute)?.names ?? []
        let known = order.isEmpty ? found.subtracting([PatientTable.unknown]).sorted() : order.filter(found.contains)
        return known + (found.contains(PatientTable.unknown) ? [PatientTable.unknown] : [])
    }
}

extension DatasetFile {
    /// The patients of this data set.
    public var patientTable: PatientTable {
        PatientTable(
            (0..<count).map { .init(patient: patients[$0], split: splits[$0], cohort: cohort(row: $0)) })
    }
}
