import Cohorts
import Files
import SampleStore

/// One property by which samples are grouped, and its value in every row. The property is a cohort attribute, whose
/// value is what was asked for, or the run.
struct Facet: Sendable {
    /// A value. Tables list values in the order of `Comparable`.
    enum Value: Hashable, Comparable, Sendable {
        /// A code of the attribute, or a place between two codes (2.5).
        case place(Float)
        /// The value `unknown` was asked for.
        case unknown
        /// Nothing was asked for.
        case open
        case run(Int)
    }

    let name: String
    /// The values that occur, sorted.
    let values: [Value]
    /// The text of each of `values`.
    let texts: [String]
    /// An index into `values` for each row.
    let valueOfRow: [Int]

    private init(name: String, rows: [Value], text: (Value) -> String) {
        let values = Set(rows).sorted()
        let number = Dictionary(uniqueKeysWithValues: values.enumerated().map { ($1, $0) })
        self.name = name
        self.values = values
        texts = values.map(text)
        valueOfRow = rows.map { number[$0] ?? 0 }
    }

    /// What was asked for of the attribute of `column`.
    /// - Parameter requests: each row's place on the line of codes, NaN where the row has no request; nil for an
    ///   attribute that is not ordinal.
    init(_ column: CohortColumn, requests: [Float]?) {
        var highest: Int16 = -1
        if case .ordinal(let code) = column.attribute.scale { highest = code }
        let rows = column.codes.enumerated().map { row, code -> Value in
            switch code {
            case Attribute.unspecified:
                // A file may hold any number here. Only a number from 0 to the highest code is a place.
                guard let request = requests?[row], request >= 0, request <= Float(highest) else { return .open }
                return .place(request)
            case Attribute.unknown: return .unknown
            default: return .place(Float(code))
            }
        }
        self.init(name: column.attribute.name, rows: rows) { value in
            switch value {
            case .place(let place): Facet.text(place, names: column.names)
            case .unknown: "unknown"
            case .open: "left open"
            case .run(let run): "\(run + 1)"
            }
        }
    }

    /// The runs that made the samples.
    init(runOfSample: [Int32]) {
        self.init(name: "run", rows: runOfSample.map { .run(Int($0)) }) { value in
            if case .run(let run) = value { "\(run + 1)" } else { "" }
        }
    }

    /// The text of a place, such as `3`, `2.5` or `between 20-29 and 30-39 (2.5)`.
    private static func text(_ place: Float, names: [String]) -> String {
        let low = Int(place)
        guard place != Float(low), low + 1 < names.count else { return low < names.count ? names[low] : "\(place)" }
        return names[low] == "\(low)" ? "\(place)" : "between \(names[low]) and \(names[low + 1]) (\(place))"
    }

    /// Whether anything was asked for in any row.
    var isTelling: Bool { values != [.open] }

    func text(row: Int) -> String { texts[valueOfRow[row]] }

    func isOpen(row: Int) -> Bool { values[valueOfRow[row]] == .open }

    /// The number of rows of each value, among the rows for which `isCounted` is true.
    func counts(where isCounted: (Int) -> Bool = { _ in true }) -> [Int] {
        valueOfRow.enumerated().reduce(into: [Int](repeating: 0, count: values.count)) { counts, row in
            if isCounted(row.offset) { counts[row.element] += 1 }
        }
    }
}

extension SampleSetFile {
    /// The attributes for which anything was asked, in the schema's order.
    var facets: [Facet] {
        CohortSchema.attributes.compactMap { attribute in
            cohorts[attribute.name].map { Facet($0, requests: requests[attribute.name]) }
        }.filter(\.isTelling)
    }
}
