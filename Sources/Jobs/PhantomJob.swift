import CheckpointStore
import Datasets
import Files
import Phantoms

/// Makes a data set of procedural phantoms, for tests and first steps.
public struct PhantomJob: Job {
    /// The number of patients, with one eye each.
    public var patients: Int
    /// The width and height in pixels, 32 to 4096.
    public var size = 256
    /// The number of photographs of each eye.
    public var visits = 1
    public var seed: UInt64
    /// The name of the site that the phantoms stand for; nil for no name.
    public var site: String?
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false
    /// The number of threads to work on.
    public var threads = Machine.availableCores

    public init(patients: Int, seed: UInt64, to output: String) {
        self.patients = patients
        self.seed = seed
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public let count, patients, visits, size: Int
        /// The number of photographs by split and by grade.
        public let splits, grades: [String: Int]
        public let seconds: Double
        public let output, contactSheet: String

        private enum CodingKeys: String, CodingKey {
            case count, patients, visits, size, splits, grades, seconds, output
            case contactSheet = "contact_sheet"
        }

        public var lines: [String] {
            let parts = Split.allCases.map { "\($0) \(splits["\($0)"] ?? 0)" }.joined(separator: ", ")
            return [
                "\(output): \(count) phantoms of \(patients) patients, \(size) x \(size) (\(parts))",
                "contact sheet: \(contactSheet)",
            ]
        }
    }

    public func validate() throws {
        if let site, let problem = SiteName.problem(site) { throw Failure(.usage, option: "site", problem) }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let generator = try PhantomGenerator(patients: patients, size: size, visits: visits, seed: seed)
        let dataset = PhantomDataset(generator, path: output, site: site, force: replaces)
        let start = ContinuousClock.now
        let summary = try await dataset.write(threads: threads) { done, all in
            report.progress("phantom", "photographs", done, of: all)
            try Cancellation.check("no dataset is written; the same command makes the same one again")
        }
        return Outcome(
            count: summary.photographs, patients: patients, visits: visits, size: size, splits: summary.splits,
            grades: summary.grades, seconds: (ContinuousClock.now - start) / .seconds(1), output: output,
            contactSheet: dataset.contactSheetPath)
    }
}
