import Cohorts
import Files
import FundusData
import HDF5Files

/// Everything of the samples but their pixels, one entry a sample.
struct SampleColumns {
    private let siteNames: [String]
    private let openNames: [String: [String]]
    private var cohorts: [Cohort] = []
    private var requests: [[String: Float]] = []
    private var seeds: [UInt64] = []
    private var indices: [UInt64] = []
    private var digests: [UInt8] = []
    private var siteWeights: [Float] = []

    var count: Int { seeds.count }

    init(siteNames: [String], openNames: [String: [String]]) {
        self.siteNames = siteNames
        self.openNames = openNames
    }

    /// The attributes whose codes stand on a line.
    static var ordinals: [(attribute: Attribute, highest: Int16)] {
        CohortSchema.attributes.compactMap { attribute in
            guard case .ordinal(let highest) = attribute.scale else { return nil }
            return (attribute, highest)
        }
    }

    /// Refuses what the schema has no place for.
    func require(_ sample: SampleRecord, row: Int, file: String) throws {
        guard sample.siteWeights.count == siteNames.count else {
            fatalError("\(sample.siteWeights.count) site weights for \(siteNames.count) sites")
        }
        try CohortSchema.require(sample.cohort, row: row, file: file)
        for (name, value) in sample.requests {
            guard let (_, highest) = SampleColumns.ordinals.first(where: { $0.attribute.name == name }) else {
                throw Failure(.badData, file, field: "request of row \(row)", expected: "an ordinal attribute", found: name)
            }
            guard value >= 0, value <= Float(highest) else {
                throw Failure(.badData, file, field: "\(name) of row \(row)", expected: "0 to \(highest)", found: "\(value)")
            }
        }
    }

    mutating func append(_ sample: SampleRecord) {
        var cohort = sample.cohort
        for (name, value) in sample.requests where cohort[name] == nil && value == value.rounded() {
            cohort[name] = CohortSchema.attribute(name)?.names[Int(value)]
        }
        cohorts.append(cohort)
        requests.append(sample.requests)
        seeds.append(sample.seed)
        indices.append(sample.index)
        digests += Digest(of: sample.pixels).bytes
        siteWeights += sample.siteWeights
    }

    /// Writes `/cohort`, `/cohort_request` and `/provenance`.
    @HDF5Actor
    func write(to root: HDF5Group) throws {
        let cohort = try root.createGroup("cohort")
        for attribute in CohortSchema.attributes { try column(attribute).write(to: cohort, isRequest: true) }
        let request = try root.createGroup("cohort_request")
        for (attribute, _) in SampleColumns.ordinals {
            try request.write(attribute.name, requests.map { $0[attribute.name] ?? .nan }, shape: [count])
        }
        let provenance = try root.createGroup("provenance")
        try provenance.write("seed", seeds, shape: [count])
        try provenance.write("index", indices, shape: [count])
        try provenance.write("run", [Int32](repeating: 0, count: count), shape: [count])
        try provenance.write("digest", digests, shape: [count, 32])
        let weights = try provenance.write("site_weight", siteWeights, shape: [count, siteNames.count])
        try weights.setDimensionLabels(["sample", "site"])
        try provenance.write("site_names", strings: siteNames)
    }

    /// Codes of an open attribute are the model's names, then others that samples use, sorted.
    private func column(_ attribute: Attribute) -> CohortColumn {
        let column = CohortColumn(attribute, of: cohorts, absent: Attribute.unspecified)
        guard attribute.isOpen, let declared = openNames[attribute.name] else { return column }
        let names = declared + column.names.filter { !declared.contains($0) }
        let codes = column.codes.map { code in
            code < 0 ? code : Int16(names.firstIndex(of: column.names[Int(code)]) ?? Int(Attribute.unknown))
        }
        return CohortColumn(attribute: attribute, names: names, codes: codes)
    }
}
