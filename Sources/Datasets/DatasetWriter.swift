import Cohorts
import Files
import HDF5Files
import PictureFiles
import Pictures

/// Writes a dataset file (kind `fovea.dataset`). The file appears complete under its name with `finish()`, or not at
/// all.
///
/// Pictures go to disk as they come; everything else (about 100 bytes for each photograph) is written by `finish()`.
@HDF5Actor
public final class DatasetWriter {
    private let file: HDF5File
    private let staged: StagedFile
    private let images: HDF5Dataset
    private let size: Int
    private let info: DatasetInfo
    private var masks: [String: HDF5Dataset] = [:]
    private var columns = Columns()
    private var isComplete = false

    /// What `finish()` writes, with one entry for each photograph.
    private struct Columns {
        var cohorts: [Cohort] = []
        var fieldsOfView: [Float] = []
        var patients: [String] = []
        var splits: [Split] = []
        var digests: [UInt8] = []
        var visits: [Int32] = []
        var eyes: [String] = []
    }

    /// - Parameters:
    ///   - size: width and height of every picture, in pixels.
    ///   - force: whether an output that exists may be replaced.
    /// - Throws: `Failure`: `.usage` for an empty path, `.cannotCreateOutput`, `.readOrWriteFailed`.
    public init(path: String, size: Int, info: DatasetInfo, force: Bool = false) async throws {
        guard size > 0 else { fatalError("pictures of \(size) pixels") }
        staged = try StagedFile(path, force: force)
        file = try HDF5File.create(staged.stagingPath, shownAs: path)
        self.size = size
        self.info = info
        images = try file.root.create(
            "images", UInt8.self, shape: [0, size, size, 3], storage: DatasetWriter.pictureStorage)
        try images.setDimensionLabels(["image", "height", "width", "channel"])
    }

    /// Each chunk holds one picture. The shuffle filter would not help, because elements are single bytes.
    private static let pictureStorage = HDF5Storage(chunkRows: 1, deflate: 1, isExtendible: true)

    /// Appends photographs.
    ///
    /// - Parameters:
    ///   - masks: for phantoms: one mask for each record, by the mask's name, [size, size] each, 0 or 255 (or
    ///     labels). Every call must have the same names.
    ///   - visits: for phantoms: one visit number for each record. Either every call has visits or no call has.
    ///   - eyes: for phantoms: one key for each record that names the eye. Either every call has eyes or no call has.
    /// - Throws: `Failure`: `.badData` for a label that is not in the schema, `.readOrWriteFailed`.
    public func append(
        _ records: [DatasetRecord], masks: [String: [[UInt8]]] = [:], visits: [Int32] = [], eyes: [String] = []
    ) throws {
        let first = columns.splits.count
        requireOneEach(records, masks: masks, visits: visits, eyes: eyes)
        for (index, record) in records.enumerated() {
            try CohortSchema.require(record.cohort, row: first + index, file: file.path)
        }
        if first == 0 {
            try createMasks(masks.keys.sorted())
        }
        let rows = first..<first + records.count
        try write(records.map(\.pixels), to: images, rows: rows)
        for (name, pictures) in masks.sorted(by: { $0.key < $1.key }) {
            guard let dataset = self.masks[name] else { fatalError("mask \(name) did not come with the first records") }
            try write(pictures, to: dataset, rows: rows)
        }
        for record in records {
            let field = record.fieldOfView
            columns.cohorts.append(record.cohort)
            columns.fieldsOfView += [field.centerX, field.centerY, field.radius, field.top, field.bottom]
            columns.patients.append(record.patient)
            columns.splits.append(record.split)
            columns.digests += Digest(of: record.pixels).bytes
        }
        columns.visits += visits
        columns.eyes += eyes
    }

    /// Writes what is left and gives the file its name.
    /// - Throws: `Failure`: `.badData` if there is no photograph or a patient lies in two splits;
    ///   `.readOrWriteFailed`.
    public func finish() throws {
        try complete()
        try commit()
    }

    /// Gives a complete file its name.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func commit() throws {
        guard isComplete else { fatalError("\(file.path) is not complete") }
        try staged.commit()
        FileProbe.noteOwn(staged.destination)
    }

    /// Writes what is left. The file gets its name with `commit()`, so that other files can be given theirs together
    /// with it.
    /// - Throws: `Failure`: `.badData` if there is no photograph or a patient lies in two splits;
    ///   `.readOrWriteFailed`.
    public func complete() throws {
        guard !isComplete else { fatalError("\(file.path) is complete") }
        let count = columns.splits.count
        guard count > 0 else { throw Failure(.badData, file.path, "no photograph is left to write") }
        try requireOneSplitPerPatient()
        let root = file.root
        try info.write(to: root)
        try root.write("field_of_view", columns.fieldsOfView, shape: [count, 5])
            .setDimensionLabels(["image", "center_x center_y radius top bottom"])
        let group = try root.createGroup("cohort")
        for attribute in CohortSchema.attributes {
            try CohortColumn(attribute, of: columns.cohorts).write(to: group, isRequest: false)
        }
        try root.write("patient", strings: columns.patients)
        try root.write(
            "split", codes: columns.splits.map(\.rawValue), members: Split.allCases.map { ("\($0)", $0.rawValue) })
        try root.write("digest", columns.digests, shape: [count, 32])
        if !columns.visits.isEmpty { try root.write("visit", columns.visits, shape: [count]) }
        if !columns.eyes.isEmpty { try root.write("eye", strings: columns.eyes) }
        try file.close()
        try staged.flush()
        isComplete = true
    }

    private func requireOneEach(
        _ records: [DatasetRecord], masks: [String: [[UInt8]]], visits: [Int32], eyes: [String]
    ) {
        let count = records.count, first = columns.splits.count
        guard records.allSatisfy({ $0.pixels.count == size * size * 3 }) else {
            fatalError("pictures are \(size) x \(size) x 3")
        }
        guard masks.values.allSatisfy({ $0.count == count && $0.allSatisfy { $0.count == size * size } }) else {
            fatalError("every mask has \(count) pictures of \(size) x \(size)")
        }
        guard first == 0 || Set(masks.keys) == Set(self.masks.keys) else {
            fatalError("masks \(masks.keys.sorted()) after \(self.masks.keys.sorted())")
        }
        let hasVisits = first == 0 ? !visits.isEmpty : !columns.visits.isEmpty
        let hasEyes = first == 0 ? !eyes.isEmpty : !columns.eyes.isEmpty
        guard visits.count == (hasVisits ? count : 0), eyes.count == (hasEyes ? count : 0) else {
            fatalError("\(count) records with \(visits.count) visits and \(eyes.count) eyes")
        }
    }

    private func createMasks(_ names: [String]) throws {
        guard masks.isEmpty, !names.isEmpty else { return }
        let group = try file.root.createGroup("masks")
        for name in names {
            let mask = try group.create(
                name, UInt8.self, shape: [0, size, size], storage: DatasetWriter.pictureStorage)
            try mask.setDimensionLabels(["image", "height", "width"])
            masks[name] = mask
        }
    }

    private func write(_ pictures: [[UInt8]], to dataset: HDF5Dataset, rows: Range<Int>) throws {
        guard !rows.isEmpty else { return }
        try dataset.extend(rows: rows.upperBound)
        for (row, picture) in zip(rows, pictures) {
            try dataset.write(picture, rows: row..<row + 1)
        }
    }

    /// Refuses a patient who lies in two splits, because every later test of memorising would be worthless.
    private func requireOneSplitPerPatient() throws {
        var splitOfPatient: [String: Split] = [:]
        for (row, (patient, split)) in zip(columns.patients, columns.splits).enumerated() {
            let known = splitOfPatient.updateValue(split, forKey: patient) ?? split
            guard known == split else {
                throw Failure(
                    .badData, file.path, "row \(row) puts a patient into \(split) who is in \(known) already")
            }
        }
    }
}
