import Figures
import Foundation
import Usefulness

extension EvaluationPage {
    var completeness: HTML {
        guard let all = record.obedience, !all.isEmpty else { return "" }
        let parts = all.map { figures -> HTML in
            """
            <h3>\(figures.attribute)</h3>
            <p>\(figures.sentence)</p>
            \(table(figures))
            """
        }
        return section(
            "Completeness: do pictures show what was asked?",
            """
            Classifiers that were trained on photographs alone read the synthetic pictures, and beside them \
            photographs that they were not trained on. Each row says what is read where a class was asked for.
            """, parts.joined)
    }

    private func table(_ figures: ObedienceFigures) -> HTML {
        func rows(_ kind: String, _ reading: ObedienceFigures.Reading) -> [[String]] {
            figures.classes.indices.map { asked in
                ["\(kind), \(figures.attribute) \(figures.classes[asked])"]
                    + (reading.shares[asked].isEmpty
                        ? figures.classes.map { _ in "too few" }
                        : reading.shares[asked].map { percent(($0 * 100).rounded() / 100) })
            }
        }
        let reading = [("photographs", figures.photographs), ("synthetic", figures.synthetic)].map { name, found in
            """
            \(name): \(area(found.balancedAccuracy)) read rightly on average over the classes\
            \(found.kappa.map { ", kappa " + String(format: "%.2f", $0) } ?? "")
            """
        }
        return """
            \(HTML.list(reading))
            \(Table(
                [.text("Asked, or known")] + figures.classes.map { .numbers("read \($0)") },
                rows: rows("photographs", figures.photographs) + rows("synthetic", figures.synthetic)).html)
            """
    }

    var limits: HTML {
        section(
            "Comprehension: what this does not say",
            "An evaluation is an experiment on the photographs that were at hand.",
            .list([
                """
                It says whether a small network gains at this resolution and with this many photographs. A larger \
                network, more photographs or another task may gain or lose.
                """,
                """
                A gain on the holdout is a gain at home. Published gains often vanish on photographs of other cameras \
                and other people: test sets of other sites are what tells.
                """,
                """
                The generator and the classifiers learned from the same photographs. Synthetic pictures hold nothing \
                that these do not; they can only make it easier to learn.
                """,
                "Privacy is another question, which the audit answers. A set that helps may still give patients away.",
                """
                No guidance of MHRA or EMA for synthetic photographs was found when this page was written. The \
                headings follow the scorecard for synthetic medical data of the FDA's laboratory (Zamzmi et al. 2025).
                """,
            ]))
    }

    var glossary: HTML {
        let words: [(String, String)] = [
            (
                "Area under the ROC curve",
                """
                How often a picture of a case gets the higher score than a picture of a control: 0.5 is chance and 1 \
                is always. Of more than two classes, the mean over classes of one against the rest.
                """
            ),
            ("95 % interval", "The middle of 2,000 resamples of the patients and of the trainings."),
            (
                "Corrected",
                """
                Where many cohorts are looked at, some differ by chance. The corrected p keeps the share of false \
                ones among those that are called a gain or a loss below 5 % (Benjamini and Hochberg 1995).
                """
            ),
            ("Kappa", "Agreement of grades beyond chance, with quadratic weights (Cohen 1968); 1 is all equal."),
            (
                "Brier score, calibration error, slope",
                """
                Whether probabilities can be believed: the first two are 0 and the slope is 1 for a perfect \
                classifier. Synthetic pictures change how frequent a class is, and with it the probabilities; \
                recalibrate on photographs before use.
                """
            ),
        ]
        return """
            <section>
            <h2>Words</h2>
            <dl>\(words.map { "<dt>\($0)</dt><dd>\($1)</dd>\n" as HTML })</dl>
            </section>
            """
    }
}
