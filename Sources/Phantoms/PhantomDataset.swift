import Cohorts
import Datasets
import Files
import Foundation
import Pictures

/// A dataset file of phantoms with their masks, and a contact sheet of the first ones beside it.
public struct PhantomDataset: Sendable {
    /// What was written.
    public struct Summary: Sendable {
        public let photographs: Int
        /// Photographs by split; every split is there.
        public let splits: [String: Int]
        /// Photographs by ICDR grade.
        public let grades: [String: Int]
    }

    public let generator: PhantomGenerator
    /// Where the dataset goes.
    public let path: String
    /// Whether outputs that exist may be replaced.
    public let force: Bool
    /// The site that the phantoms stand for; nil for none, and no value of the attribute.
    public let site: String?

    public init(_ generator: PhantomGenerator, path: String, site: String? = nil, force: Bool = false) {
        self.generator = generator
        self.site = site
        self.path = path
        self.force = force
    }

    /// Where the contact sheet goes: `p.contact-sheet.png` beside `p.h5`.
    public var contactSheetPath: String {
        let stem = path.hasSuffix(".h5") ? String(path.dropLast(3)) : path
        return stem + ".contact-sheet.png"
    }

    /// Photographs on the contact sheet, at most, and the widest that each is shown.
    private static let sheetCount = 25, sheetWidth = 256

    /// Renders and writes everything.
    /// - Parameter progress: is called after each batch with the photographs done and all of them; what it throws ends
    ///   the work, and no output appears.
    public func write(threads: Int, progress: (_ done: Int, _ all: Int) throws -> Void) async throws -> Summary {
        let writer = try await DatasetWriter(path: path, size: generator.size, info: info, force: force)
        try StagedFile.requireWritable(contactSheetPath, force: force)
        var shown: [Picture] = []
        var splits = Dictionary(uniqueKeysWithValues: Split.allCases.map { ("\($0)", 0) })
        var grades = Dictionary(uniqueKeysWithValues: (0...4).map { (String($0), 0) })
        // A batch at a time, so that memory stays bounded.
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
        try sheet.write(try ContactSheet(pictures: shown).png)
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
