import Reporting

/// Drawings of the public page, from aggregates alone.
enum AuditPlots {
    /// Shares of samples, photographs of others and planted copies by score, one above the other, with the threshold.
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
                // What is there is seen, however little.
                let tall = max(1.5, height * Double(count) / most)
                return HTML(
                    verbatim:
                        "<rect x=\"\(rounded(left + Double(bin) * step))\" y=\"\(rounded(base - tall))\" width=\"\(rounded(max(1, step - 1)))\" height=\"\(rounded(tall))\"/>"
                )
            }
            return
                "<g class=\"\(HTML(verbatim: row.0))\">\(columns)</g><text x=\"0\" y=\"\(Int(base - 4))\">\(row.1)</text>\(HTML(verbatim: "<line class=\"axis\" x1=\"\(Int(left))\" x2=\"\(Int(width - 10))\" y1=\"\(Int(base))\" y2=\"\(Int(base))\"/>"))"
        }
        let bottom = Int(30 + 3 * (height + 8)), mark = rounded(x(test.threshold))
        let line = HTML(
            verbatim: "<line class=\"threshold\" x1=\"\(mark)\" x2=\"\(mark)\" y1=\"24\" y2=\"\(bottom)\"/>")
        return """
            <svg class="plot" viewBox="0 0 \(Int(width)) \(bottom + 22)" role="img" aria-label="\(test.name.title): scores of samples, of photographs of others, and of planted copies">
            <text x="0" y="14">\(test.name.title)</text>\(bars)\(line)
            <text x="\(Int(left))" y="\(bottom + 16)">\(rounded(histogram.low))</text><text x="\(Int(width - 10))" y="\(bottom + 16)" text-anchor="end">\(rounded(histogram.high))</text>
            <text x="\(HTML(verbatim: mark))" y="18" text-anchor="middle">\(rounded(test.threshold))</text>
            </svg>
            """
    }

    static func roc(_ statistic: MembershipResult.Statistic) -> HTML {
        let side = 260.0, left = 40.0, top = 10.0
        func place(_ point: RocCurve.Point) -> String {
            "\(rounded(left + point.falsePositiveRate * side)),\(rounded(top + (1 - point.truePositiveRate) * side))"
        }
        let points = statistic.curve.map(place).joined(separator: " ")
        return """
            <svg class="plot" viewBox="0 0 780 \(Int(top + side + 44))" role="img" aria-label="ROC curve of the membership attack">
            \(HTML(verbatim: "<line class=\"diagonal\" x1=\"\(Int(left))\" y1=\"\(Int(top + side))\" x2=\"\(Int(left + side))\" y2=\"\(Int(top))\"/><line class=\"axis\" x1=\"\(Int(left))\" y1=\"\(Int(top + side))\" x2=\"\(Int(left + side))\" y2=\"\(Int(top + side))\"/><line class=\"axis\" x1=\"\(Int(left))\" y1=\"\(Int(top))\" x2=\"\(Int(left))\" y2=\"\(Int(top + side))\"/><polyline class=\"curve\" points=\"\(points)\"/>"))
            <text x="\(Int(left + side / 2))" y="\(Int(top + side + 32))" text-anchor="middle">others taken for members</text><text x="\(Int(left + side + 14))" y="\(Int(top + 12))">members found</text>
            <text x="\(Int(left))" y="\(Int(top + side + 16))">0</text><text x="\(Int(left + side))" y="\(Int(top + side + 16))" text-anchor="middle">1</text><text x="\(Int(left - 12))" y="\(Int(top + 10))">1</text>
            </svg>
            """
    }
}
