import Figures
import Foundation

/// `curve.svg`: losses and speed over the images seen, from the lines of `log.jsonl`.
struct TrainingPlot {
    private let lines: [TrainingLog.Line]
    /// The errors of another denoiser on the same photographs; nil where they were not measured.
    private let baseline: DenoisingBaseline?

    /// The noise levels whose errors are drawn, and their colours.
    private static let levels = [
        (sigma: 0.016, colour: "#2f6f4f"), (0.05, "#2f5f9f"), (0.1, "#7a4a9a"), (0.2, "#b3401e"), (0.8, "#8a6a10"),
    ]

    /// The largest number of points in the training curve.
    private static let points = 200

    init(_ lines: [TrainingLog.Line], baseline: DenoisingBaseline? = nil) {
        self.lines = lines
        self.baseline = baseline
    }

    /// Curves of the errors in one part of the pictures over the images seen, with the errors of c_skip alone (dotted)
    /// and of the baseline (dashed).
    private func errors(
        _ part: KeyPath<DenoisingError, Double?>, skip: KeyPath<DenoisingError, Double?>?, last: Double
    ) -> [LinePlot.Curve] {
        TrainingPlot.levels.flatMap { sigma, colour -> [LinePlot.Curve] in
            func points(_ value: KeyPath<DenoisingError, Double?>) -> [(x: Double, y: Double)] {
                lines.compactMap { line in
                    let measured = line.denoising_errors?.first { $0.sigma == sigma }
                    guard let error = measured?[keyPath: value], error > 0 else { return nil }
                    return (Double(line.images_seen), error)
                }
            }
            let own = points(part)
            guard !own.isEmpty else { return [] }
            var curves = [LinePlot.Curve(name: "\(sigma)", colour: colour, points: own, marks: true)]
            if let skip {
                curves.append(.init(name: "", colour: colour, points: points(skip), marks: false, dashes: "1 4"))
            }
            if let value = baseline?.errors.first(where: { $0.sigma == sigma })?[keyPath: part], value > 0 {
                curves.append(
                    .init(name: "", colour: colour, points: [(0, value), (last, value)], marks: false, dashes: "7 4"))
            }
            return curves
        }
    }

    /// Means over equal parts of the run; x is the number of images seen at the end of a part.
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
        let validation = lines.compactMap { line in line.validation_loss.map { (x: Double(line.images_seen), y: $0) } }
            .filter { $0.y > 0 }
        let last = max(1, lines.map { Double($0.images_seen) }.max() ?? 1)
        let eye = errors(\.eye, skip: nil, last: last), surround = errors(\.surround, skip: nil, last: last)
        let all = errors(\.all, skip: \.skip, last: last)
        let named = baseline.map { "; dashed: \($0.name)" } ?? ""
        var panels = [
            LinePlot.Panel(
                top: 46, height: 300, title: "weighted denoising loss", last: last, isLogarithmic: true,
                curves: [
                    LinePlot.Curve(name: "training", colour: "#7a8aa0", points: training, marks: false),
                    LinePlot.Curve(
                        name: "validation, best moving average", colour: "#b3401e", points: validation, marks: true),
                ]),
            LinePlot.Panel(
                top: 396, height: 110, title: "images per second", last: last, isLogarithmic: false,
                curves: [LinePlot.Curve(name: "images per second", colour: "#2f6f4f", points: speed, marks: false)]),
        ]
        var top = 572.0
        for (title, curves) in [
            ("denoising error inside the eye, by noise on pixels\(named)", eye),
            ("denoising error in the black surround\(named)", surround),
            ("denoising error over all pixels\(named)\(named.isEmpty ? ";" : ",") dotted: c_skip alone", all),
        ] where !curves.isEmpty {
            panels.append(
                LinePlot.Panel(top: top, height: 260, title: title, last: last, isLogarithmic: true, curves: curves))
            top += 336
        }
        return LinePlot(title: "Training: losses and speed", panels: panels, xLabel: "training images seen").svg
    }
}

/// The denoising errors of another method on the same photographs: `baseline.json` in a run's folder, as
/// `Tools/evaluation/denoising_baseline` writes it.
struct DenoisingBaseline {
    let name: String
    let errors: [DenoisingError]

    private struct File: Decodable {
        struct Errors: Decodable {
            let sigma: Double, all: Double
            let eye: Double?, edge: Double?, surround: Double?
        }

        let name: String
        let errors: [Errors]
    }

    /// Nil where there is no such file, or where it cannot be read. The curves are then drawn without the baseline.
    init?(contentsOf path: String) {
        guard let data = FileManager.default.contents(atPath: path),
            let file = try? JSONDecoder().decode(File.self, from: data)
        else { return nil }
        name = file.name
        errors = file.errors.map {
            DenoisingError(sigma: $0.sigma, error: $0.all, eye: $0.eye, edge: $0.edge, surround: $0.surround)
        }
    }
}
