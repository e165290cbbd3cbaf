import Auditing
import Phantoms
import Pictures
import Statistics
import TensorCore
import Testing
import Verdicts

@Suite struct PixelCopiesTests {
    /// Two visits of 40 phantoms; the gallery has both visits of the first 24.
    private static let all: PictureSet = {
        guard let generator = try? PhantomGenerator(patients: 40, size: 64, visits: 2, seed: 31) else {
            fatalError("no phantoms")
        }
        let made = generator.phantoms(0..<80, threads: 2)
        return PictureSet(size: 64, pixels: made.flatMap(\.pixels), patients: (0..<80).map { $0 / 2 })
    }()
    private static let gallery = all.selecting(Array(0..<48))
    private static let strangers = all.selecting(Array(48..<80))
    private static let test = PixelCopies(gallery)

    private func scores(_ pictures: [Picture]) throws -> CopyScores {
        try Self.test.scores(of: PictureSet(pictures, size: 64, patients: Array(0..<pictures.count))) { _ in }
    }

    @Test func `copies, plain, mirrored or brighter, are found and score above every stranger`() throws {
        let innocent = try Self.test.scores(of: Self.strangers) { _ in }.scores
        let highest = try #require(innocent.max())
        let rows = Array(0..<12).map { $0 * 4 }
        let plain = try scores(rows.map { Self.gallery[$0] }),
            mirrored = try scores(rows.map { Self.gallery[$0].mirrored })
        let brighter = try scores(rows.map { Self.gallery[$0].recoloured(gamma: 1, gains: [0.9, 0.85, 0.95]) })
        for (name, found) in [("plain", plain), ("mirrored", mirrored), ("brighter", brighter)] {
            #expect(found.nearest == rows, "\(name)")
            let least = try #require(found.scores.min())
            #expect(least > highest + 0.5, "\(name): \(least), and a stranger has \(highest)")
        }
        // A copy's distance is next to nothing beside the others'.
        #expect(PixelCopies.ratio(try #require(plain.scores.min())) < 1e-3)
    }

    @Test func `one region that differs makes it no copy`() throws {
        var patched = Self.gallery[0]
        // One of sixteen tiles, about the middle.
        for y in 32..<48 { for x in 32..<48 { patched[x, y] = SIMD3(40, UInt8(8 * (x - 30)), UInt8(8 * (y - 30))) } }
        let found = try scores([Self.gallery[0], patched])
        #expect(found.scores[1] < found.scores[0] - 3)
    }

    @Test func `within the gallery a patient's own photographs do not count`() throws {
        let within = try Self.test.scoresWithinGallery(Array(0..<Self.gallery.count)) { _ in }
        #expect(within.scores.count == 48)
        for row in 0..<48 { #expect(Self.gallery.patients[within.nearest[row]] != Self.gallery.patients[row]) }
        // With them each photograph would find itself.
        let plain = try Self.test.scores(of: Self.gallery) { _ in }
        #expect(plain.nearest == Array(0..<48))
        let most = try #require(within.scores.max()), least = try #require(plain.scores.min())
        #expect(most < least)
    }
}

@Suite struct CopyTableTests {
    private func column(_ name: CopyTestName, _ scores: [Double], _ nearest: [Int]) -> CopyTable.Column {
        CopyTable.Column(name: name, threshold: 1, scores: CopyScores(scores: scores, nearest: nearest))
    }

    /// Photographs 0 and 1 are of patient 7, photograph 2 of patient 8.
    private let patients = [7, 7, 8]

    @Test func `confirmed is what two tests flag as the same patient`() {
        let table = CopyTable(
            count: 5,
            columns: [
                //                  same patient, other, one alone, at the threshold, none
                column(.pixels, [2, 2, 2, 2, 0], [0, 0, 2, 0, 0]),
                column(.features, [2, 2, 0, 1, 0], [1, 2, 2, 0, 0]),
                column(.retina, [0, 0, 0, 0.5, 0], [2, 2, 2, 0, 0]),
            ])
        #expect(table.confirmedRows(galleryPatients: patients) == [0])
        #expect(table.flaggedRows == [0, 1, 2, 3])
        #expect(
            table.rate(.pixels) == Rate(hits: 4, count: 5) && table.rate(.features) == Rate(hits: 2, count: 5)
                && table.rate(.retina) == Rate(hits: 0, count: 5))
    }

    @Test func `a third test that names another patient confirms nothing away`() {
        let table = CopyTable(
            count: 2,
            columns: [
                column(.pixels, [2, 2], [0, 0]), column(.features, [2, 2], [1, 2]), column(.retina, [2, 2], [2, 2]),
            ])
        #expect(table.confirmedRows(galleryPatients: patients) == [0, 1])
        #expect(table.confirmedRows(galleryPatients: [1, 2, 3]) == [1])
    }
}
