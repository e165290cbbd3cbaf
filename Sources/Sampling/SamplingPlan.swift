import Cohorts
import Files

/// One sample: what it is asked to be, and the noise that it comes from.
public struct PlannedSample: Hashable, Sendable {
    public let request: CohortRequest
    public let seed: UInt64
    /// The sample's number under its seed.
    public let index: UInt64

    public init(request: CohortRequest, seed: UInt64, index: UInt64) {
        self.request = request
        self.seed = seed
        self.index = index
    }
}

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

    /// Random streams keep the index's top byte for themselves.
    private static let highestIndex: UInt64 = 1 << 56

    /// The samples under a seed.
    /// - Parameter firstIndex: the number of the first.
    /// - Throws: `Failure(.usage)` where numbers end.
    public func samples(seed: UInt64, firstIndex: UInt64) throws -> [PlannedSample] {
        guard firstIndex <= SamplingPlan.highestIndex - UInt64(count) else {
            throw Failure(.usage, option: "first", expected: "a number below 2^56", found: "\(firstIndex)")
        }
        return requests.enumerated().map { PlannedSample(request: $1, seed: seed, index: firstIndex + UInt64($0)) }
    }

    /// The samples under a random seed of each its own: no seed and no gap leads from one to another.
    func independentSamples() -> [PlannedSample] {
        requests.map { PlannedSample(request: $0, seed: UInt64.random(in: 1...UInt64.max), index: 0) }
    }

    /// Reads a table with a column `count` and one column for each attribute that matters; an empty cell leaves it
    /// open.
    /// - Throws: `Failure` with file and line.
    public init(contentsOf path: String) throws {
        let table = try LabelMapTable(contentsOf: path)
        let countColumn = try table.index(of: "count")
        var requests: [CohortRequest] = []
        for row in table.rows {
            let place = "\(path) line \(row.line)"
            guard let count = Int(row.cells[countColumn]), count >= 0, count <= SamplingPlan.most - requests.count
            else {
                throw Failure(
                    .badData, place, field: "count", expected: "a whole number, at most \(SamplingPlan.most) in all",
                    found: row.cells[countColumn])
            }
            let values = zip(table.columns, row.cells).filter { $0.0 != "count" && !$0.1.isEmpty }
            let request = try CohortRequest(values.map { ($0.0, $0.1) }, place: place)
            requests += [CohortRequest](repeating: request, count: count)
        }
        guard !requests.isEmpty else {
            throw Failure(.badData, path, field: "count", expected: "at least one sample", found: "none")
        }
        self.requests = requests
    }
}
