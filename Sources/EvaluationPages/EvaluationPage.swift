import Figures
import Files
import Foundation
import Reporting
import Statistics
import Usefulness

/// `report.html`: what an evaluation found, under the headings of the scorecard of Zamzmi et al. (Communications
/// Engineering 4:130, 2025). It follows from `evaluation.json` alone, and shows neither pictures nor single patients.
package struct EvaluationPage {
    let record: EvaluationRecord

    package init(_ record: EvaluationRecord) { self.record = record }

    package var html: HTML {
        let body: HTML = """
            <header>
            <p class="label">Evaluation of synthetic photographs</p>
            <h1>Do these pictures help, and do they show what was asked?</h1>
            \(answer)
            \(facts)
            </header>
            \(usefulness)
            \(completeness)
            \(fidelity)
            \(anatomy)
            \(limits)
            \(glossary)
            """
        return PlainPage.html(
            title: "Evaluation of \(record.samples.name)", body: body,
            style: PlainPage.labelsAndNumbers + ForestPlot.style + EvaluationPage.style, isPrivate: false)
    }

    private static let style = """
        .answer { padding: 1rem 1.2rem; background: var(--surface); border: 1px solid var(--line); \
        border-inline-start: 6px solid var(--muted); border-radius: 4px; margin-block: 1rem; }
        .answer.helps { border-inline-start-color: var(--good); }
        .answer.harms, .answer.mixed { border-inline-start-color: var(--warning); }
        .answer p { margin: .2rem 0; max-width: none; font-size: 1.1rem; }
        h3 { margin: 1.2rem 0 .4rem; font-size: 1.05rem; }
        """

    func section(_ title: String, _ lead: String, _ content: HTML) -> HTML {
        "<section>\n<h2>\(title)</h2>\n<p>\(lead)</p>\n\(content)\n</section>\n"
    }

    /// The verdict on each test set, in one sentence each.
    package var answer: HTML {
        guard let figures = record.usefulness else {
            return "<p class=\"lead\">Usefulness was not measured.</p>"
        }
        return figures.tests.map { test -> HTML in
            """
            <div class="answer \(test.verdict.rawValue)"><p>\(test.sentence(figures.task))</p></div>

            """
        }.joined
    }

    private var facts: HTML {
        func side(_ side: EvaluationRecord.Side) -> String {
            let patients = side.patients.map { " of \($0.of("patient"))" } ?? ""
            let site = side.site.map { ", \($0)" } ?? ""
            return
                "\(side.name)\(site): \(side.patients == nil ? "" : "about ")\(side.pictures.of("picture"))\(patients)"
        }
        var rows: [(String, String)] = [
            ("Synthetic pictures", side(record.samples)), ("Trained on", side(record.training)),
        ]
        rows += record.tests.map { ("Tested on", side($0)) }
        if let task = record.usefulness?.task {
            rows.append(("Task", "\(task.attribute): \(task.classes.joined(separator: " | "))"))
        }
        rows.append(("Made on", record.date))
        return "<dl class=\"facts\">\n\(rows.map { "<div><dt>\($0)</dt><dd>\($1)</dd></div>\n" as HTML })</dl>"
    }

    /// The sentences of an evaluation, for the page of a released set.
    package var excerpt: HTML {
        let obedience = (record.obedience ?? []).map(\.sentence)
        return """
            \(answer)
            \(HTML.list(obedience))
            <p>Evaluated on \(record.date) by fovea \(record.tool), \(record.tests.count.of("test set")).</p>
            """
    }
}
