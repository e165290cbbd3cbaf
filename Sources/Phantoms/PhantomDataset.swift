import Cohorts
import Datasets
import Files
import Foundation
import Pictures

/// A data set file of phantoms with their masks, and beside it a contact sheet of the first phantoms.
public struct PhantomDataset: Sendable {
    /// What was written.
    public struct Summary: Sendable {
        public let photographs: Int
        /// The number of photographs in each split; every split has an entry, also where it is empty.
        public let splits: [String: Int]
        /// The number of photographs for each ICDR grade.
        public let grades: [String: Int]
    }

    public let generator: PhantomGenerator
    /// The path of the data set.
    public let path: String
    /// Whether existing outputs may be replaced.
    public let force: Bool
    /// The site that the phantoms stand for; nil for none, and then they have no value of the attribute `site`.
    public let site: String?

    public init(_ generator: PhantomGenerator, path: String, site: String? = nil, force: Bool = false) {
        self.generator = generator
        self.site = site
        self.path = path
        self.force = force
    }

    /// The path of the contact sheet: `p.contact-sheet.png` beside `p.h5`.
    public var contactSheetPath: String {
        let stem = path.withoutHDF5Suffix
        return stem + ".contact-sheet.png"
    }

    /// The most photographs on the contact sheet, and the largest width at which each is shown.
    private static let sheetCount = 25, sheetWidth = 256

    /// Renders all phantoms, and writes the data set and the contact sheet.
    /// - Parameter progress: called after each batch with the number of finished photographs and the number of all. If
    ///   it throws, the work ends and no output appears.
    /// - Throws: `Failure`: `.cannotCreateOutput` where an output exists and `force` is false, or cannot be written;
    ///   what `progress` throws.
    public func write(threads: Int, progress: (_ done: Int, _ all: Int) throws -> Void) async throws -> Summary {
        let writer = try await DatasetWriter(path: path, size: generator.size, info: info, force: force)
        try StagedFile.requireWritable(contactSheetPath, force: force)
        var shown: [Picture] = []
        var splits = Dictionary(uniqueKeysWithValues: Split.allCases.map { ("\($0)", 0) })
        var grades = Dictionary(uniqueKeysWithValues: (0...4).map { (String($0), 0) })
        // Phantoms are made batch by batch, so that memory stays bounded.
        let batch = max(1, threads) * 4
        for start in stride(from: 0, to: generator.count, by: batch) {
            let phantoms = generator.phantoms(start..<min(start + batch, generator.count), threads: threads)
            let masks = PhantomMasks.names.map { name in (name, phantoms.compactMap { $0.masks[name] }) }
            try await writer.append(
                phantoms.map { record($0) }, masks: Dictionary(uniqueKeysWithValues: masks),
                visits: phantoms.map { Int32($0.visit.number) }, eyes: phantoms.map(\.eye.key))
            for phantom in phantoms {
                splits["\(phantom.eye.patient.split)", default: 0] += 1
                grades[String(phantom.eye.patient.grade), default: 0] += 1
                if shown.count < Self.sheetCount { shown.append(thumbnail(phantom)) }
            }
            try progress(start + phantoms.count, generator.count)
        }
        let sheet = try StagedFile(contactSheetPath, force: force)
        try sheet.write(try ContactSheet(pictures: shown).png())
        try await writer.finish()
        try sheet.commit()
        return Summary(photographs: generator.count, splits: splits, grades: grades)
    }

    private func record(_ phantom: Phantom) -> DatasetRecord {
        var record = phantom.record
        record.cohort["site"] = site
        return record
    }

    private var info: DatasetInfo {
        DatasetInfo(
            site: site ?? "phantom",
            source: "fovea phantom --count \(generator.patients) --visits \(generator.visits) --size \(generator.size) "
                + "--seed \(generator.seed)",
            licence: "CC0-1.0", synthetic: true,
            notes:
                """
                Procedural phantoms: no photograph of a person is in them, and nothing clinical can be learnt from them.
                """
        )
    }

    private func thumbnail(_ phantom: Phantom) -> Picture {
        let picture = Picture(width: phantom.size, height: phantom.size, pixels: phantom.pixels)
        let width = min(phantom.size, Self.sheetWidth)
        return width == phantom.size ? picture : picture.resized(width: width, height: width)
    }
}
