import Foundation

/// Panels of curves above each other, as SVG for any browser.
package struct LinePlot {
    /// One line of a panel. With `marks`, each point also gets a small circle.
    package struct Curve {
        let name: String
        let colour: String
        let points: [(x: Double, y: Double)]
        let marks: Bool
        /// Lengths of dashes and gaps, as SVG writes them; nil for a solid line.
        let dashes: String?

        package init(name: String, colour: String, points: [(x: Double, y: Double)], marks: Bool, dashes: String? = nil)
        {
            self.name = name
            self.colour = colour
            self.points = points
            self.marks = marks
            self.dashes = dashes
        }
    }

    /// A drawing with its own axes. `top` and `height` are in units of the SVG.
    package struct Panel {
        let top, height: Double
        let title: String
        /// The right end of the x axis; the left end is 0.
        let last: Double
        let isLogarithmic: Bool
        let curves: [Curve]

        package init(top: Double, height: Double, title: String, last: Double, isLogarithmic: Bool, curves: [Curve]) {
            self.top = top
            self.height = height
            self.title = title
            self.last = last
            self.isLogarithmic = isLogarithmic
            self.curves = curves
        }
    }

    fileprivate static let width = 820.0, left = 70.0, right = 16.0

    private let title: String
    private let panels: [Panel]
    private let xLabel: String

    package init(title: String, panels: [Panel], xLabel: String) {
        self.title = title
        self.panels = panels
        self.xLabel = xLabel
    }

    /// The whole plot as one SVG element.
    package var svg: String {
        let bottom = (panels.map { $0.top + $0.height }.max() ?? 0) + 44
        let drawing: HTML = """

            <title>\(title)</title>
            <rect width="100%" height="100%" fill="white"/>
            \(panels.map(\.drawing).joined)
            <text x="\(NumberText.number(LinePlot.width / 2))" y="\(Int(bottom))" text-anchor="middle">\(xLabel)</text>

            """
        let svg = HTML.element(
            "svg",
            [
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": "0 0 \(Int(LinePlot.width)) \(Int(bottom + 10))", "font-family": "sans-serif",
                "font-size": "12", "role": "img",
            ], drawing)
        return svg.source + "\n"
    }

    /// Rounds up to 1, 2, 5 or 10 times a power of ten.
    fileprivate static func round(_ value: Double) -> Double {
        let power = pow(10, log10(max(value, 1e-12)).rounded(.down))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= value } ?? value
    }

    /// A number at an axis: `50,000`, `0.02` or `5e-5`, never two ways to write numbers of one size.
    package static func tick(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e9 { return NumberText.grouped(Int(value)) }
        guard value != 0, abs(value) < 0.00099 else { return NumberText.number(value) }
        let power = Int(log10(abs(value) * 1.0000001).rounded(.down))
        return "\(NumberText.number(value / pow(10, Double(power))))e\(power)"
    }
}

extension LinePlot.Panel {
    private var values: [Double] { curves.flatMap { $0.points.map(\.y) }.filter(\.isFinite) }

    /// The lower and the upper end of the y axis, as logarithms if the axis is logarithmic.
    private var range: (low: Double, high: Double) {
        let values = values.map(scaled)
        guard let low = values.min(), let high = values.max() else { return (0, 1) }
        if !isLogarithmic { return (0, max(high * 1.05, 1e-9)) }
        return high - low < 0.1 ? (low - 0.1, high + 0.1) : (low, high)
    }

    private func scaled(_ value: Double) -> Double { isLogarithmic ? log10(value) : value }

    private func x(_ images: Double) -> Double {
        LinePlot.left + images / last * (LinePlot.width - LinePlot.left - LinePlot.right)
    }

    private func y(_ value: Double) -> Double {
        let (low, high) = range
        return top + height * (1 - (scaled(value) - low) / (high - low))
    }

    /// The numbers at the y axis. A logarithmic axis has 1, 2 and 5 times powers of ten; if at most two of these fit
    /// in, it has finer steps. A linear axis has at most four equal steps of a round size.
    private var ticks: [Double] {
        let (low, high) = range
        if !isLogarithmic {
            let step = LinePlot.round(high / 4)
            return Array(stride(from: 0, through: high, by: step))
        }
        let powers = Int(low.rounded(.down))...Int(high.rounded(.up))
        func ticks(_ digits: [Double]) -> [Double] {
            powers.flatMap { power in digits.map { $0 * pow(10, Double(power)) } }.filter {
                (low...high).contains(log10($0))
            }
        }
        let coarse = ticks([1, 2, 5])
        // Over many powers of ten the numbers would touch each other.
        if Double(coarse.count) > height / 20 { return ticks([1]) }
        return coarse.count > 2 ? coarse : ticks([1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9])
    }

    fileprivate var drawing: HTML {
        func text(_ words: String, x: Double, y: Double, anchor: String = "start", fill: String = "black") -> HTML {
            .element(
                "text",
                ["x": NumberText.number(x), "y": NumberText.number(y), "text-anchor": anchor, "fill": fill], "\(words)")
        }
        let end = LinePlot.width - LinePlot.right
        var parts: [HTML] = [
            .element(
                "text",
                [
                    "x": NumberText.number(LinePlot.left), "y": NumberText.number(top - (curves.count > 1 ? 26 : 10)),
                    "font-weight": "bold",
                ], "\(title)")
        ]
        for tick in ticks {
            let y = NumberText.number(y(tick))
            parts.append(
                .element(
                    "line",
                    [
                        "x1": NumberText.number(LinePlot.left), "x2": NumberText.number(end), "y1": y, "y2": y,
                        "stroke": "#e3e3e3",
                    ]))
            parts.append(text(LinePlot.tick(tick), x: LinePlot.left - 8, y: self.y(tick) + 4, anchor: "end"))
        }
        for tick in stride(from: 0, through: last, by: max(1, LinePlot.round(last / 5))) {
            parts.append(text(LinePlot.tick(tick), x: x(tick), y: top + height + 18, anchor: "middle"))
        }
        for curve in curves where !curve.points.isEmpty { parts += drawing(of: curve) }
        // Names stand between the title and the panel, where nothing runs through them.
        var right = end
        for curve in curves.reversed() where curves.count > 1 {
            parts.append(text(curve.name, x: right, y: top - 10, anchor: "end", fill: curve.colour))
            right -= 7 * Double(curve.name.count) + 16
        }
        return parts.map { "\($0)\n" as HTML }.joined
    }

    private func drawing(of curve: LinePlot.Curve) -> [HTML] {
        let places = curve.points.filter(\.y.isFinite).map {
            (x: NumberText.number(x($0.x)), y: NumberText.number(y($0.y)))
        }
        let line = HTML.element(
            "polyline",
            [
                "fill": "none", "stroke": curve.colour, "stroke-width": "1.6",
                "stroke-dasharray": curve.dashes ?? "none",
                "points": places.map { "\($0.x),\($0.y)" }.joined(separator: " "),
            ])
        guard curve.marks else { return [line] }
        return [line] + places.map { .element("circle", ["cx": $0.x, "cy": $0.y, "r": "2.5", "fill": curve.colour]) }
    }
}
