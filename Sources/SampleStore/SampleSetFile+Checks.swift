import Cohorts
import Files
import HDF5Files
import PictureFiles

extension SampleSetFile {
    /// Refuses a file that does not call itself synthetic.
    @HDF5Actor
    static func requireSyntheticLabel(_ root: HDF5Group) throws {
        guard try root.attributeFlag("synthetic") else {
            throw Failure(.badData, root.file, field: "attribute synthetic of /", expected: "YES", found: "NO")
        }
        let source = try root.attributeString("digital_source_type")
        guard source == SampleSet.digitalSourceType else {
            throw Failure(
                .badData, root.file, field: "attribute digital_source_type of /", expected: SampleSet.digitalSourceType,
                found: source)
        }
    }

    @HDF5Actor
    static func cohorts(_ root: HDF5Group, count: Int) throws -> [String: CohortColumn] {
        let group = try root.group("cohort")
        var columns: [String: CohortColumn] = [:]
        for attribute in CohortSchema.attributes {
            columns[attribute.name] = try CohortColumn(attribute, from: group, count: count, isRequest: true)
        }
        return columns
    }

    @HDF5Actor
    static func requests(_ root: HDF5Group, count: Int) throws -> [String: [Float]] {
        let group = try root.group("cohort_request")
        var requests: [String: [Float]] = [:]
        for (attribute, _) in SampleColumns.ordinals {
            requests[attribute.name] = try numbers(group, attribute.name, shape: [count])
        }
        return requests
    }

    @HDF5Actor
    static func numbers<Element: HDF5Element>(_ group: HDF5Group, _ name: String, shape: [Int]) throws -> [Element] {
        let dataset = try group.dataset(name)
        try dataset.require(Element.self, shape: shape)
        return try dataset.readAll()
    }

    /// The joined requests of a set and their numbers by sample; both are empty where the set has none.
    @HDF5Actor
    static func joinedRequests(_ provenance: HDF5Group, count: Int) throws -> ([String], [Int32]) {
        guard try provenance.names.contains("joined") else { return ([], []) }
        let texts = try provenance.dataset("joined_requests")
        try texts.require(shape: [nil])
        let requests = try texts.readStrings(), joined: [Int32] = try numbers(provenance, "joined", shape: [count])
        if let row = joined.firstIndex(where: { $0 != SampleSet.notJoined && !requests.indices.contains(Int($0)) }) {
            throw Failure(
                .badData, provenance.file, field: "/provenance/joined row \(row)",
                expected: "-1 or one of \(requests.count) joined requests", found: "\(joined[row])")
        }
        return (requests, joined)
    }

    /// The row of each sample's original; nil in a set without counterfactuals.
    @HDF5Actor
    static func originals(_ provenance: HDF5Group, count: Int) throws -> [Int?]? {
        guard try provenance.names.contains("original") else { return nil }
        let rows: [Int64] = try numbers(provenance, "original", shape: [count])
        for (row, original) in rows.enumerated() where original != SampleSet.noOriginal {
            guard (0..<Int64(row)).contains(original), rows[Int(original)] == SampleSet.noOriginal else {
                throw Failure(
                    .badData, provenance.file, field: "/provenance/original row \(row)",
                    expected: "-1 or an earlier row that is no counterfactual", found: "\(original)")
            }
        }
        return rows.map { $0 == SampleSet.noOriginal ? nil : Int($0) }
    }

    /// Refuses requests and sample numbers outside their ranges, and site names that occur twice.
    func requireRanges() throws {
        for (attribute, highest) in SampleColumns.ordinals {
            if let row = requests[attribute.name]?.firstIndex(where: { !$0.isNaN && !(0...Float(highest)).contains($0) }
            ) {
                throw Failure(
                    .badData, path, field: "/cohort_request/\(attribute.name) row \(row)", expected: "0 to \(highest)",
                    found: "\(requests[attribute.name]?[row] ?? 0)")
            }
        }
        if let row = indices.firstIndex(where: { $0 >= 1 << 56 }) {
            throw Failure(
                .badData, path, field: "/provenance/index row \(row)", expected: "less than 2^56",
                found: "\(indices[row])")
        }
        guard Set(siteNames).count == siteNames.count else {
            throw Failure(.badData, path, field: "/provenance/site_names", expected: "each once", found: "\(siteNames)")
        }
    }

    /// Refuses a sample without a run, and a run without a model.
    func requireLinks() throws {
        if let row = runOfSample.firstIndex(where: { !runs.indices.contains(Int($0)) }) {
            throw Failure(
                .badData, path, field: "/provenance/run row \(row)", expected: "one of \(runs.count) runs",
                found: "\(runOfSample[row])")
        }
        let known = Set(models.map(\.digest))
        for (run, record) in runs.enumerated() where !known.contains(record.modelDigest) {
            throw Failure(
                .badData, path, field: "/runs/model_digest \(run)", expected: "a model in /models",
                found: "\(record.modelDigest)")
        }
    }
}

extension SampleSetFile {
    /// The groups that a set holds, and the names in each of them.
    private static let fields: [String: Set<String>] = [
        "cohort": Set(CohortSchema.attributes.map(\.name)),
        "cohort_request": Set(SampleColumns.ordinals.map(\.attribute.name)),
        "provenance": [
            "seed", "index", "run", "digest", "site_weight", "site_names", "joined", "joined_requests",
            "original",
        ],
        "runs": [
            "model_digest", "sampler", "schedule", "steps", "guidance", "warnings", "tool_version", "openblas_version",
            "blas_core",
            "kernel_isa",
            "started", "finished",
        ],
        "shards": ["name", "samples", "digest"],
        "audit": ReleaseRecord.fields,
        "structure": SampleSet.structures,
    ]
    private static let attributes: Set = [
        "kind", "version", "schema_version", "created", "synthetic", "digital_source_type", "releasable", "licence",
        "attribution",
        "permitted_uses", "contact",
    ]

    /// Refuses names that are no part of a sample set. Nobody would read or check them, and a link back into the file
    /// would make it endless.
    @HDF5Actor
    static func requireNothingElse(_ root: HDF5Group) throws {
        func refuse(_ path: String) -> Failure { Failure(.badData, root.file, "\(path) is no part of a sample set") }
        for name in try root.attributeNames where !attributes.contains(name) {
            throw refuse("attribute \(name.printable) of /")
        }
        for name in try root.names where name != "images" && name != "models" {
            guard let known = fields[name] else { throw refuse("/\(name.printable)") }
            for field in try root.group(name).names where !known.contains(field) {
                throw refuse("/\(name)/\(field.printable)")
            }
        }
        let models = try root.group("models")
        for name in try models.names {
            for field in try models.group(name).names where !["manifest", "lineage", "prov"].contains(field) {
                throw refuse("/models/\(name.printable)/\(field.printable)")
            }
        }
    }
}
