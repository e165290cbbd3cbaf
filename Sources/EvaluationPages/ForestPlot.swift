import Figures
import Foundation
import Statistics

/// Estimates with their intervals, one above the other, around a line at zero, as SVG for any browser.
struct ForestPlot {
    struct Row {
        let name: String
        let estimate: Estimate
        /// Whether the row is drawn strongly.
        let isMain: Bool
    }

    static let style = """
        .forest { display: block; width: 100%; max-width: 58rem; height: auto; }
        .forest text { font-size: 13px; fill: var(--text); }
        .forest .axis { fill: var(--muted); }
        .forest line { stroke: var(--muted); stroke-width: 1.5; }
        .forest .zero { stroke: var(--text); stroke-dasharray: 4 3; }
        .forest .main { stroke: var(--accent); stroke-width: 3.5; }
        .forest circle { fill: var(--muted); }
        .forest circle.main { fill: var(--accent); stroke: none; }

        """

    private let rows: [Row]
    private let label: String
    private static let left = 470.0, right = 850.0, step = 24.0

    /// - Parameter label: what the plot shows, for those who cannot see it.
    init(_ rows: [Row], label: String) { (self.rows, self.label) = (rows, label) }

    /// The ends of the axis, at least five hundredths to each side.
    private var range: (low: Double, high: Double) {
        let low = rows.map(\.estimate.low).min() ?? 0, high = rows.map(\.estimate.high).max() ?? 0
        return (min(-0.05, (low * 20).rounded(.down) / 20), max(0.05, (high * 20).rounded(.up) / 20))
    }

    private func x(_ value: Double) -> Double {
        let (low, high) = range
        return ForestPlot.left + (value - low) / (high - low) * (ForestPlot.right - ForestPlot.left)
    }

    var html: HTML {
        let height = Double(rows.count) * ForestPlot.step
        func line(_ name: String, _ from: (Double, Double), _ to: (Double, Double)) -> HTML {
            .element(
                "line",
                [
                    "class": name, "x1": NumberText.number(from.0), "y1": NumberText.number(from.1),
                    "x2": NumberText.number(to.0), "y2": NumberText.number(to.1),
                ])
        }
        func text(_ words: String, _ x: Double, _ y: Double, _ anchor: String, _ name: String = "") -> HTML {
            .element(
                "text",
                ["class": name, "x": NumberText.number(x), "y": NumberText.number(y), "text-anchor": anchor],
                "\(words)")
        }
        let drawn = rows.enumerated().map { place, row -> HTML in
            let y = (Double(place) + 0.5) * ForestPlot.step, name = row.isMain ? "main" : ""
            let point = HTML.element(
                "circle",
                ["class": name, "cx": NumberText.number(x(row.estimate.value)), "cy": NumberText.number(y), "r": "4.5"])
            let shown = row.name.shortened(to: 68)
            return """
                <g><title>\(row.name): \(points(row.estimate))</title>
                \(text(shown, ForestPlot.left - 14, y + 4, "end"))\
                \(line(name, (x(row.estimate.low), y), (x(row.estimate.high), y)))\(point)</g>

                """
        }
        let (low, high) = range
        let step = high - low > 0.6 ? 0.2 : high - low > 0.25 ? 0.1 : 0.05
        let ticks = stride(from: (low / step).rounded(.up) * step, through: high + 1e-9, by: step).map { value in
            text(
                "\(value > 1e-9 ? "+" : "")\(rounded((value * 100).rounded()))", x(value), height + 18, "middle",
                "axis")
        }
        return .element(
            "svg",
            [
                "class": "forest", "viewBox": "0 0 880 \(NumberText.number(height + 26))", "role": "img",
                "aria-label": label,
            ], "\(line("zero", (x(0), 0), (x(0), height)))\(drawn)\(ticks)")
    }
}

/// `+6.2 (1.3 to 9.8)`: an area or a difference of areas in hundredths, with its interval.
func points(_ estimate: Estimate) -> String {
    func text(_ value: Double) -> String { rounded((value * 1000).rounded() / 10) }
    return "\(estimate.value > 0 ? "+" : "")\(text(estimate.value)) (\(text(estimate.low)) to \(text(estimate.high)))"
}

/// `0.83 (0.79 to 0.87)`.
func area(_ estimate: Estimate) -> String {
    func text(_ value: Double) -> String { String(format: "%.3f", value) }
    return "\(text(estimate.value)) (\(text(estimate.low)) to \(text(estimate.high)))"
}
