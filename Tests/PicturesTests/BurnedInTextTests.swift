import Pictures
import TestPictures
import Testing

@Suite("Letters inside the field of view")
struct BurnedInTextTests {
    /// A photograph with vessels, with a text in the letters of contact sheets, enlarged, at a place.
    private func photograph(
        _ text: String?, colour: SIMD3<UInt8> = [255, 255, 255], enlarged factor: Int = 1, isUpright: Bool = true
    ) throws -> Picture {
        var picture = SyntheticDisc(width: 1000, height: 800, centerX: 500, centerY: 400, radius: 380, eye: 4).picture
        guard let text else { return picture }
        let sheet = ContactSheet(
            title: text, groups: [.init(nil, [Picture(width: 400, height: 8)])]
        ).picture
        for y in 0..<20 {
            for x in 0..<sheet.width where sheet[x, y].x > 200 {
                for place in 0..<factor * factor {
                    let right = x * factor + place % factor, down = y * factor + place / factor
                    if isUpright {
                        picture[300 + right, 300 + down] = colour
                    } else {
                        picture[300 + down, 300 + right] = colour
                    }
                }
            }
        }
        return try Picture(decoding: Array(picture.jpegData(quality: 85)), name: "p")
    }

    private func lines(_ picture: Picture) throws -> Int {
        try BurnedInText(in: picture, FieldOfView.detected(in: picture, name: "p")).lines.count
    }

    @Test(
        "a name is found in several colours",
        arguments: [([255, 255, 255], 1), ([0, 0, 0], 2), ([0, 255, 255], 1)] as [(SIMD3<UInt8>, Int)])
    func colours(colour: SIMD3<UInt8>, factor: Int) throws {
        #expect(try lines(photograph("MUELLER HANS 1954", colour: colour, enlarged: factor)) > 0)
    }

    @Test("a line that stands upright is found")
    func standing() throws {
        #expect(try lines(photograph("MUELLER HANS 1954", enlarged: 2, isUpright: false)) > 0)
    }

    @Test("vessels are no letters, nor are two letters or a row of round spots")
    func none() throws {
        #expect(try lines(photograph(nil)) == 0)
        #expect(try lines(photograph("OD", enlarged: 2)) == 0)
        var spots = try photograph(nil)
        for spot in 0..<6 {
            for y in -7...7 {
                for x in -7...7 where x * x + y * y <= 49 { spots[350 + 40 * spot + x, 350 + y] = [250, 240, 200] }
            }
        }
        #expect(try lines(spots) == 0)
    }
}
