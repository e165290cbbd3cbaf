import Cohorts
import Files
import HDF5Files
import PictureFiles

/// The columns of a sample set: `/cohort`, `/cohort_request` and `/provenance`. Rows are appended in order, in batches.
@HDF5Actor
struct SampleColumns {
    private let siteCount: Int
    private let cohorts: [(attribute: Attribute, names: [String: Int16], dataset: HDF5Dataset)]
    private let requests: [(name: String, dataset: HDF5Dataset)]
    /// The column of joined requests, and the number of each; nil where no request is joined.
    private let joined: (numbers: [String: Int32], dataset: HDF5Dataset)?
    /// The column of the originals of counterfactuals; nil where there is no counterfactual.
    private let originals: HDF5Dataset?
    private let seeds, indices, runs, digests, siteWeights: HDF5Dataset
    private var waiting: [(sample: JournalSample, run: Int)] = []
    private var written = 0

    /// How many rows are written together. The number is fixed so that a file's bytes do not depend on its batches.
    private static let rowsAtOnce = 4096

    /// The ordinal attributes, each with its highest code.
    nonisolated static var ordinals: [(attribute: Attribute, highest: Int16)] {
        CohortSchema.attributes.compactMap { attribute in
            guard case .ordinal(let highest) = attribute.scale else { return nil }
            return (attribute, highest)
        }
    }

    /// Creates the columns with `count` rows each.
    /// - Parameters:
    ///   - openNames: the names of each open attribute, in the order of their codes.
    ///   - joinedRequests: the texts of all joined requests in the set.
    ///   - hasCounterfactuals: whether the set has counterfactuals, and a column for the rows of their originals.
    init(
        in root: HDF5Group, count: Int, siteNames: [String], openNames: [String: [String]], joinedRequests: [String],
        hasCounterfactuals: Bool
    ) throws {
        siteCount = siteNames.count
        let cohort = try root.createGroup("cohort")
        cohorts = try CohortSchema.attributes.map { attribute in
            let column = CohortColumn(
                attribute: attribute, names: attribute.isOpen ? openNames[attribute.name] ?? [] : attribute.names,
                codes: [])
            let codes = Dictionary(uniqueKeysWithValues: column.names.enumerated().map { ($1, Int16($0)) })
            return (attribute, codes, try column.create(in: cohort, count: count, isRequest: true))
        }
        let request = try root.createGroup("cohort_request")
        requests = try SampleColumns.ordinals.map { attribute, _ in
            (attribute.name, try request.create(attribute.name, Float.self, shape: [count]))
        }
        let provenance = try root.createGroup("provenance")
        if joinedRequests.isEmpty {
            joined = nil
        } else {
            try provenance.write("joined_requests", strings: joinedRequests)
            joined = (
                Dictionary(uniqueKeysWithValues: joinedRequests.enumerated().map { ($1, Int32($0)) }),
                try provenance.create("joined", Int32.self, shape: [count])
            )
        }
        originals = hasCounterfactuals ? try provenance.create("original", Int64.self, shape: [count]) : nil
        seeds = try provenance.create("seed", UInt64.self, shape: [count])
        indices = try provenance.create("index", UInt64.self, shape: [count])
        runs = try provenance.create("run", Int32.self, shape: [count])
        digests = try provenance.create("digest", UInt8.self, shape: [count, 32])
        siteWeights = try provenance.create("site_weight", Float.self, shape: [count, siteNames.count])
        try siteWeights.setDimensionLabels(["sample", "site"])
        try provenance.write("site_names", strings: siteNames)
    }

    mutating func append(_ batch: JournalBatch) throws {
        waiting += batch.samples.map { ($0, batch.run) }
        while waiting.count >= SampleColumns.rowsAtOnce { try write(SampleColumns.rowsAtOnce) }
    }

    /// Writes the rows that still wait.
    mutating func finish() throws {
        try write(waiting.count)
    }

    private mutating func write(_ count: Int) throws {
        guard count > 0 else { return }
        let samples = waiting.prefix(count).map(\.sample), rows = written..<written + count
        for (attribute, codes, dataset) in cohorts {
            let values = samples.map { sample in
                // A request for a whole number is also stored as a code.
                let request = sample.requests[attribute.name].flatMap {
                    $0 == $0.rounded() ? attribute.names[Int($0)] : nil
                }
                guard let name = sample.cohort[attribute.name] ?? request else { return Attribute.unspecified }
                return codes[name] ?? Attribute.unknown
            }
            try dataset.write(values, rows: rows)
        }
        for (name, dataset) in requests { try dataset.write(samples.map { $0.requests[name] ?? .nan }, rows: rows) }
        if let joined {
            try joined.dataset.write(
                samples.map { $0.asked.flatMap { joined.numbers[$0] } ?? SampleSet.notJoined }, rows: rows)
        }
        try originals?.write(samples.map { $0.original.map(Int64.init) ?? SampleSet.noOriginal }, rows: rows)
        try seeds.write(samples.map(\.seed), rows: rows)
        try indices.write(samples.map(\.index), rows: rows)
        try runs.write(waiting.prefix(count).map { Int32($0.run) }, rows: rows)
        let digests = try samples.flatMap {
            try Digest(hexadecimal: $0.digest, field: "digest", file: self.digests.file).bytes
        }
        try self.digests.write(digests, rows: rows)
        if siteCount > 0 { try siteWeights.write(samples.flatMap(\.siteWeights), rows: rows) }
        written = rows.upperBound
        waiting.removeFirst(count)
    }
}
