import Cohorts
import Datasets
import Figures
import Files
import Foundation
import Planning

/// Says which cohorts of a data set are short, what their numbers allow, and how many pictures to draw of each. Writes
/// the table that `SampleJob` takes as its plan, and a page beside it.
public struct PlanJob: Job {
    /// A data set.
    public var dataset: String
    /// One to three attributes, whose values together make the cells.
    public var by: [String]
    /// What the cells shall become.
    public var target = Target.equal
    /// At most so many drawn pictures for each photograph: 0.1 to 4; nil for 4.
    public var dose: Double?
    /// Whether cells of too few patients are joined with a neighbour in place of being refused.
    public var joinsSmallCells = false
    /// The table to write. The page goes beside it and ends with `.html`.
    public var output: String
    /// Whether outputs that exist may be replaced.
    public var replaces = false

    public enum Target: Sendable, Equatable {
        /// As many photographs in each cell as in the largest.
        case equal
        /// The shares in a table with a column for each attribute, and the column `share`.
        case shares(table: String)
        /// As many as the patients that a sensitivity with an interval of this half-width needs: 0.02 to 0.4.
        case interval(Double)
    }

    public init(_ dataset: String, by attributes: [String], to output: String) {
        self.dataset = dataset
        by = attributes
        self.output = output
    }

    public var inputs: [JobInput] {
        let data = [JobInput(dataset, .dataset, setting: nil)]
        if case .shares(let table) = target { return data + [JobInput(table, .table, setting: "target")] }
        return data
    }

    public var outputs: [JobOutput] { [JobOutput(output, .table)] }

    public struct Outcome: JobOutcome {
        /// The table, and the page about it.
        public let output, page: String
        public let plan: CohortPlan

        private enum Key: String, CodingKey {
            case output, page, attributes, photographs, wanted, dose, cells, unknown
            case toSample = "to_sample"
        }

        private struct Cell: Encodable {
            let cohort: [String: String]
            let patients, photographs, heldOutPatients: Int
            let halfWidth: Double?
            let target, toSample: Int
            let refused, fewPatients: Bool

            enum CodingKeys: String, CodingKey {
                case cohort, patients, photographs, target, refused
                case heldOutPatients = "held_out_patients"
                case halfWidth = "half_width"
                case toSample = "to_sample"
                case fewPatients = "few_patients"
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(output, forKey: .output)
            try container.encode(page, forKey: .page)
            try container.encode(plan.attributes, forKey: .attributes)
            try container.encode(plan.photographs, forKey: .photographs)
            try container.encode(plan.wanted, forKey: .wanted)
            try container.encode(plan.toSample, forKey: .toSample)
            try container.encode(plan.dose, forKey: .dose)
            try container.encode(
                ["photographs": plan.unknownPhotographs, "patients": plan.unknownPatients], forKey: .unknown)
            try container.encode(
                plan.cells.map {
                    Cell(
                        cohort: $0.cohort, patients: $0.patients, photographs: $0.photographs,
                        heldOutPatients: $0.heldOutPatients, halfWidth: $0.halfWidth, target: $0.target,
                        toSample: $0.toSample, refused: $0.isRefused, fewPatients: $0.restsOnFew)
                }, forKey: .cells)
        }

        public var lines: [String] {
            let cells = plan.cells.filter { $0.toSample > 0 }
            return ["\(output): \(plan.summary)"]
                + cells.prefix(12).map {
                    """
                      \($0.text): \($0.photographs.of("photograph")) of \($0.patients.of("patient")), \($0.toSample) \
                    to draw
                    """
                } + (cells.count > 12 ? ["  ..."] : []) + plan.notes
                + ["details: \(page) (it counts patients; keep it and the table at the site)"]
        }
    }

    public func validate() throws {
        try CohortNames.require(by)
        guard !by.isEmpty else {
            throw Failure(.usage, option: "by", expected: "one to three attributes", found: "none")
        }
        if let dose, !CohortPlan.doses.contains(dose) {
            throw Failure(
                .usage, option: "dose",
                expected:
                    "\(CohortPlan.doses.lowerBound) to \(CohortPlan.doses.upperBound) pictures for each photograph",
                found: "\(dose)")
        }
        if case .interval(let width) = target, !CohortTarget.intervals.contains(width) {
            throw Failure(
                .usage, option: "target",
                expected: "interval=\(CohortTarget.intervals.lowerBound) to \(CohortTarget.intervals.upperBound)",
                found: "interval=\(width)")
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let page = PlanJob.page(for: output)
        try StagedFile.requireWritable(output, force: replaces)
        try StagedFile.requireWritable(page, force: replaces)
        let target: CohortTarget =
            switch self.target {
            case .equal: .equal
            case .interval(let width): .interval(width)
            case .shares(let table): try CohortTarget(shares: table, by: by)
            }
        let file = try await DatasetFile.open(dataset)
        let plan = try CohortPlan(
            file.patientTable.photographs, by: by, target: target, dose: dose, joinsSmallCells: joinsSmallCells,
            place: dataset)
        let name = URL(fileURLWithPath: dataset).lastPathComponent
        let files = [(output, plan.table), (page, PlanPage(plan, dataset: name).html)]
        let staged = try files.map { path, text in
            let staged = try StagedFile(path, force: replaces, isPrivate: true)
            try staged.write(Data(text.utf8))
            return staged
        }
        for file in staged { try file.commit() }
        return Outcome(output: output, page: page, plan: plan)
    }

    /// `plan.html` for `plan.csv`.
    private static func page(for output: String) -> String {
        (output.lowercased().hasSuffix(".csv") ? String(output.dropLast(4)) : output) + ".html"
    }
}
