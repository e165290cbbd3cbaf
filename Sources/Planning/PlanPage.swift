import Figures
import Files
import Reporting

/// `plan.html`: what a plan draws of which cohort, and what their numbers allow. It shows exact counts of patients, so
/// it stays at the site.
public struct PlanPage: Sendable {
    private let plan: CohortPlan
    private let dataset: String

    /// - Parameter dataset: the data set's name.
    public init(_ plan: CohortPlan, dataset: String) {
        self.plan = plan
        self.dataset = dataset
    }

    public var html: String {
        let body: HTML = """
            <p class="label warn">Private: counts patients. It never leaves the site.</p>
            <h1>A plan for \(dataset)</h1>
            <p class="lead">\(PlanPage.sentence(plan.summary))</p>
            <section>
            <h2>Before and after</h2>
            <p>Photographs of the train split in each cell, and the pictures that the plan draws for it. \
            \(plan.target.sentence)</p>
            <p class="key"><span class="own">photographs</span> <span class="drawn">to draw</span></p>
            \(bars)
            </section>
            \(notes)
            <section>
            <h2>What the numbers allow</h2>
            <p>A test on the held-out patients tells a sensitivity of 80 % only as exactly as their number \
            allows: the table gives half the width of its 95 % interval. \(SensitivityInterval.patients(for: 0.1)) \
            patients give 10 points. Pictures that are drawn make no such interval narrower; only patients do.</p>
            \(table)
            </section>
            """
        return PlainPage.html(
            title: "A plan for \(dataset)", body: body, style: PlainPage.labelsAndNumbers + PlanPage.style,
            isPrivate: true
        ).source
    }

    private static let style = """
        .bars { display: block; width: 100%; max-width: 58rem; height: auto; }
        .bars text { font-size: 13px; fill: var(--text); }
        .bars .count { fill: var(--muted); }
        .bars .own { fill: var(--accent); }
        .bars .drawn { fill: var(--accent); fill-opacity: .32; stroke: var(--accent); }
        .bars .target { stroke: var(--warning); stroke-width: 2; stroke-dasharray: 4 3; }
        .key span::before { content: ""; display: inline-block; width: 1rem; height: .8rem; margin: 0 .4rem 0 0; }
        .key span { margin-inline-end: 1.2rem; }
        .key .own::before { background: var(--accent); }
        .key .drawn::before { background: color-mix(in srgb, var(--accent) 32%, transparent); \
        outline: 1px solid var(--accent); }
        """

    /// A bar for each cell: what is there, what is drawn, and where the target lies.
    private var bars: HTML {
        // About 7.5 units for each letter.
        let longest = plan.cells.map { $0.text.count }.max() ?? 0
        let left = min(300, 7.5 * Double(longest) + 16), width = 760 - left, row = 26.0
        let most = Double(max(1, plan.cells.map { max($0.target, $0.photographs + $0.toSample) }.max() ?? 1))
        func x(_ count: Int) -> Double { left + Double(count) / most * width }
        let rows = plan.cells.enumerated().map { place, cell -> HTML in
            let top = Double(place) * row + 4
            let own = bar("own", from: left, to: x(cell.photographs), top: top)
            let drawn =
                cell.toSample > 0
                ? bar("drawn", from: x(cell.photographs), to: x(cell.photographs + cell.toSample), top: top) : ""
            let line = HTML.element(
                "line",
                [
                    "class": "target", "x1": NumberText.number(x(cell.target)), "x2": NumberText.number(x(cell.target)),
                    "y1": NumberText.number(top - 3), "y2": NumberText.number(top + 21),
                ])
            let name = HTML.element(
                "text", ["x": NumberText.number(left - 8), "y": NumberText.number(top + 14), "text-anchor": "end"],
                "<title>\(cell.text)</title>\(cell.text.shortened(to: 40))")
            let counts =
                cell.isRefused
                ? "\(NumberText.grouped(cell.photographs)), refused"
                : NumberText.grouped(cell.photographs)
                    + (cell.toSample > 0 ? " + \(NumberText.grouped(cell.toSample))" : "")
            let number = HTML.element(
                "text",
                ["class": "count", "x": NumberText.number(left + width + 10), "y": NumberText.number(top + 14)],
                "\(counts)")
            return "\(name)\(own)\(drawn)\(line)\(number)\n"
        }
        let height = Double(plan.cells.count) * row + 6
        return .element(
            "svg",
            [
                "class": "bars", "viewBox": "0 0 900 \(NumberText.number(height))", "role": "img",
                "aria-label": "Photographs of each cell before and after the plan",
            ], "\(rows)")
    }

    private func bar(_ name: String, from start: Double, to end: Double, top: Double) -> HTML {
        .element(
            "rect",
            [
                "class": name, "x": NumberText.number(start), "y": NumberText.number(top),
                // A cell of one photograph is visible beside one of thousands.
                "width": NumberText.number(max(1.5, end - start)), "height": "18",
            ])
    }

    private var notes: HTML {
        let sentences = plan.notes
        return sentences.isEmpty
            ? "" : "<section>\n<h2>To know</h2>\n\(HTML.list(sentences.map(PlanPage.sentence)))\n</section>\n"
    }

    /// A clause as a sentence.
    private static func sentence(_ clause: String) -> String {
        clause.prefix(1).uppercased() + clause.dropFirst() + "."
    }

    private var table: HTML {
        let before = Double(max(1, plan.photographs)), after = Double(max(1, plan.photographs + plan.toSample))
        return Table(
            [
                .text("Cell"), .numbers("Patients"), .numbers("Photographs"), .numbers("Share"), .numbers("To draw"),
                .numbers("Share then"), .numbers("Held-out patients"), .numbers("Interval"),
            ],
            rows: plan.cells.map { cell in
                [
                    cell.text, NumberText.grouped(cell.patients), NumberText.grouped(cell.photographs),
                    percent(Double(cell.photographs) / before),
                    cell.isRefused ? "refused" : NumberText.grouped(cell.toSample),
                    percent(Double(cell.photographs + cell.toSample) / after),
                    NumberText.grouped(cell.heldOutPatients), cell.halfWidth.map(CohortPlan.points) ?? "none",
                ]
            }
        ).html
    }
}
