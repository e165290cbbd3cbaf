import Cohorts
import Files

/// How many samples of which cohort, in order.
public struct SamplingPlan: Sendable {
    public let requests: [CohortRequest]

    public var count: Int { requests.count }

    /// The most samples of one run.
    public static let most = 10_000_000

    /// `count` samples, the cohorts in turn; without any, every attribute is left open.
    public init(count: Int, cohorts: [CohortRequest]) {
        requests = (0..<count).map { cohorts.isEmpty ? .open : cohorts[$0 % cohorts.count] }
    }

    /// Reads a table with a column `count` and one column for each attribute that matters; an empty cell leaves it open.
    /// - Throws: `Failure` with file and line.
    public init(contentsOf path: String) throws {
        let table = try LabelMapTable(contentsOf: path)
        let countColumn = try table.index(of: "count")
        var requests: [CohortRequest] = []
        for row in table.rows {
            let place = "\(path) line \(row.line)"
            guard let count = Int(row.cells[countColumn]), count >= 0, requests.count + count <= SamplingPlan.most else {
                throw Failure(
                    .badData, place, field: "count", expected: "a whole number, at most \(SamplingPlan.most) in all",
                    found: row.cells[countColumn])
            }
            let values = zip(table.columns, row.cells).filter { $0.0 != "count" && !$0.1.isEmpty }
            let request = try CohortRequest(values.map { ($0.0, $0.1) }, place: place)
            requests += [CohortRequest](repeating: request, count: count)
        }
        guard !requests.isEmpty else { throw Failure(.badData, path, field: "count", expected: "at least one sample", found: "none") }
        self.requests = requests
    }
}
