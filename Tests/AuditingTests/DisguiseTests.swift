import Pictures
import Randomness
import TensorCore
import Testing
import Verdicts

@Suite struct DisguiseTests {
    /// A gradient with a bright spot right of the centre.
    private let picture: Picture = {
        var picture = Picture(width: 64, height: 64)
        for y in 0..<64 { for x in 0..<64 { picture[x, y] = SIMD3(UInt8(2 * x), UInt8(2 * y), 90) } }
        for y in 30..<34 { for x in 50..<54 { picture[x, y] = SIMD3(255, 255, 255) } }
        return picture
    }()

    @Test(arguments: Disguise.allCases)
    func `a disguise changes the picture, except the plain one, and is the same each time`(_ disguise: Disguise) throws
    {
        let partner = Picture(width: 64, height: 64, red: 20, green: 40, blue: 60)
        func made() throws -> Picture {
            var random = Philox(seed: 3, stream: .disguise, index: 5)
            return try disguise.applied(to: picture, partner: partner, &random)
        }
        let first = try made(), second = try made()
        #expect(first == second)
        #expect((first == picture) == (disguise == .plain))
        #expect(first.width == 64 && first.height == 64)
    }

    @Test func `a quarter turn moves the spot from the right to the top or bottom`() {
        let turned = picture.warped(Similarity(rotation: .pi / 2))
        let bright = (0..<64).flatMap { y in (0..<64).map { (x: $0, y: y) } }.filter {
            turned[$0.x, $0.y] == SIMD3(255, 255, 255)
        }
        #expect(!bright.isEmpty)
        #expect(bright.allSatisfy { (29...34).contains($0.x) && ($0.y < 16 || $0.y > 47) })
    }
}
