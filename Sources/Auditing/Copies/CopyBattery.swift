import Files
import Pictures
import Randomness
import Statistics
import TensorCore
import Verdicts

/// The copy tests for one gallery, with their thresholds.
struct CopyBattery: Sendable {
    struct Calibrated: Sendable {
        let test: any CopyTest
        let null: NullTail
        let threshold: Double
        /// The part of all tests' false-alarm rate for which this test's threshold was set.
        let falseAlarmRate: Double
    }

    let tests: [Calibrated]

    /// The fewest holdout patients for thresholds, and also the fewest for false alarms. With so few patients, the
    /// gallery sets the thresholds nearly alone, and the measured false-alarm rate says little.
    static let leastCalibration = 1

    /// Sets each threshold so that the tests together flag an innocent picture with probability `falseAlarmRate`.
    /// - Parameters:
    ///   - calibration: photographs of the holdout.
    ///   - galleryRows: photographs of the gallery that are also used: their scores against other patients show what
    ///     innocent photographs score.
    init(
        _ tests: [any CopyTest], calibration: PictureSet, galleryRows: [Int], falseAlarmRate: Double,
        progress: (CopyTestName, Double) throws -> Void
    ) throws {
        self.tests = try tests.map { test in
            var scores = try test.scores(of: calibration) { try progress(test.name, $0 / 2) }.scores
            scores += try test.scoresWithinGallery(test.innocent(of: galleryRows)) {
                try progress(test.name, 0.5 + $0 / 2)
            }.scores.filter { $0.isFinite }
            let null = NullTail(scores), each = falseAlarmRate * test.name.shareOfFalseAlarms
            return Calibrated(
                test: test, null: null, threshold: null.threshold(falseAlarmRate: each), falseAlarmRate: each)
        }
    }

    /// The scores of some pictures in every test.
    func scores(of pictures: PictureSet, progress: (CopyTestName, Double) throws -> Void) throws -> CopyTable {
        CopyTable(
            count: pictures.count,
            columns: try tests.map { entry in
                CopyTable.Column(
                    name: entry.test.name, threshold: entry.threshold,
                    scores: try entry.test.scores(of: pictures) { try progress(entry.test.name, $0) })
            })
    }
}

/// What every test says about some pictures.
package struct CopyTable: Sendable {
    package struct Column: Sendable {
        package let name: CopyTestName
        package let threshold: Double
        package let scores: CopyScores

        package init(name: CopyTestName, threshold: Double, scores: CopyScores) {
            (self.name, self.threshold, self.scores) = (name, threshold, scores)
        }

        func isFlagged(_ row: Int) -> Bool { scores.scores[row] > threshold }
    }

    package let count: Int
    package let columns: [Column]

    package init(count: Int, columns: [Column]) { (self.count, self.columns) = (count, columns) }

    package func rate(_ name: CopyTestName) -> Rate {
        guard let column = columns.first(where: { $0.name == name }) else { return Rate(hits: 0, count: 0) }
        return Rate(hits: (0..<count).count { column.isFlagged($0) }, count: count)
    }

    /// The rows that at least one test flags.
    package var flaggedRows: [Int] { (0..<count).filter { row in columns.contains { $0.isFlagged(row) } } }

    /// The rows that two tests match to the same patient of the gallery.
    package func confirmedRows(galleryPatients: [Int]) -> [Int] {
        (0..<count).filter { row in
            let patients = columns.filter { $0.isFlagged(row) }.map { galleryPatients[$0.scores.nearest[row]] }
            return Set(patients).count < patients.count
        }
    }
}

/// Training photographs in disguise.
struct PlantedCopies: Sendable {
    let pictures: PictureSet
    let disguises: [Disguise]

    /// - Parameters:
    ///   - most: the most photographs that are disguised, evenly spread over the gallery.
    ///   - partners: the pictures with which half-blends are mixed.
    init(_ gallery: PictureSet, most: Int, partners: PictureSet) throws {
        let count = min(most, gallery.count)
        var pictures: [UInt8] = [], disguises: [Disguise] = [], patients: [Int] = []
        for disguise in Disguise.allCases {
            for i in 0..<count {
                let row = i * gallery.count / count
                var random = Philox(seed: 0, stream: .disguise, index: UInt64(disguises.count))
                let partner = partners[random.nextInteger(below: partners.count)]
                pictures += try disguise.applied(to: gallery[row], partner: partner, &random).pixels
                disguises.append(disguise)
                patients.append(gallery.patients[row])
            }
        }
        self.pictures = PictureSet(size: gallery.size, pixels: pictures, patients: patients)
        self.disguises = disguises
    }

    /// The recall of one test by disguise. A planted picture counts as found where the test flags it and matches it to
    /// the right patient.
    func recall(_ column: CopyTable.Column, galleryPatients: [Int]) -> [String: Rate] {
        Dictionary(grouping: disguises.indices) { disguises[$0].rawValue }.mapValues { rows in
            Rate(
                hits: rows.count {
                    column.isFlagged($0) && galleryPatients[column.scores.nearest[$0]] == pictures.patients[$0]
                }, count: rows.count)
        }
    }
}
