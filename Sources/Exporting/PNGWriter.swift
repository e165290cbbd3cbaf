import Files
import Foundation
import Reporting
import SampleStore

/// Writes `images/*.png` and `metadata.csv`.
struct PNGWriter: ExportWriter {
    static let folderName = "images/"
    /// The folder of the structure maps, which has one folder for each structure.
    private static let mapFolder = "structure/"

    static func isPicture(_ name: String) -> Bool { name.hasPrefix(folderName) }
    static func isMap(_ name: String) -> Bool { name.hasPrefix(mapFolder) }

    private let folder: ExportFolder
    private let encoding: PictureEncoding
    private let set: SampleSetFile
    private let asked: [String]
    private let columns: [String]
    private let integers: Set<String>
    private var table: [String]

    init(_ folder: ExportFolder, _ set: SampleSetFile, threads: Int) throws {
        self.folder = folder
        self.set = set
        encoding = PictureEncoding(set, threads: threads)
        asked = SampleDetails.asked(set)
        columns = SampleDetails.columns(set)
        integers = Set(["row", "index", "run"] + (ExportedSeed.needsText(set.seeds) ? [] : ["seed"]))
        table = [columns.joined(separator: ",")]
        try folder.make("images")
        for name in set.structures { try folder.make(PNGWriter.mapFolder + name) }
    }

    mutating func append(_ details: [SampleDetails], pixels: [UInt8]) throws {
        for (detail, png) in zip(details, try encoding.encode(details, pixels: pixels)) {
            let name = "\(detail.row.padded(to: 6)).png"
            try folder.write(png, PNGWriter.folderName + name)
            table.append(detail.line(file: name, in: PNGWriter.folderName, asked: asked, of: set))
        }
    }

    func append(_ structure: String, _ details: [SampleDetails], map: [UInt8]) throws {
        let grey = map.flatMap { [$0, $0, $0] }
        for (detail, png) in zip(details, try encoding.encode(details, pixels: grey, digests: .ofPixels)) {
            try folder.write(png, "\(PNGWriter.mapFolder)\(structure)/\(detail.row.padded(to: 6)).png")
        }
    }

    mutating func finish() throws -> Croissant.Layout {
        let name = "metadata.csv"
        let file = try folder.write(Data((table.joined(separator: "\n") + "\n").utf8), name)
        return .pictures(
            table: file,
            columns: columns.map {
                Croissant.Column($0, integers.contains($0) ? .integer : .text, SampleDetails.meaning($0))
            },
            fileColumn: "file", pattern: "\(PNGWriter.folderName)*.png")
    }
}
