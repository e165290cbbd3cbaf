import Cohorts
import Datasets
import Files
import Foundation
import HDF5Files
import Pictures

enum DatasetFixtures {
    static let size = 8

    /// Pixels that differ from row to row and byte to byte.
    static func pixels(_ row: Int, count: Int = size * size * 3) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ row &* 31) }
    }

    static func records() -> [DatasetRecord] {
        let cohorts: [[String: String]] = [
            ["dr_icdr": "3", "sex": "female", "camera": "Topcon", "site": "aachen"],
            ["dr_icdr": "ungradable", "camera": "Canon CR-2", "ethnicity": "unknown"],
            [:],
            ["age_band": "80+", "sex": "other", "quality": "reject"],
        ]
        let splits: [Split] = [.train, .train, .holdout, .validation]
        return cohorts.indices.map { row in
            DatasetRecord(
                pixels: pixels(row),
                fieldOfView: FieldOfView(centerX: 4 + Float(row), centerY: 4.5, radius: 3.25, top: 0, bottom: 7),
                cohort: Cohort(cohorts[row]), patient: ["p1", "p1", "a longer key", "p3"][row], split: splits[row])
        }
    }

    static func info() -> DatasetInfo {
        DatasetInfo(
            site: "Aachen", source: "clinic", licence: "CC-BY-4.0", onePatientPerPhoto: true, synthetic: false,
            notes: "n",
            created: Date(timeIntervalSince1970: 1_800_000_000))
    }

    @HDF5Actor
    static func write(_ path: String, batches: [Range<Int>] = [0..<4], force: Bool = false) async throws {
        let writer = try await DatasetWriter(path: path, size: size, info: info(), force: force)
        let records = records()
        for batch in batches { try writer.append(Array(records[batch])) }
        try writer.finish()
    }
}
