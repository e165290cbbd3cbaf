import Cohorts
import Datasets
import Files

/// Which cohorts of a data set are short of photographs, what their numbers allow, and how many pictures to draw of
/// each to reach a target.
///
/// Only the train split is counted for what is drawn, because a model learns from it alone. The counts are exact, so
/// that they stay at the site.
public struct CohortPlan: Sendable {
    /// One combination of values, or several that were joined because they have too few patients.
    public struct Cell: Sendable {
        /// The value of each attribute; joined values as `sample` takes them, such as `70-79|80+`.
        public let cohort: [String: String]
        /// The patients and photographs of the train split.
        public let patients, photographs: Int
        /// The patients of the holdout split, on whom a model can be tested.
        public let heldOutPatients: Int
        /// Half the width of the 95 % interval that a test on the held-out patients gives a sensitivity of 80 %; nil
        /// without such patients.
        public let halfWidth: Double?
        /// How many photographs the cell shall have.
        public let target: Int
        /// The number of pictures to draw.
        public internal(set) var toSample: Int
        /// Whether nothing is drawn because too few patients have these values.
        public let isRefused: Bool
        /// Whether pictures are drawn that rest on a handful of patients.
        public var restsOnFew: Bool { toSample > 0 && patients < CohortPlan.handful }

        /// The values in one text, such as `dr_icdr=4, sex=female`.
        public let text: String
    }

    /// Whole steps are drawn, because the samples' numbers leave the site, and exact ones would give away how many
    /// patients it has: target less pictures.
    public static let step = 5
    /// Cells with fewer patients than this can be drawn, but each picture shows what few patients had.
    public static let handful = 20
    /// The doses that may be asked for: drawn pictures for each photograph.
    public static let doses = 0.1...4.0
    /// More cells are no plan that a person reads.
    public static let mostCells = 500

    public let attributes: [String]
    public let target: CohortTarget
    public private(set) var cells: [Cell]
    /// Photographs of the train split of which an attribute is unknown, and their patients.
    public let unknownPhotographs, unknownPatients: Int
    /// The number of pictures that would reach the target, before the dose limits it and whole steps are taken.
    public let wanted: Int
    /// Whether the dose keeps cells from their target.
    private(set) var isLimited = false

    /// The number of photographs in the train split of all cells.
    public var photographs: Int { cells.reduce(0) { $0 + $1.photographs } }
    /// The number of pictures to draw.
    public var toSample: Int { cells.reduce(0) { $0 + $1.toSample } }
    /// Drawn pictures for each photograph.
    public var dose: Double { photographs == 0 ? 0 : Double(toSample) / Double(photographs) }

    /// - Parameters:
    ///   - attributes: one to three attributes of the schema, whose values together make the cells.
    ///   - dose: at most so many pictures for each photograph, a value of `doses`; nil for the most.
    ///   - joinsSmallCells: whether cells of fewer than five patients are joined with a neighbour in place of being
    ///     refused, along the last attribute whose values have an order.
    ///   - place: the data set's name, for errors.
    /// - Throws: `Failure(.badData)` where the train split has no photograph of which all attributes are known, if
    ///   there are too many cells, or for a value that no plan can name.
    public init(
        _ dataset: [PatientTable.Photograph], by attributes: [String], target: CohortTarget, dose: Double? = nil,
        joinsSmallCells: Bool = false, place: String
    ) throws {
        let asked: [[String]] = if case .shares(let shares) = target { Array(shares.keys) } else { [] }
        var found = CohortCell.cells(dataset, by: attributes, others: asked)
        guard found.contains(where: { $0.photographs > 0 }) else {
            throw Failure(
                .badData, place,
                "no photograph of the train split has a known value of \(attributes.joined(separator: " and of "))")
        }
        for (name, values) in zip(attributes, attributes.indices.map { column in found.map { $0.members[0][column] } })
        {
            if let value = values.first(where: { $0.contains("|") }) {
                throw Failure(
                    .badData, place,
                    "\(name)=\(value.excerpt) has a |, which stands between several values in a plan; rename the value")
            }
        }
        guard found.count <= CohortPlan.mostCells else {
            throw Failure(
                .badData, place, field: "cells of \(attributes.joined(separator: ", "))",
                expected: "at most \(CohortPlan.mostCells); name fewer attributes", found: "\(found.count)")
        }
        if joinsSmallCells { found = CohortCell.joined(found, by: attributes) }
        let targets = CohortPlan.targets(of: found, target)
        self.attributes = attributes
        self.target = target
        cells = zip(found, targets).map { cell, target in
            Cell(
                cohort: Dictionary(uniqueKeysWithValues: zip(attributes, CohortPlan.values(cell))),
                patients: cell.patients.count, photographs: cell.photographs, heldOutPatients: cell.heldOut.count,
                halfWidth: SensitivityInterval.halfWidth(patients: cell.heldOut.count), target: target,
                toSample: cell.isSmall ? 0 : max(0, target - cell.photographs), isRefused: cell.isSmall,
                text: zip(attributes, CohortPlan.values(cell)).map { "\($0)=\($1)" }.joined(separator: ", "))
        }
        let unknown = dataset.filter { photograph in
            photograph.split == .train && attributes.contains { photograph.cohort[$0] == nil }
        }
        (unknownPhotographs, unknownPatients) = (unknown.count, Set(unknown.map(\.patient)).count)
        wanted = cells.reduce(0) { $0 + $1.toSample }
        // 0.29 times 100 is a little less than 29.
        let most = (dose ?? CohortPlan.doses.upperBound) * Double(photographs) + 1e-9
        let part = min(1, most / Double(max(1, wanted)))
        isLimited = part < 1
        for index in cells.indices {
            cells[index].toSample = Int(Double(cells[index].toSample) * part) / CohortPlan.step * CohortPlan.step
        }
    }

    /// How many photographs each cell shall have. Cells of too few patients do not count.
    private static func targets(of cells: [CohortCell], _ target: CohortTarget) -> [Int] {
        switch target {
        case .equal:
            let most = cells.filter { !$0.isSmall }.map(\.photographs).max() ?? 0
            return cells.map { _ in most }
        case .interval(let width):
            let needed = SensitivityInterval.patients(for: width)
            return cells.map { _ in needed }
        case .shares(let shares):
            let own = cells.map { $0.members.reduce(0) { $0 + (shares[$1] ?? 0) } }
            // The smallest whole in which no cell has more than its share already.
            let whole = zip(cells, own).filter { !$0.isSmall && $1 > 0 }.map { Double($0.photographs) / $1 }.max() ?? 0
            return own.map { Int(($0 * whole).rounded()) }
        }
    }

    /// The value of each attribute, or all of those that are joined.
    private static func values(_ cell: CohortCell) -> [String] {
        cell.members[0].indices.map { column in
            var values: [String] = []
            for member in cell.members where !values.contains(member[column]) { values.append(member[column]) }
            return values.joined(separator: "|")
        }
    }

    /// The table that `SamplingPlan` reads: `count`, and the values of each cell of which pictures are drawn.
    public var table: String {
        let rows = cells.filter { $0.toSample > 0 }.map { cell in
            ["\(cell.toSample)"] + attributes.map { CohortPlan.quoted(cell.cohort[$0] ?? "") }
        }
        return ([["count"] + attributes] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
    }

    /// A cell of a CSV table.
    private static func quoted(_ text: String) -> String {
        if text.allSatisfy({ $0.isLetter || $0.isNumber || "+|-._".contains($0) }) { return text }
        return "\"\(text.replacing("\"", with: "\"\""))\""
    }
}
