import Figures
import Files
import Foundation
import Statistics

/// What a simulation measured: the losses by patient of every arm, at every site and after every round.
public struct SimulationResult: Codable, Sendable {
    /// How a model was trained.
    public enum Arm: String, Codable, CaseIterable, Sendable {
        /// On one site's photographs alone.
        case local
        /// At all sites, merged after every round.
        case merged
        /// On the photographs of all sites in one place, which a real federation cannot do.
        case pooled
    }

    /// One measurement: a line of `measurements.jsonl`.
    public struct Measurement: Codable, Hashable, Sendable {
        public var round: Int
        public var arm: Arm
        public var site: String
        /// `validation` or `holdout`.
        public var split: String
        /// How many noise levels and noises were drawn for each photograph.
        public var draws: Int
        /// The mean loss of each patient, in the order of the data set.
        public var losses: [Double]

        var mean: Double { losses.reduce(0, +) / Double(max(1, losses.count)) }
    }

    /// Compares two arms at one site, patient by patient.
    public struct Comparison: Codable, Hashable, Sendable {
        public var site: String
        public var split: String
        public var patients: Int
        public var first: Arm
        public var second: Arm
        /// The mean loss of the first arm over patients.
        public var firstLoss: Double
        /// The mean loss of the second arm over patients.
        public var secondLoss: Double
        /// The mean over patients of the first arm's loss minus the second's. `low` and `high` are the 95 % interval of
        /// 10,000 bootstraps of patients.
        public var difference: Double
        public var low: Double
        public var high: Double
    }

    public var rounds: Int
    public var sites: [String]
    public var measurements: [Measurement]
    /// The comparisons of the last round: merged with local, and merged with pooled.
    public var comparisons: [Comparison]

    init(rounds: Int, sites: [String], measurements: [Measurement]) {
        self.rounds = rounds
        self.sites = sites
        self.measurements = measurements
        let last = measurements.filter { $0.round == rounds }
        let splits = Set(last.map(\.split)).sorted().reversed()
        comparisons = splits.flatMap { split in
            sites.flatMap { site in
                [(Arm.merged, Arm.local), (.merged, .pooled)].compactMap { pair in
                    func losses(_ arm: Arm) -> [Double]? {
                        last.first { $0.arm == arm && $0.site == site && $0.split == split }?.losses
                    }
                    guard let first = losses(pair.0), let second = losses(pair.1), first.count == second.count,
                        !first.isEmpty
                    else { return nil }
                    return Comparison(site: site, split: split, first, pair.0, second, pair.1)
                }
            }
        }
    }

    /// A plot of the losses on the validation split by round, with one panel for each site.
    var plot: String {
        let height = 190.0
        let panels = sites.enumerated().map { place, site in
            let curves = zip(Arm.allCases, [("#b3401e", "6 4"), ("#1f5f8b", nil), ("#2f6f4f", "2 3")]).map {
                arm, look in
                let points = measurements.filter { $0.site == site && $0.arm == arm && $0.split == "validation" }
                    .sorted { ($0.round, $0.draws) < ($1.round, $1.draws) }.map { (x: Double($0.round), y: $0.mean) }
                return LinePlot.Curve(name: arm.rawValue, colour: look.0, points: points, marks: true, dashes: look.1)
            }
            return LinePlot.Panel(
                top: 46 + (height + 66) * Double(place), height: height,
                title: "\(site): weighted denoising loss, validation patients", last: Double(max(1, rounds)),
                isLogarithmic: true,
                curves: curves)
        }
        return LinePlot(title: "Local, merged and pooled training by round", panels: panels, xLabel: "rounds").svg
    }

    /// A Markdown table of the comparisons in the last round.
    var table: String {
        let head =
            """
            | site | split | patients | merged | other | | merged - other | 95 % interval |\n| --- | --- | --- | --- \
            | --- | --- | --- | --- |
            """
        let rows = comparisons.map { c in
            """
            | \(c.site) | \(c.split) | \(c.patients) | \(SimulationResult.text(c.firstLoss)) | \
            \(SimulationResult.text(c.secondLoss)) | \(c.second.rawValue) | 
            """
                + """
                \(SimulationResult.text(c.difference)) | \(SimulationResult.text(c.low)) to \
                \(SimulationResult.text(c.high)) |
                """
        }
        return ([head] + rows).joined(separator: "\n") + "\n"
    }

    static func text(_ number: Double) -> String { String(format: "%.5f", number) }
}

extension SimulationResult.Comparison {
    fileprivate init(
        site: String, split: String, _ a: [Double], _ first: SimulationResult.Arm, _ b: [Double],
        _ second: SimulationResult.Arm
    ) {
        func mean(_ numbers: [Double]) -> Double { numbers.reduce(0, +) / Double(numbers.count) }
        let paired = PairedDifference(a, b)
        self.init(
            site: site, split: split, patients: a.count, first: first, second: second, firstLoss: mean(a),
            secondLoss: mean(b), difference: paired.mean,
            low: paired.low, high: paired.high)
    }
}
