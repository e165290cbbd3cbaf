import Figures
import Foundation
import SampleStore

/// The table of every run's settings.
struct RunSection: Sendable {
    let content: ReportContent

    /// One thing that the table says about a run.
    struct Fact: Hashable, Sendable {
        let name: String
        let text: String
    }

    var facts: [[Fact]] {
        let runs = content.description.runs
        return runs.enumerated().map { number, run in
            [
                Fact(name: "Run", text: "\(number + 1) of \(runs.count), \(NumberText.grouped(run.samples)) samples"),
                Fact(name: "Model", text: run.model),
            ]
                + [Fact(name: "Sampler", text: run.sampler), Fact(name: "Steps", text: "\(run.steps)")]
                + [
                    Fact(
                        name: "Guidance", text: run.guidance == 1 ? "1 (none)" : NumberText.number(Double(run.guidance))
                    )
                ] + (run.warnings ?? []).map { Fact(name: "Warning", text: $0) } + RunSection.schedule(run.schedule)
                + [
                    Fact(name: "Program", text: "fovea \(run.toolVersion)"),
                    Fact(name: "OpenBLAS", text: "\(run.openBLASVersion), kernels for \(run.blasCore)"),
                    Fact(name: "Vector code", text: run.kernelISA),
                    Fact(name: "Started", text: NumberText.moment(run.started)),
                    Fact(name: "Finished", text: run.finished.map(NumberText.moment) ?? "not recorded"),
                ]
        }
    }

    /// Every entry of the schedule but the steps, which have a row of their own. A schedule that is not a JSON object
    /// is shown as it is.
    private static func schedule(_ json: String) -> [Fact] {
        guard let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] else {
            return [Fact(name: "Schedule", text: json)]
        }
        return object.filter { $0.key != "steps" }.sorted { $0.key < $1.key }.map { key, value in
            let list = (value as? [Any]).map { $0.map { "\($0)" }.joined(separator: ", ") }
            return Fact(name: "Schedule: \(key)", text: list ?? "\(value)")
        }
    }

    var html: HTML {
        let facts = facts
        var names: [String] = []
        for name in facts.flatMap({ $0.map(\.name) }) where !names.contains(name) { names.append(name) }
        let rows = names.map { name in
            let cells = facts.map { run in "<td>\(run.first { $0.name == name }?.text ?? "")</td>" as HTML }
            return "<tr><th scope=\"row\">\(name)</th>\(cells)</tr>\n" as HTML
        }
        return """
            <section id="settings" aria-labelledby="settings-title">
            <h2 id="settings-title">Settings</h2>
            <p>A sample depends on its model, these settings, its cohort and its seed, and on nothing else.</p>
            <div class="scroll" role="region" aria-labelledby="settings-title" tabindex="0">
            <table class="settings">
            \(rows)</table>
            </div>
            </section>
            """
    }
}
