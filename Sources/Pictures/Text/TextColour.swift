/// Colours that letters have and a retina hardly has in thin strokes: pale or garish, black, and pure red.
///
/// The limits are wide, because a JPEG blurs the colour of thin strokes; single specks of a retina pass them.
enum TextColour: UInt8, CaseIterable, Sendable {
    case bright = 1
    case dark, red

    /// The colour of a pixel; nil for what a retina may have.
    init?(_ pixel: SIMD3<UInt8>) {
        let r = Int(pixel.x), g = Int(pixel.y), b = Int(pixel.z)
        let most = max(r, g, b), least = min(r, g, b)
        if (least >= 110 && most - least <= 95) || (g >= 110 && g - r >= 15) || (b - r >= 20 && most >= 100)
            || (min(r, g) >= 150 && abs(r - g) <= 35 && b * 10 <= g * 8)
        {
            self = .bright
        } else if most <= 55 {
            self = .dark
        } else if r >= 170, g <= 55, b <= 70 {
            self = .red
        } else {
            return nil
        }
    }
}

/// The pixels of a picture that have one of these colours inside its field of view.
struct TextColours {
    private let width: Int
    private let height: Int
    /// [height, width]; 0 for no such colour.
    private let map: [UInt8]
    private let picture: Picture

    init(_ picture: Picture, _ view: FieldOfView) {
        width = picture.width
        height = picture.height
        self.picture = picture
        var map = [UInt8](repeating: 0, count: picture.width * picture.height)
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                guard let colour = TextColour(picture[x, y]),
                    view.signedDistance(x: Float(x) + 0.5, y: Float(y) + 0.5) > 2
                else { continue }
                map[y * picture.width + x] = colour.rawValue
            }
        }
        self.map = map
    }

    /// The 8-connected sets of pixels of a colour.
    func strokes(of colour: TextColour) -> [TextBox] {
        var isSeen = [Bool](repeating: false, count: map.count)
        var stack: [Int] = []
        var strokes: [TextBox] = []
        for start in map.indices where map[start] == colour.rawValue && !isSeen[start] {
            isSeen[start] = true
            stack.append(start)
            var pixels: [Int] = []
            var (left, right, top, bottom) = (width, 0, height, 0)
            var sum = 0
            while let place = stack.popLast() {
                pixels.append(place)
                let x = place % width, y = place / width
                (left, right, top, bottom) = (min(left, x), max(right, x), min(top, y), max(bottom, y))
                sum += picture[x, y].channelSum
                for nextY in max(0, y - 1)...min(height - 1, y + 1) {
                    for nextX in max(0, x - 1)...min(width - 1, x + 1) {
                        let next = nextY * width + nextX
                        if map[next] == colour.rawValue, !isSeen[next] {
                            isSeen[next] = true
                            stack.append(next)
                        }
                    }
                }
            }
            strokes.append(
                TextBox(
                    left: left, top: top, width: right - left + 1, height: bottom - top + 1, area: pixels.count,
                    level: Float(sum) / Float(3 * pixels.count), colour: colour, pixels: pixels))
        }
        return strokes
    }
}

extension SIMD3<UInt8> {
    fileprivate var channelSum: Int { Int(x) + Int(y) + Int(z) }
}
