import Files
import Foundation
import Reporting
import SampleStore

/// Writes `images/*.png` and `metadata.csv`.
struct PNGWriter: ExportWriter {
    static let folderName = "images/"

    private let folder: ExportFolder
    private let encoding: PictureEncoding
    private let asked: [String]
    private let hasJoined: Bool
    private let columns: [String]
    private let integers: Set<String>
    private var table: [String]

    init(_ folder: ExportFolder, _ set: SampleSetFile, threads: Int) throws {
        self.folder = folder
        encoding = PictureEncoding(set, threads: threads)
        asked = SampleDetails.asked(set)
        hasJoined = !set.joinedRequests.isEmpty
        columns = SampleDetails.columns(set)
        integers = Set(["row", "index", "run"] + (ExportedSeed.needsText(set.seeds) ? [] : ["seed"]))
        table = [columns.joined(separator: ",")]
        try folder.make("images")
    }

    mutating func append(_ details: [SampleDetails], pixels: [UInt8]) throws {
        for (detail, png) in zip(details, try encoding.encode(details, pixels: pixels)) {
            let name = "\(detail.row.padded(to: 6)).png"
            try folder.write(png, PNGWriter.folderName + name)
            table.append(detail.line(file: name, in: PNGWriter.folderName, asked: asked, hasJoined: hasJoined))
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
