import Evaluation
import Figures
import Foundation
import Statistics
import Usefulness

extension EvaluationPage {
    var usefulness: HTML {
        guard let figures = record.usefulness else { return "" }
        let tests = figures.tests.filter { !$0.arms.isEmpty }.map { test -> HTML in
            """
            <h3>\(test.name): about \(test.photographs.of("photograph")) of \(test.patients.of("patient"))</h3>
            \(plot(test, figures))
            \(arms(test, figures.task))
            \(cells(test))
            """
        }
        return section(
            "Usefulness and consistency: does a classifier gain?",
            """
            A small residual network was trained in each of the ways below, several times, always for the same number \
            of steps. \(choice(figures.choice, figures))
            """, tests.joined)
    }

    private func title(_ name: String, _ figures: UsefulnessFigures) -> String {
        figures.tests.lazy.flatMap(\.arms).first { $0.name == name }?.title ?? name
    }

    private func choice(_ choice: ArmChoice, _ figures: UsefulnessFigures) -> String {
        let pair = "\"\(title(choice.synthetic, figures))\" against \"\(title(choice.baseline, figures))\""
        return choice.isByValidation
            ? """
            The verdict compares \(pair): of the ways with and without synthetic pictures, these did best on \
            validation patients. No test set was looked at for that.
            """
            : """
            The verdict compares \(pair), which were declared beforehand, because there are too few validation \
            patients to choose by.
            """
    }

    /// Differences to the chosen arm without synthetic pictures, of all arms and then of the chosen one by cell.
    private func plot(_ test: TestFigures, _ figures: UsefulnessFigures) -> HTML {
        let arms = test.arms.compactMap { arm in
            test.differences[arm.name].map {
                ForestPlot.Row(name: arm.title, estimate: $0, isMain: arm.name == figures.choice.synthetic)
            }
        }
        let cells = test.comparisons.dropFirst().map {
            ForestPlot.Row(name: "in \($0.cell)", estimate: $0.difference, isMain: true)
        }
        return """
            <p>Gain of the area under the ROC curve in hundredths against \
            "\(title(figures.choice.baseline, figures))", with 95 % intervals; the pair of the verdict is drawn \
            strongly, for all photographs and by cohort.</p>
            \(ForestPlot(arms + cells, label: "Gain of the area under the ROC curve by arm and by cohort").html)
            """
    }

    private func arms(_ test: TestFigures, _ task: ClassificationTask) -> HTML {
        func text(_ value: Double?, _ digits: Int = 3) -> String {
            value.map { String(format: "%.\(digits)f", $0) } ?? ""
        }
        var columns: [Table.Column] = [
            .text("Trained on"), .numbers("Area under the ROC curve"), .numbers("Single trainings"),
        ]
        if task.isBinary { columns.append(.numbers("Sensitivity at 90 % specificity")) }
        if task.isOrdinal { columns.append(.numbers("Kappa")) }
        columns += [.numbers("Brier score"), .numbers("Calibration error"), .numbers("Slope")]
        if test.arms.contains(where: { $0.gap != nil }) { columns.append(.numbers("Best to worst cohort")) }
        let rows = test.arms.map { arm in
            let single = "\(text(arm.trainings.min())) to \(text(arm.trainings.max()))"
            var cells = [arm.title, area(arm.area), single]
            if task.isBinary { cells.append(text(arm.sensitivity)) }
            if task.isOrdinal { cells.append(text(arm.kappa)) }
            let calibration = arm.calibration
            cells += [text(calibration.brier), text(calibration.expectedError), text(calibration.slope, 2)]
            if test.arms.contains(where: { $0.gap != nil }) { cells.append(text(arm.gap)) }
            return cells
        }
        return Table(columns, rows: rows).html
    }

    private func cells(_ test: TestFigures) -> HTML {
        let rows = test.comparisons.map { cell in
            [
                cell.cell, "\(cell.patients)", points(cell.difference), text(cell.probability), text(cell.adjusted),
                cell.helps ? "gains" : cell.harms ? "loses" : "not shown",
            ]
        }
        let few: HTML =
            test.unmeasured.isEmpty
            ? ""
            : """
            <p>Not measured, because fewer than ten patients of a class or of the rest are there: \
            \(test.unmeasured.joined(separator: "; ")).</p>
            """
        return """
            <h3>By cohort</h3>
            \(Table(
                [
                    .text("Cohort"), .numbers("Patients, about"), .numbers("Gain, hundredths (95 % interval)"),
                    .numbers("p"), .numbers("p, corrected for the number of cohorts"), .text("At 5 %"),
                ], rows: rows).html)
            \(few)
            """
    }

    private func text(_ probability: Double) -> String {
        probability < 0.001 ? "below 0.001" : String(format: "%.3f", probability)
    }
}
