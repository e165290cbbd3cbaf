import Cohorts
import Foundation
import Pictures
import SampleStore

/// The contact sheet of a sample set: a group of rows for each cohort that was asked for, with a line above it that
/// names the cohort. The sheet says that the pictures are synthetic, in letters and in its XMP.
package struct SampleSheet {
    private let sheet: ContactSheet
    /// The most samples on the sheet of a set.
    static let usualMost = 64

    /// - Parameter most: the most pictures; every cohort gets about as many.
    /// - Throws: the failures of reading the set.
    init(of file: SampleSetFile, most: Int) async throws {
        var cohorts: [String] = [], rows: [String: [Int]] = [:]
        for row in 0..<file.count {
            let name = SampleSheet.caption(file, row: row)
            if rows[name] == nil { cohorts.append(name) }
            rows[name, default: []].append(row)
        }
        let each = max(1, most / cohorts.count), shownCohorts = cohorts.prefix(most)
        var groups: [ContactSheet.Group] = [], shown = 0
        for cohort in shownCohorts {
            let own = rows[cohort] ?? [], some = Array(own.prefix(each))
            let pixels = try await file.images(rows: some), size = pixels.count / some.count
            let pictures = some.indices.map {
                Picture(
                    width: file.width, height: file.height, pixels: Array(pixels[$0 * size..<($0 + 1) * size]))
            }
            shown += some.count
            let count =
                (some.count == own.count ? "" : "\(some.count) of ") + "\(own.count) sample\(own.count == 1 ? "" : "s")"
            groups.append(
                ContactSheet.Group(cohorts.count == 1 && cohort.isEmpty ? nil : "\(cohort): \(count)", pictures))
        }
        let name = URL(fileURLWithPath: file.path).lastPathComponent
        let release = file.isReleasable ? "" : "not audited, not for release; "
        sheet = ContactSheet(title: "SYNTHETIC; \(release)\(shown) of \(file.count) samples of \(name)", groups: groups)
    }

    /// What was asked for in a row, such as `dr_icdr 3, sex female`.
    private static func caption(_ file: SampleSetFile, row: Int) -> String {
        file.askedValues(row: row).sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    /// The sheet of a set as a PNG file.
    package static func png(of file: SampleSetFile) async throws -> Data {
        try await SampleSheet(of: file, most: usualMost).png()
    }

    func png() throws -> Data { try sheet.png(texts: [SyntheticMark.xmp(SampleSet.digitalSourceType)]) }
}
