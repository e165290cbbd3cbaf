import Anatomy
import Evaluation
import Figures
import Foundation
import Statistics

extension EvaluationPage {
    var fidelity: HTML {
        guard let fidelity = record.fidelity else { return "" }
        let kinds = fidelity.all.kinds.map { kind -> HTML in
            """
            <h3>\(kind.name): \(kind.features.of("feature"))</h3>
            \(kind.figures.map { table($0) } ?? "<p>\(kind.missing ?? "")</p>")
            """
        }
        let group = fidelity.isHeldOut ? "photographs of patients whom nobody trained on" : "photographs trained on"
        return section(
            "Congruence and coverage: how near are they to photographs?",
            """
            Each figure stands beside its floor: the same figure between photographs and other photographs of the \
            same data set. Only the distance from the floor says something. Compared with \(group).
            """, "\(kinds)\(cohorts(fidelity))")
    }

    private func table(_ figures: FeatureFigures) -> HTML {
        func row(_ name: String, _ figure: FigureBesideFloor?, _ meaning: String) -> [[String]] {
            figure.map { [[name, range($0.value), range($0.floor), meaning]] } ?? []
        }
        let rows =
            row("Classifier between both, AUC", figures.classifierArea, "0.5: cannot be told; 1: always told")
            + row("Kernel distance", figures.kernelDistance, "0: one distribution")
            + row("Fréchet distance", figures.frechetDistance, "as small as the floor")
            + row("Fréchet radiomic distance", figures.radiomicDistance, "as small as the floor")
            + row("Precision", figures.precision, "samples that lie among photographs")
            + row("Recall", figures.recall, "photographs that lie among samples")
            + row("Density", figures.density, "1: as dense as photographs")
            + row("Coverage", figures.coverage, "photographs with a sample nearby")
            + row("Nearest is synthetic", figures.nearestIsSynthetic, "0.5 for one distribution")
            + row("Variety (Vendi score)", figures.variety, "below the floor: samples are alike")
        return Table(
            [
                .text("Figure"), .numbers("Synthetic (95 %)"), .numbers("Photographs, the floor (95 %)"),
                .text("How to read it"),
            ], rows: rows
        ).html
    }

    private func cohorts(_ fidelity: FidelityRecord) -> HTML {
        let rows = fidelity.cohorts.flatMap { cohort in
            cohort.figures.kinds.compactMap { kind in
                kind.figures.map {
                    [
                        cohort.name, kind.name, range($0.classifierArea.value), range($0.kernelDistance.value),
                        range($0.kernelDistance.floor), range($0.coverage.value),
                    ]
                }
            }
        }
        guard !rows.isEmpty else { return "" }
        return """
            <h3>By cohort</h3>
            \(Table(
                [
                    .text("Cohort"), .text("Features"), .numbers("AUC"), .numbers("Kernel distance"),
                    .numbers("Its floor"), .numbers("Coverage"),
                ], rows: rows).html)
            """
    }

    private func range(_ estimate: Estimate) -> String {
        "\(rounded(estimate.value)) (\(rounded(estimate.low)) to \(rounded(estimate.high)))"
    }

    var anatomy: HTML {
        guard let all = record.anatomy, !all.isEmpty else { return "" }
        let parts = all.map { figures -> HTML in
            "<h3>\(figures.cohort ?? "All pictures")</h3>\n\(table(figures))"
        }
        return section(
            "Constraint: is it an eye?",
            """
            Measured in the same way in synthetic pictures and in photographs; docs/anatomy.md has the methods and \
            their errors. Median and quartiles; "larger" is how often a synthetic picture has the larger value, which \
            is 0.5 where both are alike.
            """, parts.joined)
    }

    private func table(_ figures: AnatomyFigures) -> HTML {
        func text(_ spread: AnatomyFigures.Spread) -> String {
            guard let low = spread.low, let median = spread.median, let high = spread.high else { return "too few" }
            let share = spread.measured < 0.995 ? ", in \(percent((spread.measured * 100).rounded() / 100))" : ""
            return "\(rounded(median)) (\(rounded(low)) to \(rounded(high)))\(share)"
        }
        let rows = figures.comparisons.map { line in
            [
                line.measure.title, text(line.photographs), text(line.synthetic), line.larger.map(range) ?? "",
                line.measure.unit,
            ]
        }
        return Table(
            [
                .text("Measure"), .numbers("Photographs"), .numbers("Synthetic"), .numbers("Larger (95 %)"),
                .text("Unit"),
            ], rows: rows
        ).html
    }
}
