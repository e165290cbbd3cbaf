import Cohorts
import Files

/// One sample of a plan: its request, and the noise that it is drawn from.
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

/// The requests of all samples of a run, in order.
public struct SamplingPlan: Sendable {
    public let requests: [CohortRequest]

    public var count: Int { requests.count }

    /// The largest number of samples in one run.
    public static let most = 10_000_000

    /// `count` samples that take the cohorts in turn; without cohorts, every attribute is left open.
    public init(count: Int, cohorts: [CohortRequest]) {
        requests = (0..<count).map { cohorts.isEmpty ? .open : cohorts[$0 % cohorts.count] }
    }

    /// Random streams use the index's top byte themselves, so indices are below this.
    private static let highestIndex: UInt64 = 1 << 56

    private init(requests: [CohortRequest]) { self.requests = requests }

    /// The plan with a member in place of each joined request, in proportion to the members' patients.
    ///
    /// A sample's number decides which member it gets (a Weyl sequence), so the first n samples have nearly the right
    /// proportions for every n, and a sample is the same alone or in a run.
    func resolved(_ seen: SeenCohorts, firstIndex: UInt64) -> SamplingPlan {
        var members: [CohortRequest: [(request: CohortRequest, upTo: Double)]] = [:]
        for request in Set(requests) where request.isJoined { members[request] = seen.shares(of: request) }
        return SamplingPlan(
            requests: requests.enumerated().map { row, request in
                guard let own = members[request] else { return request }
                // The fraction of a half and the sample's number times the golden ratio, which spreads most evenly.
                let turn = 1 << 63 &+ (firstIndex &+ UInt64(row)) &* 0x9E37_79B9_7F4A_7C15
                let place = Double(turn >> 11) * 0x1p-53
                return (own.first { place < $0.upTo } ?? own[own.count - 1]).request
            })
    }

    /// The samples under a seed.
    /// - Parameter firstIndex: the number of the first sample.
    /// - Throws: `Failure(.usage)` where a number would be 2^56 or more.
    public func samples(seed: UInt64, firstIndex: UInt64) throws -> [PlannedSample] {
        guard firstIndex <= SamplingPlan.highestIndex - UInt64(count) else {
            throw Failure(.usage, option: "first", expected: "a number below 2^56", found: "\(firstIndex)")
        }
        return requests.enumerated().map { PlannedSample(request: $1, seed: seed, index: firstIndex + UInt64($0)) }
    }

    /// The samples, each under a random seed of its own, so that no seed or gap between numbers leads from one sample
    /// to another.
    func independentSamples() -> [PlannedSample] {
        requests.map { PlannedSample(request: $0, seed: UInt64.random(in: 1...UInt64.max), index: 0) }
    }

    /// Reads a table with a column `count` and one column for each attribute that is asked for. An empty cell leaves
    /// the attribute open.
    /// - Throws: `Failure` with file and line: `.badData` for a wrong count or a table without samples; `.usage` for a
    ///   wrong attribute or value; errors of reading.
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
