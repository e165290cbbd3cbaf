import Figures
import Importing

/// How the photographs spread over one figure, with the limits of their quality, as SVG.
struct FigureHistogram {
    private static let bins = 40, width = 400.0, height = 110.0

    let limit: QualityLimit
    let values: [Double]

    /// The right end of the axis; larger values are counted in the last bin.
    private var end: Double {
        switch limit {
        case .brightness: 255
        case .dark, .burnt, .lit: 1
        case .sharpness: 1.2
        case .vesselLength: 12
        case .vesselContrast: 0.4
        }
    }

    private func text(_ value: Double) -> String {
        switch limit {
        case .dark, .burnt, .lit, .vesselContrast: percent(value).replacing(" ", with: "\u{a0}")
        case .brightness, .sharpness, .vesselLength: NumberText.number(value)
        }
    }

    private func x(_ value: Double) -> Double { value / end * Self.width }

    var html: HTML {
        var counts = [Int](repeating: 0, count: Self.bins)
        for value in values { counts[max(0, min(Self.bins - 1, Int(value / end * Double(Self.bins))))] += 1 }
        let most = Double(max(1, counts.max() ?? 1)), step = Self.width / Double(Self.bins)
        let bars = counts.enumerated().filter { $0.element > 0 }.map { place, count -> HTML in
            // A bin of one photograph is visible beside one of thousands.
            let height = max(2, Self.height * Double(count) / most)
            return rectangle(x: Double(place) * step + 0.5, height: height, width: step - 1)
        }
        let (usable, reject) = limit.limits
        let title = "\(limit.title): \(limit.sentence(text))"
        let drawing: HTML = """
            <title>\(title)</title>
            \(bars)
            <line class="axis" x1="0" x2="400" y1="110" y2="110"/>
            \(mark(usable, "limit-usable"))\(mark(reject, "limit-reject"))
            \(label(0, "0", "start"))\(label(end, text(end), "end"))
            """
        let svg = HTML.element("svg", ["class": "histogram", "viewBox": "-1 -2 402 134", "role": "img"], drawing)
        return "<figure><figcaption><b>\(limit.title)</b>: \(limit.sentence(text))</figcaption>\(svg)</figure>\n"
    }

    private func rectangle(x: Double, height: Double, width: Double) -> HTML {
        .element(
            "rect",
            [
                "class": "bar", "x": NumberText.number(x), "y": NumberText.number(Self.height - height),
                "width": NumberText.number(width), "height": NumberText.number(height),
            ])
    }

    private func mark(_ value: Double, _ name: String) -> HTML {
        let place = NumberText.number(x(value))
        return .element("line", ["class": name, "x1": place, "x2": place, "y1": "0", "y2": "114"])
    }

    private func label(_ value: Double, _ words: String, _ anchor: String) -> HTML {
        .element(
            "text",
            [
                "x": NumberText.number(x(value)), "y": NumberText.number(Self.height + 16), "text-anchor": anchor,
            ], "\(words)")
    }
}

extension QualityLimit {
    /// The two limits in words.
    func sentence(_ text: (Double) -> String) -> String {
        let side = limits.reject > limits.usable ? "above" : "below"
        return "usable at best \(side) \(text(limits.usable)), rejected \(side) \(text(limits.reject))"
    }
}
