import Figures
import Statistics

/// The drawings of the public page, which are made from aggregates alone.
enum AuditPlots {
    /// Three histograms of scores, one above the other: of samples, of photographs of others and of planted copies. The
    /// threshold is marked.
    static func histogram(_ test: AuditFigures.Copies) -> HTML {
        let histogram = test.histogram, width = 780.0, left = 130.0, height = 44.0
        guard let bins = histogram.samples.isEmpty ? nil : histogram.samples.count, histogram.high > histogram.low
        else { return "" }
        let step = (width - left - 10) / Double(bins)
        func x(_ score: Double) -> Double {
            left + (score - histogram.low) / (histogram.high - histogram.low) * (width - left - 10)
        }
        let rows: [(String, String, [Int])] = [
            ("samples", "Samples", histogram.samples), ("holdout", "Others", histogram.holdout),
            ("planted", "Planted copies", histogram.planted),
        ]
        let bars: [HTML] = rows.enumerated().map { place, row in
            let base = 30 + Double(place + 1) * (height + 8), most = Double(max(1, row.2.max() ?? 1))
            let columns: [HTML] = row.2.enumerated().filter { $0.element > 0 }.map { bin, count in
                // A bin that is not empty has a visible bar, however small its count is.
                let tall = max(1.5, height * Double(count) / most)
                return .element(
                    "rect",
                    [
                        "x": rounded(left + Double(bin) * step), "y": rounded(base - tall),
                        "width": rounded(max(1, step - 1)), "height": rounded(tall),
                    ])
            }
            let axis = line("axis", from: (left, base), to: (width - 10, base))
            return "<g class=\"\(row.0)\">\(columns)</g>\(text(row.1, x: 0, y: base - 4))\(axis)"
        }
        let bottom = 30 + 3 * (height + 8), mark = x(test.threshold)
        let title = "\(test.name.title): scores of samples, of photographs of others, and of planted copies"
        return plot(
            title, width: width, height: bottom + 22,
            [
                text(test.name.title, x: 0, y: 14), bars.joined,
                .element(
                    "line",
                    [
                        "class": "threshold", "x1": rounded(mark), "x2": rounded(mark), "y1": "24",
                        "y2": "\(Int(bottom))",
                    ]),
                text(rounded(histogram.low), x: left, y: bottom + 16),
                text(rounded(histogram.high), x: width - 10, y: bottom + 16, anchor: "end"),
                .element(
                    "text", ["x": rounded(mark), "y": "18", "text-anchor": "middle"], "\(rounded(test.threshold))"),
            ])
    }

    static func roc(_ statistic: MembershipResult.Statistic) -> HTML {
        let side = 260.0, left = 40.0, top = 10.0, bottom = top + side
        func place(_ point: RocCurve.Point) -> String {
            "\(rounded(left + point.falsePositiveRate * side)),\(rounded(top + (1 - point.truePositiveRate) * side))"
        }
        let points = statistic.curve.map(place).joined(separator: " ")
        return plot(
            "ROC curve of the membership attack", width: 780, height: bottom + 44,
            [
                line("diagonal", from: (left, bottom), to: (left + side, top)),
                line("axis", from: (left, bottom), to: (left + side, bottom)),
                line("axis", from: (left, top), to: (left, bottom)),
                .element("polyline", ["class": "curve", "points": points]),
                text("others taken for members", x: left + side / 2, y: bottom + 32, anchor: "middle"),
                text("members found", x: left + side + 14, y: top + 12),
                text("0", x: left, y: bottom + 16), text("1", x: left + side, y: bottom + 16, anchor: "middle"),
                text("1", x: left - 12, y: top + 10),
            ])
    }

    /// A drawing with a title for readers who hear the page.
    private static func plot(_ title: String, width: Double, height: Double, _ parts: [HTML]) -> HTML {
        .element(
            "svg",
            [
                "class": "plot", "viewBox": "0 0 \(Int(width)) \(Int(height))", "role": "img", "aria-label": title,
            ], "\n\(parts.map { "\($0)\n" as HTML })")
    }

    private static func line(_ name: String, from: (x: Double, y: Double), to: (x: Double, y: Double)) -> HTML {
        .element(
            "line",
            [
                "class": name, "x1": "\(Int(from.x))", "y1": "\(Int(from.y))", "x2": "\(Int(to.x))",
                "y2": "\(Int(to.y))",
            ])
    }

    private static func text(_ words: String, x: Double, y: Double, anchor: String = "start") -> HTML {
        .element("text", ["x": "\(Int(x))", "y": "\(Int(y))", "text-anchor": anchor], "\(words)")
    }
}
