import Datasets
import Files
import Foundation
import Importing
import Pictures
import TestPictures
import Support
import Testing

@Suite("Field of view")
struct FieldOfViewTests {
    static let discs: [(String, SyntheticDisc)] = [
        ("plain", SyntheticDisc()),
        ("dark", SyntheticDisc(brightness: 30, noise: 2)),
        ("noisy surround", SyntheticDisc(surround: [8, 8, 8], noise: 8)),
        ("grey surround", SyntheticDisc(surround: [90, 92, 95], noise: 3)),
        ("white surround", SyntheticDisc(surround: [250, 250, 250], noise: 2)),
        ("letter in a corner", SyntheticDisc(hasLetter: true)),
        ("off the centre", SyntheticDisc(centerX: 245, centerY: 270, radius: 190)),
        ("square frame", SyntheticDisc(width: 500, height: 500, centerX: 250, centerY: 250, radius: 245)),
        ("small in the frame", SyntheticDisc(centerX: 400, centerY: 200, radius: 110)),
        ("large", SyntheticDisc(width: 1600, height: 1200, centerX: 800.5, centerY: 610.25, radius: 560)),
        ("cut off by the frame at top and bottom", SyntheticDisc(centerX: 300, centerY: 245, radius: 290)),
        ("cut off by black bands", SyntheticDisc(radius: 220, top: 80, bottom: 390)),
        (
            "cut off by the frame, with a letter, dark",
            SyntheticDisc(centerX: 330, radius: 280, brightness: 50, hasLetter: true)
        ),
    ]

    @Test("is found within 0.7 % of the radius", arguments: discs.indices)
    func found(_ index: Int) throws {
        let (name, disc) = FieldOfViewTests.discs[index]
        let view = try FieldOfView.detected(in: disc.picture, name: name)
        let tolerance = 0.007 * disc.radius
        #expect(abs(Double(view.centerX) - disc.centerX) <= tolerance, "\(name): x \(view.centerX)")
        #expect(abs(Double(view.centerY) - disc.centerY) <= tolerance, "\(name): y \(view.centerY)")
        #expect(abs(Double(view.radius) - disc.radius) <= tolerance, "\(name): radius \(view.radius)")
        let top = max(0, disc.top, disc.centerY - disc.radius),
            bottom = min(Double(disc.height), disc.bottom, disc.centerY + disc.radius)
        #expect(abs(Double(view.top) - top) <= 2 * tolerance, "\(name): top \(view.top), not \(top)")
        #expect(abs(Double(view.bottom) - bottom) <= 2 * tolerance, "\(name): bottom \(view.bottom), not \(bottom)")
    }

    @Test("a disc that the frame cuts off on all sides becomes the circle inside the frame's sides")
    func beyondTheFrame() throws {
        let disc = SyntheticDisc(width: 500, height: 500, centerX: 250, centerY: 250, radius: 290)
        let view = try FieldOfView.detected(in: disc.picture, name: "wide")
        #expect(abs(view.radius - 250) <= 2 && abs(view.centerX - 250) <= 2 && abs(view.centerY - 250) <= 2)
    }

    @Test(
        "pictures without a field of view are refused",
        arguments: ["black", "one colour", "noise", "landscape", "page"])
    func refused(_ kind: String) {
        var picture = Picture(width: 400, height: 300)
        var draws = Draws(state: 3)
        for y in 0..<300 {
            for x in 0..<400 {
                switch kind {
                case "black": break
                case "one colour": picture[x, y] = [180, 90, 40]
                case "noise": for c in 0..<3 { picture[x, y][c] = UInt8(255 * draws.unit()) }
                case "landscape":
                    let hill = 150 + 40 * sin(Double(x) / 60) + 15 * sin(Double(x) / 17)
                    picture[x, y] = Double(y) < hill ? [120, 170, 230] : [60, UInt8(90 + 60 * draws.unit()), 30]
                default:
                    // Lines of text on paper.
                    picture[x, y] =
                        y % 20 < 8 && x > 30 && x < 370 && draws.unit() < 0.6 ? [20, 20, 20] : [245, 245, 240]
                }
            }
        }
        #expect { try FieldOfView.detected(in: picture, name: "p.jpg") } throws: {
            ($0 as? Failure)?.kind == .badData && "\($0)".hasPrefix("p.jpg: no field of view was found: ")
        }
    }

    @Test("a picture that is too small is refused, not a crash", arguments: [(1, 1), (2, 900), (16, 16)])
    func tiny(width: Int, height: Int) {
        expectFailure(.badData, "is too small or too narrow for a fundus photograph (\(width) x \(height))") {
            try FieldOfView.detected(in: Picture(width: width, height: height, red: 100), name: "p")
        }
    }

    @Test("the crop is centred, keeps the disc's colours, and is black outside: the letter is gone")
    func crop() throws {
        let disc = SyntheticDisc(centerX: 260, centerY: 250, radius: 240, noise: 0, top: 40, hasLetter: true)
        let photograph = disc.picture
        let crop = FundusCrop(photograph, fieldOfView: try FieldOfView.detected(in: photograph, name: "p"), size: 128)
        let view = crop.fieldOfView
        #expect(view.centerX == 64 && view.centerY == 64 && view.radius == 63)
        // 210 of 240 pixels above the centre are left: 63 * 210 / 240.
        #expect(abs(view.top - (64 - 55.1)) <= 0.6)
        for y in 0..<128 {
            for x in 0..<128 {
                let dx = Double(x) + 0.5 - 64, dy = Double(y) + 0.5 - 64
                if dx * dx + dy * dy > 63 * 63 || Float(y) + 0.5 < view.top || Float(y) + 0.5 > view.bottom {
                    #expect(crop.picture[x, y] == [0, 0, 0], "\(x), \(y)")
                }
            }
        }
        // At half the radius the disc has 0.9125 of its brightness, to the right as to the left and below.
        for (x, y) in [(96, 64), (31, 64), (64, 96)] {
            #expect(abs(Int(crop.picture[x, y].x) - 182) <= 2 && abs(Int(crop.picture[x, y].y) - 91) <= 2, "\(x), \(y)")
        }
        #expect(crop.picture[64, 64].x >= 198)
    }
}

@Suite("Frames that hold more or less than one disc")
struct UnusualFrameTests {
    private func eye(_ number: UInt64, width: Int, height: Int, radius: Double) -> Picture {
        SyntheticDisc(
            width: width, height: height, centerX: Double(width) / 2, centerY: Double(height) / 2, radius: radius,
            eye: number
        ).picture
    }

    @Test("a disc of a thousandth of the frame is found", arguments: [40.0, 100])
    func small(radius: Double) throws {
        let disc = SyntheticDisc(width: 2000, height: 1500, centerX: 1500, centerY: 400, radius: radius, eye: 3)
        let view = try FieldOfView.detected(in: disc.picture, name: "p")
        #expect(abs(view.centerX - 1500) <= 2 && abs(view.centerY - 400) <= 2)
        #expect(abs(view.radius - Float(radius)) <= 0.03 * Float(radius))
    }

    @Test(
        "both eyes in one picture are refused, side by side or one above the other", arguments: [0, 40], [true, false])
    func pair(gap: Int, isWide: Bool) throws {
        let one = eye(1, width: 400, height: 400, radius: 199), other = eye(2, width: 400, height: 400, radius: 199)
        var both = Picture(width: isWide ? 800 + gap : 400, height: isWide ? 400 : 800 + gap)
        for y in 0..<400 {
            for x in 0..<400 {
                both[x, y] = one[x, y]
                both[isWide ? x + 400 + gap : x, isWide ? y : y + 400 + gap] = other[x, y]
            }
        }
        #expect { try FieldOfView.detected(in: both, name: "p") } throws: { "\($0)".contains("holds two discs") }
    }

    @Test("a mask is no photograph, not even with noise or as a JPEG", arguments: [0.0, 1.0])
    func mask(noise: Double) throws {
        var mask = SyntheticDisc(radius: 200, brightness: 0, noise: noise).picture
        var draws = Draws(state: 5)
        for y in 0..<mask.height {
            for x in 0..<mask.width where hypot(Double(x) - 320, Double(y) - 240) < 200 {
                mask[x, y] = SIMD3(repeating: 250 + UInt8(draws.unit() * 4 * noise))
            }
        }
        for picture in [mask, try Picture(decoding: Array(mask.jpegData(quality: 75)), name: "p")] {
            #expect { try FieldOfView.detected(in: picture, name: "p") } throws: { "\($0)".contains("is a mask") }
        }
    }
}
