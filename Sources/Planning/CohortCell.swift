import CheckpointStore
import Cohorts
import Datasets

/// What a data set holds of one combination of values, or of several that are joined.
struct CohortCell {
    /// The combinations, each with one value for each attribute.
    private(set) var members: [[String]]
    /// The numbers of patients of joined combinations; empty for one that stands alone.
    private var counts: [Int] = []
    private var memberCounts: [Int] { counts.isEmpty ? [patients.count] : counts }
    /// The number of photographs in the train split.
    private(set) var photographs = 0
    private(set) var patients: Set<String> = []
    /// The patients of the holdout split.
    private(set) var heldOut: Set<String> = []

    init(_ values: [String]) { members = [values] }

    /// Whether `sample` refuses the cell: a model could single out so few patients. Of joined values, one has enough
    /// patients, or the model's file shows for two attributes at most, by counts that are rounded to 5, that they have
    /// enough together.
    var isSmall: Bool {
        let fewest = PatientTable.fewestPatients, counts = memberCounts
        if counts.contains(where: { $0 >= fewest }) { return false }
        guard members.count > 1, members[0].count <= 2 else { return true }
        return counts.reduce(0) { $0 + JointCount(values: [:], patients: TrainingData.rounded($1)).atLeast } < fewest
    }

    mutating func join(_ other: CohortCell) {
        counts = memberCounts + other.memberCounts
        members += other.members
        photographs += other.photographs
        patients.formUnion(other.patients)
        heldOut.formUnion(other.heldOut)
    }

    /// The cells of a data set in the schema's order, with those of `others` that it does not have. Photographs of
    /// which an attribute is unknown are in none.
    static func cells(
        _ photographs: [PatientTable.Photograph], by attributes: [String], others: [[String]] = []
    ) -> [CohortCell] {
        var cells = Dictionary(others.map { ($0, CohortCell($0)) }, uniquingKeysWith: { first, _ in first })
        for photograph in photographs {
            let values = attributes.compactMap { photograph.cohort[$0] }
            guard values.count == attributes.count else { continue }
            switch photograph.split {
            case .train:
                cells[values, default: CohortCell(values)].photographs += 1
                cells[values]?.patients.insert(photograph.patient)
            case .holdout: cells[values, default: CohortCell(values)].heldOut.insert(photograph.patient)
            case .validation: cells[values] = cells[values] ?? CohortCell(values)
            }
        }
        return cells.values.sorted {
            order($0.members[0], attributes).lexicographicallyPrecedes(order($1.members[0], attributes))
        }
    }

    /// The place of each value in the schema's order; of values without such an order, their text.
    private static func order(_ values: [String], _ attributes: [String]) -> [Place] {
        zip(values, attributes).map { value, name in
            let names = CohortSchema.attribute(name)?.names ?? []
            return Place(number: names.firstIndex(of: value) ?? names.count, text: value)
        }
    }

    private struct Place: Comparable {
        let number: Int
        let text: String

        static func < (one: Place, other: Place) -> Bool { (one.number, one.text) < (other.number, other.text) }
    }

    /// Joins each cell of too few patients with a neighbour, along the last attribute whose values have an order. Of
    /// two neighbours, the one with fewer patients is taken.
    static func joined(_ cells: [CohortCell], by attributes: [String]) -> [CohortCell] {
        guard
            let column = attributes.lastIndex(where: {
                if case .ordinal? = CohortSchema.attribute($0)?.scale { true } else { false }
            }), let attribute = CohortSchema.attribute(attributes[column]), case .ordinal(let highest) = attribute.scale
        else { return cells }
        let ordered = attribute.names.prefix(Int(highest) + 1)
        var lines: [(others: [String], cells: [CohortCell])] = []
        for cell in cells {
            // What stands outside the order, such as ungradable, has no neighbour.
            let isOrdered = ordered.contains(cell.members[0][column])
            let others = cell.members[0].enumerated().filter { $0.offset != column }.map(\.element)
            if isOrdered, let line = lines.firstIndex(where: { $0.others == others && !$0.cells.isEmpty }) {
                lines[line].cells.append(cell)
            } else {
                lines.append((isOrdered ? others : cell.members[0] + [""], [cell]))
            }
        }
        return lines.flatMap { joined($0.cells) }
    }

    /// - Parameter line: cells in the order of the attribute along which they are joined.
    private static func joined(_ line: [CohortCell]) -> [CohortCell] {
        var line = line
        while line.count > 1,
            let small = line.indices.filter({ line[$0].isSmall }).min(by: {
                (line[$0].patients.count, $0) < (line[$1].patients.count, $1)
            })
        {
            let neighbours = [small - 1, small + 1].filter(line.indices.contains)
            guard let other = neighbours.min(by: { line[$0].patients.count < line[$1].patients.count }) else { break }
            let (first, second) = (min(small, other), max(small, other))
            line[first].join(line[second])
            line.remove(at: second)
        }
        return line
    }
}
