import Cohorts
import Files
import Foundation
import FundusData
import HDF5Files

/// Writes a sample set (kind `fovea.samples`): whole under its final name after `finish`, or absent. Rows are ordered as
/// they are appended.
///
/// Pictures reach the file with every `append`; the columns (about 150 bytes a sample) with `finish`, so that the bytes
/// of a file do not depend on how its samples were cut into batches.
@HDF5Actor
public final class SampleSetWriter {
    private let staged: StagedFile
    private let file: HDF5File
    private let images: HDF5Dataset
    private let width: Int
    private let height: Int
    private var run: RunRecord
    private let model: ModelRecord
    private let terms: Terms
    private let created: Date
    private var columns: SampleColumns
    private var isFinished = false

    /// - Parameters:
    ///   - siteNames: the sites that `SampleRecord.siteWeights` speaks of, in that order.
    ///   - openNames: codes of open attributes (camera, ethnicity, site) in the model's order; names that samples use
    ///     beyond these follow, sorted.
    ///   - created: the root attribute of that name; whole seconds.
    /// - Throws: `Failure(.cannotCreateOutput)`; `Failure(.badData)` where the model's or the schedule's JSON is none.
    public init(
        path: String, width: Int, height: Int, run: RunRecord, model: ModelRecord, terms: Terms, siteNames: [String] = [],
        openNames: [String: [String]] = [:], created: Date = Date(), force: Bool = false
    ) async throws {
        guard width > 0, height > 0 else { fatalError("pictures of \(width) x \(height) pixels") }
        guard run.modelDigest == model.digest else { fatalError("a run of \(run.modelDigest) with the model \(model.digest)") }
        for (what, json) in [
            ("manifest", model.manifestJSON), ("lineage", model.lineageJSON), ("PROV", model.provJSON), ("schedule", run.schedule),
        ] where (try? JSONSerialization.jsonObject(with: Data(json.utf8))) == nil {
            throw Failure(.badData, path, field: what, expected: "JSON", found: "\(json.prefix(40).debugDescription)")
        }
        guard Set(siteNames).count == siteNames.count else {
            throw Failure(.badData, path, field: "site names", expected: "each once", found: siteNames.joined(separator: ", "))
        }
        staged = try StagedFile(path, force: force)
        file = try HDF5File.create(staged.stagingPath, shownAs: path, userBlock: UserBlock.byteCount)
        self.width = width
        self.height = height
        self.run = run
        self.model = model
        self.terms = terms
        self.created = created
        columns = SampleColumns(siteNames: siteNames, openNames: openNames)
        images = try file.root.create(
            "images", UInt8.self, shape: [0, height, width, 3],
            storage: HDF5Storage(chunkRows: 1, deflate: 1, fletcher32: true, isExtendible: true))
        try images.setDimensionLabels(["sample", "height", "width", "channel"])
    }

    /// Appends a batch and hands its pictures to the operating system.
    /// - Throws: `Failure(.badData)` where a cohort or request is not in the schema, `Failure(.readOrWriteFailed)`.
    public func append(_ samples: [SampleRecord]) throws {
        let first = columns.count
        for (offset, sample) in samples.enumerated() {
            guard sample.pixels.count == height * width * 3 else {
                fatalError("a sample of \(sample.pixels.count) bytes in a set of \(height) x \(width) x 3")
            }
            try columns.require(sample, row: first + offset, file: file.path)
        }
        guard !samples.isEmpty else { return }
        try images.extend(rows: first + samples.count)
        for (offset, sample) in samples.enumerated() {
            try images.write(sample.pixels, rows: first + offset..<first + offset + 1)
        }
        try file.flush()
        for sample in samples { columns.append(sample) }
    }

    /// Writes what is left, seals the file and gives it its name.
    /// - Parameter finished: when the last sample was made.
    /// - Throws: `Failure(.badData)` where there is no sample, `Failure(.readOrWriteFailed)`.
    public func finish(finished: Date) throws {
        guard !isFinished else { fatalError("\(file.path) is finished") }
        guard columns.count > 0 else { throw Failure(.badData, file.path, "there is no sample to write") }
        run.finished = finished
        let root = file.root
        try SampleSet.writeAttributes(to: root, terms: terms, created: created)
        try columns.write(to: root)
        try RunColumns.write([run], to: try root.createGroup("runs"))
        try model.write(to: try root.createGroup("models"))
        // Holds the public verdict once there is one.
        _ = try root.createGroup("audit")
        try file.close()
        try UserBlock.seal(staged.stagingPath, shownAs: staged.destination)
        try staged.commit()
        isFinished = true
    }
}

extension SampleSet {
    @HDF5Actor
    static func writeAttributes(to root: HDF5Group, terms: Terms, created: Date) throws {
        try root.setAttribute("kind", kind)
        try root.setAttribute("version", version)
        try root.setAttribute("schema_version", CohortSchema.version)
        try root.setAttribute("created", Timestamp.text(created))
        try root.setAttribute("synthetic", "YES")
        try root.setAttribute("digital_source_type", digitalSourceType)
        // YES only with a valid verdict.
        try root.setAttribute("releasable", "NO")
        try root.setAttribute("licence", terms.licence)
        try root.setAttribute("attribution", terms.attribution)
        try root.setAttribute("permitted_uses", terms.permittedUses)
        try root.setAttribute("contact", terms.contact)
    }
}
