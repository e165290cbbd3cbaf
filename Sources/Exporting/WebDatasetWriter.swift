import Files
import Foundation
import Reporting
import SampleStore

/// Writes tar files with `KEY.png` and `KEY.json`, as the library WebDataset reads them.
struct WebDatasetWriter: ExportWriter {
    private let folder: ExportFolder
    private let encoding: PictureEncoding
    private let stem: String
    private let rows: Int
    private let seedsAreTexts: Bool
    private var archive: (writer: ArchiveWriter, name: String)?
    private var shards: [PackagedFile] = []

    init(_ folder: ExportFolder, _ set: SampleSetFile, stem: String, rows: Int, threads: Int) throws {
        self.folder = folder
        encoding = PictureEncoding(set, threads: threads)
        self.stem = stem
        self.rows = rows
        seedsAreTexts = ExportedSeed.needsText(set.seeds)
        try folder.make()
    }

    mutating func append(_ details: [SampleDetails], pixels: [UInt8]) throws {
        for (detail, png) in zip(details, try encoding.encode(details, pixels: pixels)) {
            if detail.row % rows == 0 {
                try closeShard()
                let name = "\(stem)-\((detail.row / rows).padded(to: 6)).tar"
                archive = (try ArchiveWriter(folder.file(name), .tar), name)
            }
            let key = detail.row.padded(to: 9)
            try archive?.writer.add("\(key).png", png)
            try archive?.writer.add("\(key).json", Data(try detail.json().utf8))
        }
    }

    private mutating func closeShard() throws {
        guard let archive else { return }
        try archive.writer.finish()
        shards.append(try folder.add(archive.name))
        self.archive = nil
    }

    mutating func finish() throws -> Croissant.Layout {
        try closeShard()
        let keys: [(String, Croissant.Column.Kind)] = [
            ("row", .integer), ("seed", seedsAreTexts ? .text : .integer), ("index", .integer), ("run", .integer),
            ("model", .text),
            ("digest", .text),
            ("digital_source_type", .text), ("licence", .text),
        ]
        return .shards(shards, keys: keys.map { Croissant.Column($0, $1, SampleDetails.meaning($0)) })
    }
}
