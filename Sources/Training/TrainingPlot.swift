import Foundation

/// `curve.svg`: losses and speed over the images seen, from the lines of `log.jsonl`.
struct TrainingPlot {
    private let lines: [TrainingLog.Line]

    /// Points of the training curve, at most.
    private static let points = 200
    private static let width = 820.0, left = 70.0, right = 16.0

    init(_ lines: [TrainingLog.Line]) { self.lines = lines }

    /// Means of equal parts of the run: x is the images seen at the part's end.
    private func means(_ value: (TrainingLog.Line) -> Double?) -> [(x: Double, y: Double)] {
        let all = lines.compactMap { line in value(line).map { (x: Double(line.images_seen), y: $0) } }
        let size = max(1, (all.count + TrainingPlot.points - 1) / TrainingPlot.points)
        return stride(from: 0, to: all.count, by: size).map { start in
            let part = all[start..<min(start + size, all.count)]
            return (part.last?.x ?? 0, part.reduce(0) { $0 + $1.y } / Double(part.count))
        }
    }

    var svg: String {
        let training = means(\.loss).filter { $0.y > 0 }, speed = means(\.images_per_second)
        let validation = lines.compactMap { line in line.validation_loss.map { (x: Double(line.images_seen), y: $0) } }.filter { $0.y > 0 }
        let last = max(1, lines.map { Double($0.images_seen) }.max() ?? 1)
        var panels = [
            Panel(
                top: 30, height: 300, title: "weighted denoising loss", last: last, isLogarithmic: true,
                curves: [
                    Curve(name: "training", colour: "#7a8aa0", points: training, marks: false),
                    Curve(name: "validation, best moving average", colour: "#b3401e", points: validation, marks: true),
                ]),
            Panel(
                top: 380, height: 110, title: "images per second", last: last, isLogarithmic: false,
                curves: [Curve(name: "images per second", colour: "#2f6f4f", points: speed, marks: false)]),
        ].map(\.svg).joined(separator: "\n")
        panels += "\n<text x=\"\(TrainingPlot.width / 2)\" y=\"534\" text-anchor=\"middle\">training images seen</text>"
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(TrainingPlot.width)) 544" font-family="sans-serif" font-size="12" role="img">
            <title>Training: losses and speed</title>
            <rect width="100%" height="100%" fill="white"/>
            \(panels)
            </svg>

            """
    }

    private struct Curve {
        let name: String
        let colour: String
        let points: [(x: Double, y: Double)]
        let marks: Bool
    }

    private struct Panel {
        let top, height: Double
        let title: String
        let last: Double
        let isLogarithmic: Bool
        let curves: [Curve]

        private var values: [Double] { curves.flatMap { $0.points.map(\.y) }.filter(\.isFinite) }

        /// Lower and upper end of the axis, on its own scale.
        private var range: (low: Double, high: Double) {
            let values = values.map(scaled)
            guard let low = values.min(), let high = values.max() else { return (0, 1) }
            if !isLogarithmic { return (0, max(high * 1.05, 1e-9)) }
            return high - low < 0.1 ? (low - 0.1, high + 0.1) : (low, high)
        }

        private func scaled(_ value: Double) -> Double { isLogarithmic ? log10(value) : value }

        private func x(_ images: Double) -> Double {
            TrainingPlot.left + images / last * (TrainingPlot.width - TrainingPlot.left - TrainingPlot.right)
        }

        private func y(_ value: Double) -> Double {
            let (low, high) = range
            return top + height * (1 - (scaled(value) - low) / (high - low))
        }

        /// Round numbers inside of the axis: 1, 2 and 5 times powers of ten, or four equal parts.
        private var ticks: [Double] {
            let (low, high) = range
            if !isLogarithmic {
                let step = TrainingPlot.round(high / 4)
                return Array(stride(from: 0, through: high, by: step))
            }
            let powers = Int(low.rounded(.down))...Int(high.rounded(.up))
            return powers.flatMap { power in [1, 2, 5].map { $0 * pow(10, Double(power)) } }.filter { (low...high).contains(log10($0)) }
        }

        var svg: String {
            var parts = ["<text x=\"\(TrainingPlot.left)\" y=\"\(top - 10)\" font-weight=\"bold\">\(title)</text>"]
            let end = TrainingPlot.width - TrainingPlot.right
            for tick in ticks {
                let y = TrainingPlot.text(y(tick))
                parts.append("<line x1=\"\(TrainingPlot.left)\" x2=\"\(end)\" y1=\"\(y)\" y2=\"\(y)\" stroke=\"#e3e3e3\"/>")
                parts.append("<text x=\"\(TrainingPlot.left - 8)\" y=\"\(y)\" dy=\"4\" text-anchor=\"end\">\(TrainingPlot.text(tick))</text>")
            }
            for tick in stride(from: 0, through: last, by: TrainingPlot.round(last / 5)) {
                parts.append("<text x=\"\(TrainingPlot.text(x(tick)))\" y=\"\(top + height + 18)\" text-anchor=\"middle\">\(Int(tick))</text>")
            }
            for (number, curve) in curves.enumerated() where !curve.points.isEmpty {
                let points = curve.points.filter(\.y.isFinite).map { "\(TrainingPlot.text(x($0.x))),\(TrainingPlot.text(y($0.y)))" }
                parts.append("<polyline fill=\"none\" stroke=\"\(curve.colour)\" stroke-width=\"1.6\" points=\"\(points.joined(separator: " "))\"/>")
                if curve.marks {
                    parts += points.map { point in
                        let at = point.split(separator: ",")
                        return "<circle cx=\"\(at[0])\" cy=\"\(at[1])\" r=\"2.5\" fill=\"\(curve.colour)\"/>"
                    }
                }
                if curves.count > 1 {
                    parts.append("<text x=\"\(end - 8)\" y=\"\(top + 16 + 18 * Double(number))\" text-anchor=\"end\" fill=\"\(curve.colour)\">\(curve.name)</text>")
                }
            }
            return parts.joined(separator: "\n")
        }
    }

    /// The next of 1, 2, 5 times a power of ten.
    private static func round(_ value: Double) -> Double {
        let power = pow(10, log10(max(value, 1e-12)).rounded(.down))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= value } ?? value
    }

    private static func text(_ value: Double) -> String { String(format: "%.4g", value) }
}
