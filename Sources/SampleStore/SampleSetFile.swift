import Cohorts
import Files
import Foundation
import HDF5Files
import PictureFiles

/// A sample set (kind `fovea.samples`) that is open for reading. Row i of every property is sample i.
public struct SampleSetFile: Sendable {
    public let path: String
    /// The number of samples.
    public let count: Int
    /// Size on disk in bytes.
    public let byteCount: Int
    /// The width of a picture in pixels.
    public let width: Int
    /// The height of a picture in pixels.
    public let height: Int
    public let terms: Terms
    public let created: Date
    /// Whether a valid verdict says that the set may be released.
    public let isReleasable: Bool
    /// What was asked for, by the attribute's name. Every attribute of the schema has a column.
    public let cohorts: [String: CohortColumn]
    /// The requests for each ordinal attribute; NaN where a sample has no request.
    public let requests: [String: [Float]]
    /// The seed of each sample.
    public let seeds: [UInt64]
    /// The number of each sample under its seed.
    public let indices: [UInt64]
    /// The texts of the joined requests in the set.
    public let joinedRequests: [String]
    /// An index into `joinedRequests` for each sample, or -1; empty where no request is joined.
    private let joined: [Int32]
    /// The row of each sample's original, of which it is the counterfactual; nil in a set without counterfactuals.
    private let originals: [Int?]?
    /// An index into `runs` for each sample.
    public let runOfSample: [Int32]
    /// SHA-256 of every picture's pixels.
    public let digests: [Digest]
    public let siteNames: [String]
    /// [count, siteNames.count], row-major.
    public let siteWeights: [Float]
    public let runs: [RunRecord]
    public let models: [ModelRecord]
    /// The audit and the statement of a released set; nil for a set that is not released.
    public let release: ReleaseRecord?
    /// Names of the structure maps that the set holds, such as `vessels`, sorted.
    public let structures: [String]
    let pictures: PictureStore
    /// The maps, in the order of `structures`.
    private let maps: [PictureStore]

    /// Opens the file and checks every field and link, but not the digests of the pixels. `FileProbe` opens it first in
    /// a process of its own.
    ///
    /// - Parameter verifying: whether the raw bytes are checked against the first block before the HDF5 library sees
    ///   them. The library crashes on some damaged files: 1.10.8 does not check the lengths of strings in its heap. The
    ///   check reads the whole file at the speed of SHA-256. Pass false only for a file that was verified before.
    /// - Throws: `Failure(.noSuchInput)` where there is no such file; `Failure(.badData)` naming the field that is
    ///   missing or wrong; `Failure(.checkFailed)` where a byte has changed; `Failure(.readOrWriteFailed)`.
    public static func open(_ path: String, verifying: Bool = true) async throws -> SampleSetFile {
        let isVerified = try FileProbe.check(path)
        if verifying, !isVerified { try UserBlock.verify(path) }
        return try await SampleSetFile(opening: path)
    }

    @HDF5Actor
    private init(opening path: String) throws {
        let file = try HDF5File.open(path)
        let root = file.root
        self.path = path
        byteCount = file.byteCount
        try root.requireKind(SampleSet.kind, version: SampleSet.version)
        try SampleSetFile.requireSyntheticLabel(root)
        try SampleSetFile.requireNothingElse(root)
        let schema = try root.attributeInt("schema_version")
        guard schema == CohortSchema.version else {
            throw Failure(
                .badData, path, field: "attribute schema_version of /", expected: "\(CohortSchema.version)",
                found: "\(schema)")
        }
        created = try Timestamp.date(try root.attributeString("created"), field: "created", file: path)
        isReleasable = try root.attributeFlag("releasable")
        terms = Terms(
            licence: try root.attributeString("licence"), attribution: try root.attributeString("attribution"),
            permittedUses: try root.attributeString("permitted_uses"), contact: try root.attributeString("contact"))
        pictures = try PictureStore(root)
        let shape = pictures.shape
        structures = try PictureStore.structures(root)
        maps = try structures.map { try PictureStore(root, structure: $0) }
        for map in maps where map.shape != Array(shape[0..<3]) {
            throw Failure(
                .badData, path, field: "\(map.path) shape", expected: "\(Array(shape[0..<3]))", found: "\(map.shape)")
        }
        count = shape[0]
        height = shape[1]
        width = shape[2]
        cohorts = try SampleSetFile.cohorts(root, count: count)
        requests = try SampleSetFile.requests(root, count: count)
        let provenance = try root.group("provenance")
        seeds = try SampleSetFile.numbers(provenance, "seed", shape: [count])
        indices = try SampleSetFile.numbers(provenance, "index", shape: [count])
        runOfSample = try SampleSetFile.numbers(provenance, "run", shape: [count])
        digests = try provenance.readDigests("digest", count: count)
        let names = try provenance.dataset("site_names")
        try names.require(shape: [nil])
        siteNames = try names.readStrings()
        (joinedRequests, joined) = try SampleSetFile.joinedRequests(provenance, count: count)
        originals = try SampleSetFile.originals(provenance, count: count)
        siteWeights = try SampleSetFile.numbers(provenance, "site_weight", shape: [count, siteNames.count])
        runs = try RunColumns.read(try root.group("runs"))
        let group = try root.group("models")
        models = try group.names.map { try ModelRecord($0, in: group) }
        release = try ReleaseRecord(from: try root.group("audit"))
        try requireLinks()
        try requireRanges()
    }

    /// Pictures of `rows`, in that order.
    /// - Returns: [rows.count, height, width, 3].
    /// - Throws: `Failure(.badData)` where the content is damaged; `Failure(.checkFailed)` where a shard has changed.
    @HDF5Actor
    public func images(rows: [Int]) async throws -> [UInt8] {
        try pictures.readRows(rows)
    }

    /// The map of one structure for `rows`, in that order: 0 where the structure is absent, 255 where it is certain.
    /// - Parameter structure: one of `structures`.
    /// - Returns: [rows.count, height, width].
    /// - Throws: `Failure(.badData)` where the content is damaged; `Failure(.checkFailed)` where a shard has changed.
    @HDF5Actor
    public func map(_ structure: String, rows: [Int]) async throws -> [UInt8] {
        guard let number = structures.firstIndex(of: structure) else {
            fatalError("\(path) holds no map of \(structure)")
        }
        return try maps[number].readRows(rows)
    }

    /// Reads every picture again and compares its digest.
    /// - Returns: the rows that differ or cannot be read.
    @HDF5Actor
    public func rowsThatDiffer() async -> [Int] {
        pictures.rowsThatDiffer(from: digests)
    }

    /// SHA-256 of every dataset and attribute but the moments (started, finished, created). The same samples of the
    /// same runs give the same digest whenever they were made, in one file or in shards.
    /// - Parameter others: more paths that are left out.
    /// - Throws: `Failure(.noSuchInput)`; `Failure(.badData)` where the file is damaged or no sample set;
    ///   `Failure(.checkFailed)` where a shard has changed.
    @HDF5Actor
    public static func contentDigest(_ path: String, besides others: Set<String> = []) async throws -> Digest {
        try FileProbe.check(path)
        let file = try HDF5File.open(path)
        let stores =
            try [PictureStore(file.root)]
            + PictureStore.structures(file.root).map { try PictureStore(file.root, structure: $0) }
        return try file.contentDigest(excluding: SampleSet.momentPaths.union(["/shards"]).union(others)) { path, rows in
            guard let store = stores.first(where: { $0.path == path }) else {
                throw Failure(.badData, file.path, "\(path) is no part of a sample set")
            }
            return try store.readRows(Array(rows))
        }
    }

    /// The text of the joined request, such as `age_band=70-79|80+`, for which the sample of `row` was drawn; nil where
    /// its cohort is all that was asked for.
    public func asked(row: Int) -> String? {
        joined.isEmpty || joined[row] < 0 ? nil : joinedRequests[Int(joined[row])]
    }

    /// Whether any sample shows another one in another cohort.
    public var hasCounterfactuals: Bool { originals != nil }

    /// The row of the sample that the sample of `row` shows in another cohort; nil where it is no counterfactual.
    public func original(row: Int) -> Int? { originals?[row] }

    /// The cohort of `row`. An attribute is `unknown` where the unknown token was asked for, and absent where
    /// nothing was asked for.
    public func cohort(row: Int) -> Cohort {
        Cohort(
            cohorts.compactMapValues { column in
                column.name(row: row) ?? (column.codes[row] == Attribute.unknown ? "unknown" : nil)
            })
    }

    /// What a sample was drawn for, by attribute. A place between two values is a number, such as 2.5.
    public func askedValues(row: Int) -> [String: String] {
        var values = cohort(row: row).values
        for (name, positions) in requests where values[name] == nil && !positions[row].isNaN {
            values[name] = "\(positions[row])"
        }
        return values
    }
}
