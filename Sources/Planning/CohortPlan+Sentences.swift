import Datasets
import Figures
import Files

extension CohortTarget {
    /// What the target is, in a sentence.
    var sentence: String {
        switch self {
        case .equal: "Target: as many in each cell as in the largest."
        case .shares: "Target: the shares of the table."
        case .interval(let width):
            """
            Target: as many in each cell as a test needs patients to tell a sensitivity of 80 % to \
            \(CohortPlan.points(width)).
            """
        }
    }
}

extension CohortPlan {
    /// A half-width in percentage points.
    static func points(_ width: Double) -> String { "±\(rounded((width * 1000).rounded() / 10)) points" }

    /// What the plan draws, in a sentence.
    public var summary: String {
        let drawn = cells.count { $0.toSample > 0 }
        if toSample == 0 {
            if cells.allSatisfy(\.isRefused) { return "nothing is to be drawn: every cell is refused" }
            let all = cells.contains(where: \.isRefused) ? "each cell that is not refused" : "each cell"
            return "nothing is to be drawn: \(all) has reached its target"
                + (wanted == 0 ? "" : ", but for fewer than \(CohortPlan.step) pictures")
        }
        return """
            \(toSample.of("picture")) to draw for \(drawn) of \(cells.count.of("cell")), \(percent(dose)) of the \
            \(photographs.of("photograph")) that are there
            """
    }

    /// What a person should know before drawing, a sentence each.
    public var notes: [String] {
        var notes: [String] = []
        let refused = cells.filter(\.isRefused), few = cells.filter(\.restsOnFew)
        if isLimited {
            let share = percent(Double(wanted) / Double(max(1, photographs)))
            notes.append(
                """
                the target needs \(wanted.of("picture")), \(share) of the photographs that are there; each cell gets \
                the same part of what it lacks
                """)
        }
        if !refused.isEmpty {
            notes.append(
                """
                refused, because fewer than \(PatientTable.fewestPatients) patients of the train split have these \
                values: \(CohortPlan.listed(refused) { "\($0.text) (\($0.patients))" })
                """)
        }
        if !few.isEmpty {
            notes.append(
                """
                drawn from a handful of patients, so that the pictures may resemble these few: \
                \(CohortPlan.listed(few, CohortPlan.drawn))
                """)
        }
        let short = cells.filter { ($0.halfWidth ?? 1) > 0.1 }
        if !short.isEmpty {
            notes.append(
                """
                held-out patients are too few to tell a sensitivity of 80 % to \(CohortPlan.points(0.1)) \
                (\(SensitivityInterval.patients(for: 0.1)) are needed, and pictures do not replace them): \
                \(CohortPlan.listed(short, CohortPlan.tested))
                """)
        }
        if unknownPhotographs > 0 {
            notes.append(
                """
                in no cell: \(unknownPhotographs.of("photograph")) of \(unknownPatients.of("patient")), of which \
                \(attributes.joined(separator: " or ")) is unknown
                """)
        }
        return notes
    }

    private static func drawn(_ cell: Cell) -> String {
        "\(cell.text) (\(cell.toSample.of("picture")) from \(cell.patients.of("patient")))"
    }

    private static func tested(_ cell: Cell) -> String {
        let width = cell.halfWidth.map { ", \(points($0))" } ?? ""
        return "\(cell.text) (\(cell.heldOutPatients)\(width))"
    }

    /// The first few cells in words.
    private static func listed(_ cells: [Cell], _ text: (Cell) -> String) -> String {
        cells.prefix(6).map(text).joined(separator: "; ") + (cells.count > 6 ? "; and \(cells.count - 6) more" : "")
    }
}
