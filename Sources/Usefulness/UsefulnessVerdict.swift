import Figures
import Statistics

/// What the comparison of a test set comes to.
package enum UsefulnessVerdict: String, Codable, Hashable, Sendable {
    /// Some cells gain, and none loses.
    case helps
    /// Some cells lose, and none gains.
    case harms
    /// Some cells gain and others lose.
    case mixed
    case noDifference = "no-difference"
    /// Fewer than ten patients of a class, or of the rest.
    case notMeasured = "not-measured"

    init(_ comparisons: [CellComparison]) {
        switch (comparisons.contains(where: \.helps), comparisons.contains(where: \.harms)) {
        case (true, false): self = .helps
        case (false, true): self = .harms
        case (true, true): self = .mixed
        case (false, false): self = .noDifference
        }
    }
}

extension TestFigures {
    /// A difference of areas that a clinic would notice.
    private static let difference = 0.05

    /// One sentence that a clinician could sign.
    package func sentence(_ task: ClassificationTask) -> String {
        let measure =
            task.isBinary
            ? "the area under the ROC curve for \(task.attribute) \(task.classes[1])"
            : "the mean area under the ROC curve over the classes of \(task.attribute)"
        switch verdict {
        case .notMeasured:
            return """
                On \(name) nothing can be said: fewer than \(CellAreas.leastPatients) patients of each class, or of \
                the rest, are there.
                """
        case .helps:
            return "On \(name) the synthetic pictures help: \(measure) \(changes(\.helps))."
        case .harms:
            return "On \(name) the synthetic pictures harm: \(measure) \(changes(\.harms))."
        case .mixed:
            return """
                On \(name) the synthetic pictures help some and harm others: \(measure) \(changes(\.helps)), but \
                \(changes(\.harms)).
                """
        case .noDifference:
            guard let all = comparisons.first else { return "On \(name) nothing was compared." }
            let interval = "\(TestFigures.points(all.difference.low)) to \(TestFigures.points(all.difference.high))"
            return """
                On \(name) no difference is shown: \(measure) changes by \(TestFigures.points(all.difference.value)) \
                points (95 % interval \(interval)). \(need(all))
                """
        }
    }

    /// `rises by 6 points (2 to 9) for all and by 12 points (5 to 20) for dr_icdr 4 against the rest`.
    private func changes(_ isMeant: KeyPath<CellComparison, Bool>) -> String {
        let cells = comparisons.filter { $0[keyPath: isMeant] }
        let verb = cells.first.map { $0.difference.value > 0 } ?? true ? "rises" : "falls"
        let parts = cells.map { cell in
            let bounds = [abs(cell.difference.low), abs(cell.difference.high)].sorted()
            return """
                by \(TestFigures.points(abs(cell.difference.value))) points (95 % interval \
                \(TestFigures.points(bounds[0])) to \(TestFigures.points(bounds[1]))) for \(cell.cell)
                """
        }
        return "\(verb) \(parts.listed)"
    }

    /// What an answer would need: the variance of each source falls with its number.
    private func need(_ all: CellComparison) -> String {
        let half = (all.difference.high - all.difference.low) / 2, wanted = TestFigures.difference
        guard half > wanted else {
            return "A difference of \(TestFigures.points(wanted)) points would have been seen."
        }
        let trainings = arms.first?.trainings.count ?? 0
        // Both as multiples of the variance that is wanted.
        let variance = half / wanted * half / wanted
        let ofTrainings = variance * all.shareOfTrainings, ofPatients = variance - ofTrainings
        func patients(_ factor: Double) -> String {
            let more = Int((Double(all.patients) * (factor - 1) / 10).rounded(.up)) * 10
            return "\(NumberText.grouped(more)) more patients"
        }
        func seeds(_ factor: Double) -> String {
            let all = Int((Double(trainings) * factor).rounded(.up))
            let option = all <= UsefulnessFigures.mostTrainings ? " (--seeds \(all))" : ""
            return "\(NumberText.grouped(all)) trainings of each way\(option)"
        }
        let needed =
            if ofPatients < 0.9 { seeds(ofTrainings / (1 - ofPatients)) } else if ofTrainings < 0.5 {
                patients(ofPatients / (1 - ofTrainings))
            } else { "\(patients(2 * ofPatients)) and \(seeds(2 * ofTrainings))" }
        return "To see one of \(TestFigures.points(wanted)) points, about \(needed) are needed."
    }

    /// An area in hundredths.
    private static func points(_ area: Double) -> String { rounded((area * 1000).rounded() / 10) }
}
