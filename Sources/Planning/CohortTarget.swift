import Cohorts
import Files
import Foundation

/// What the numbers of photographs in the cells of a plan shall become.
public enum CohortTarget: Sendable, Equatable {
    /// As many in each cell as in the largest.
    case equal
    /// Shares of the whole by the values of a cell, which add up to 1.
    case shares([[String]: Double])
    /// As many as the patients that a sensitivity with an interval of this half-width needs.
    case interval(Double)

    /// The half-widths that may be asked for.
    public static let intervals = 0.02...0.4

    /// Reads shares from a table with a column for each attribute, and the column `share`. They add up to 1, or to 100
    /// where they are percentages.
    /// - Throws: `Failure(.badData)` with file and line for other columns, a value that the attribute does not have, a
    ///   share that is no such number, a cell that is named twice, or another sum.
    public init(shares path: String, by attributes: [String]) throws {
        // What is left over where a program for tables rounds is no share.
        let least = 0.00001
        let table = try LabelMapTable(contentsOf: path)
        guard Set(table.columns) == Set(attributes + ["share"]), table.columns.count == attributes.count + 1 else {
            throw Failure(
                .badData, path, field: "columns", expected: (attributes + ["share"]).joined(separator: ", "),
                found: table.columns.joined(separator: ", "))
        }
        let columns = try attributes.map { try table.index(of: $0) }, share = try table.index(of: "share")
        var shares: [[String]: Double] = [:]
        for row in table.rows {
            let place = "\(path) line \(row.line)", values = columns.map { row.cells[$0] }
            for (name, value) in zip(attributes, values) {
                guard let attribute = CohortSchema.attribute(name), !attribute.isOpen else { continue }
                guard attribute.names.contains(value) else {
                    throw Failure(
                        .badData, place, field: name, expected: attribute.names.joined(separator: ", "),
                        found: "\"\(value.excerpt)\"")
                }
            }
            guard let number = Double(row.cells[share]), number.isFinite, number == 0 || number >= least else {
                throw Failure(
                    .badData, place, field: "share", expected: "0, or a number from \(least) on",
                    found: "\"\(row.cells[share].excerpt)\"")
            }
            guard shares.updateValue(number, forKey: values) == nil else {
                throw Failure(.badData, place, "names \(values.joined(separator: ", ").excerpt) a second time")
            }
        }
        let sum = shares.values.reduce(0, +)
        guard abs(sum - 1) <= 0.005 || abs(sum - 100) <= 0.5 else {
            throw Failure(
                .badData, path, field: "share", expected: "a sum of 1, or of 100 for percentages",
                found: String(format: "%.6g", sum))
        }
        self = .shares(shares.mapValues { $0 / sum })
    }
}
