import Files
import Foundation
import Pictures
import SampleStore

/// JPEG copies of some rows' pictures as data URIs, of the best quality that a number of bytes allows.
package struct ReportPictures: Sendable {
    /// How the copies are made.
    struct Setting: Hashable, Sendable {
        /// The size of a copy in pixels.
        let width: Int
        let height: Int
        /// The quality on libjpeg's scale, 1 to 100.
        let quality: Int
    }

    let setting: Setting
    package let uris: [String]

    private static let prefix = "data:image/jpeg;base64,"
    /// How many rows are read at a time: 64 pictures of 1024 x 1024 pixels are 200 MB.
    private static let batch = 64
    /// How many pictures are encoded to judge a setting before all are encoded with it.
    private static let probes = 24

    /// The settings to try, from best to worst: first the quality goes down, then the size.
    static func settings(width: Int, height: Int) -> [Setting] {
        [
            (1.0, [95, 90, 85, 80, 75, 70, 65, 60, 55, 50]), (0.75, [70, 60, 50]), (0.5, [70, 60, 50]),
            (0.375, [60, 50]), (0.25, [60, 50]),
        ]
        .flatMap { scale, qualities in
            qualities.map {
                Setting(
                    width: max(1, Int(Double(width) * scale)), height: max(1, Int(Double(height) * scale)), quality: $0)
            }
        }
    }

    /// Encodes the pictures of `rows` with the best setting whose data URIs take at most `byteLimit` bytes together.
    /// - Throws: `Failure(.usage)` where the pictures are too large even with the worst setting.
    package init(of file: SampleSetFile, rows: [Int], byteLimit: Int) async throws {
        let probes = Selection.spread(rows, count: ReportPictures.probes)
        for setting in ReportPictures.settings(width: file.width, height: file.height) {
            let sample = try await ReportPictures.encode(file, probes, setting)
            guard ReportPictures.byteCount(sample) * rows.count <= byteLimit * probes.count else { continue }
            let all = probes == rows ? sample : try await ReportPictures.encode(file, rows, setting)
            guard ReportPictures.byteCount(all) <= byteLimit else { continue }
            self.setting = setting
            uris = all
            return
        }
        throw Failure(
            .usage, file.path, "\(rows.count) pictures do not fit on the page, however small", remedy: .showFewer)
    }

    /// Empty pictures, with which the size of the page around them is measured.
    init(placeholders count: Int, of file: SampleSetFile) {
        setting = Setting(width: file.width, height: file.height, quality: 100)
        uris = [String](repeating: "", count: count)
    }

    private static func byteCount(_ uris: [String]) -> Int { uris.reduce(0) { $0 + $1.utf8.count } }

    private static func encode(_ file: SampleSetFile, _ rows: [Int], _ setting: Setting) async throws -> [String] {
        var uris: [String] = []
        for start in stride(from: 0, to: rows.count, by: batch) {
            let part = Array(rows[start..<min(start + batch, rows.count)])
            // [part.count, height, width, 3]
            let pixels = try await file.images(rows: part)
            let size = file.width * file.height * 3
            for number in part.indices {
                let picture = Picture(
                    width: file.width, height: file.height, pixels: Array(pixels[number * size..<(number + 1) * size]))
                let jpeg = try picture.resized(width: setting.width, height: setting.height).jpegData(
                    quality: setting.quality)
                uris.append(prefix + jpeg.base64EncodedString())
            }
        }
        return uris
    }
}
