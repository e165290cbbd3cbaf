import Foundation

/// `curve.svg`: losses and speed over the images seen, from the lines of `log.jsonl`.
struct TrainingPlot {
    private let lines: [TrainingLog.Line]

    /// Points of the training curve, at most.
    private static let points = 200

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
        let panels = [
            LinePlot.Panel(
                top: 30, height: 300, title: "weighted denoising loss", last: last, isLogarithmic: true,
                curves: [
                    LinePlot.Curve(name: "training", colour: "#7a8aa0", points: training, marks: false),
                    LinePlot.Curve(name: "validation, best moving average", colour: "#b3401e", points: validation, marks: true),
                ]),
            LinePlot.Panel(
                top: 380, height: 110, title: "images per second", last: last, isLogarithmic: false,
                curves: [LinePlot.Curve(name: "images per second", colour: "#2f6f4f", points: speed, marks: false)]),
        ]
        return LinePlot(title: "Training: losses and speed", panels: panels, xLabel: "training images seen").svg
    }
}
