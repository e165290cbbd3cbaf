import Cohorts
import Files
import HDF5Files
import PictureFiles
import Pictures

/// A dataset file (kind `fovea.dataset`) that is open for reading. Row i of every property belongs to photograph i.
public struct DatasetFile: Sendable {
    public let path: String
    /// The number of photographs.
    public let count: Int
    /// Width and height of every picture, in pixels.
    public let size: Int
    public let info: DatasetInfo
    public let splits: [Split]
    /// Opaque keys of the patients.
    public let patients: [String]
    /// Columns by the attribute's name. Every attribute of the schema has a column.
    public let cohorts: [String: CohortColumn]
    public let fieldsOfView: [FieldOfView]
    /// SHA-256 of every picture's pixels.
    public let digests: [Digest]
    /// Visit numbers of phantoms; nil in other datasets.
    public let visits: [Int32]?
    /// Keys of the phantoms' eyes; nil in other datasets.
    public let eyes: [String]?
    /// Sorted names of the phantoms' masks.
    public let maskNames: [String]
    private let images: HDF5Dataset
    private let masks: [String: HDF5Dataset]

    /// Opens a file and checks everything but the pixels. A child process opens the file first (`FileProbe`).
    /// - Throws: `Failure`: `.noSuchInput`; `.badData` that names the missing or wrong field; what `FileProbe` found.
    public static func open(_ path: String) async throws -> DatasetFile {
        try FileProbe.check(path)
        return try await DatasetFile(opening: path)
    }

    @HDF5Actor
    private init(opening path: String) throws {
        let root = try HDF5File.open(path).root
        self.path = path
        info = try DatasetInfo(from: root)
        images = try root.readImages()
        let shape = images.shape
        guard shape[1] == shape[2] else {
            throw Failure(.badData, path, field: "/images shape", expected: "square pictures", found: "\(shape)")
        }
        count = shape[0]
        size = shape[1]
        splits = try DatasetFile.splits(root, count: count)
        patients = try DatasetFile.strings(root, "patient", count: count)
        let group = try root.group("cohort")
        var columns: [String: CohortColumn] = [:]
        for attribute in CohortSchema.attributes {
            columns[attribute.name] = try CohortColumn(attribute, from: group, count: count, isRequest: false)
        }
        cohorts = columns
        fieldsOfView = try DatasetFile.fieldsOfView(root, count: count)
        digests = try root.readDigests("digest", count: count)
        visits = try root.contains("visit") ? DatasetFile.visits(root, count: count) : nil
        eyes = try root.contains("eye") ? DatasetFile.strings(root, "eye", count: count) : nil
        masks = try DatasetFile.masks(root, count: count, size: size)
        maskNames = masks.keys.sorted()
    }

    /// The pictures of `rows`, in that order.
    /// - Returns: [rows.count, size, size, 3].
    /// - Throws: `Failure(.badData)`.
    @HDF5Actor
    public func images(rows: [Int]) async throws -> [UInt8] {
        try images.readRows(rows)
    }

    /// The masks of `rows`, in that order.
    /// - Parameter name: one of `maskNames`.
    /// - Returns: [rows.count, size, size].
    /// - Throws: `Failure(.badData)`, for example if there is no mask of that name.
    @HDF5Actor
    public func masks(_ name: String, rows: [Int]) async throws -> [UInt8] {
        guard let mask = masks[name] else {
            throw Failure(
                .badData, path, field: "masks", expected: name,
                found: maskNames.isEmpty ? "none" : maskNames.joined(separator: ", "))
        }
        return try mask.readRows(rows)
    }

    /// What is wrong with the data set at `path`: labels, shapes, links, and the pixels' digests. HDF5 can crash on a
    /// file whose bytes have changed, so call this in a process of its own.
    public static func findings(_ path: String) async -> [Finding] {
        do {
            try await DatasetFile.open(path).verifyDigests()
            return []
        } catch let failure as Failure {
            return [Finding(failure.kind == .checkFailed ? "/images" : "structure", failure.sentence)]
        } catch {
            return [Finding("structure", SystemReason.text(error))]
        }
    }

    /// Reads every picture again and compares it with its digest.
    /// - Throws: `Failure`: `.checkFailed` that names the rows that differ; `.badData` for pixels that cannot be
    ///   read.
    @HDF5Actor
    public func verifyDigests() async throws {
        try images.requireDigests(digests)
    }

    /// The rows of one split, in order.
    public func rows(of split: Split) -> [Int] {
        splits.indices.filter { splits[$0] == split }
    }

    /// What is known about the photograph in `row`.
    public func cohort(row: Int) -> Cohort {
        Cohort(cohorts.compactMapValues { $0.name(row: row) })
    }

    /// SHA-256 over the sorted digests of the train split. It is the same for the same photographs in any order.
    public var trainingSetDigest: Digest {
        let sorted = rows(of: .train).map { digests[$0].bytes }.sorted { $0.lexicographicallyPrecedes($1) }
        return Digest(of: sorted.flatMap { $0 })
    }
}
