/// Finds letters that were written into a photograph inside its field of view, such as a patient's name.
///
/// Nothing is read. Letters are thin strokes of a colour that a retina hardly has (pale, black or garish), with sharp
/// edges, of about one height, three or more beside each other on one line, which may stand upright.
package struct BurnedInText {
    /// The letters of each line that was found, as boxes in pixels of the picture.
    package let lines: [[TextBox]]

    /// - Parameter view: the field of view of `picture`. What lies outside it is cut away and not looked at.
    package init(in picture: Picture, _ view: FieldOfView) {
        // Larger discs are reduced, so that letters have a size that the search knows.
        let factor = max(1, 2 * view.radius / BurnedInText.largestDisc)
        let small =
            factor == 1
            ? picture
            : picture.resized(
                width: max(1, Int((Float(picture.width) / factor).rounded())),
                height: max(1, Int((Float(picture.height) / factor).rounded())))
        let seen = view.scaled(by: Float(small.width) / Float(picture.width))
        let tallest = max(12, Int(seen.radius * BurnedInText.tallestShare))
        var lines: [[TextBox]] = []
        let map = TextColours(small, seen)
        for colour in TextColour.allCases {
            let letters = map.strokes(of: colour).filter { $0.isLetter(in: small, tallest: tallest) }
            lines +=
                TextLine.lines(of: letters) + TextLine.lines(of: letters.map(\.transposed)).map { $0.map(\.transposed) }
        }
        self.lines = lines.map { line in line.map { $0.scaled(by: Float(picture.width) / Float(small.width)) } }
    }

    /// In pixels.
    private static let largestDisc: Float = 1600
    /// The height of the largest letters as a share of the disc's radius.
    private static let tallestShare: Float = 0.25
}

/// A letter, or what may be one.
package struct TextBox: Hashable, Sendable {
    package var left: Int
    package var top: Int
    package var width: Int
    package var height: Int
    /// The number of its pixels.
    var area: Int
    /// The mean of its pixels' brightness.
    var level: Float
    var colour: TextColour
    /// The places of its pixels in the picture.
    var pixels: [Int] = []

    var right: Int { left + width }
    var bottom: Int { top + height }

    /// With rows and columns exchanged.
    var transposed: TextBox {
        var other = self
        (other.left, other.top, other.width, other.height) = (top, left, height, width)
        return other
    }

    func scaled(by factor: Float) -> TextBox {
        var other = self
        other.left = Int(Float(left) * factor)
        other.top = Int(Float(top) * factor)
        other.width = Int((Float(width) * factor).rounded(.up))
        other.height = Int((Float(height) * factor).rounded(.up))
        return other
    }
}

/// Lines of letters.
enum TextLine {
    /// How many letters make a line.
    private static let fewest = 3

    /// The lines from left to right that some of the letters form.
    static func lines(of letters: [TextBox]) -> [[TextBox]] {
        let sorted = letters.sorted { ($0.left, $0.top) < ($1.left, $1.top) }
        var used: Set<Int> = []
        var lines: [[TextBox]] = []
        for start in sorted.indices where !used.contains(start) {
            var line = [start]
            while let last = line.last,
                let next = sorted.indices.first(where: {
                    $0 > last && !used.contains($0) && follows(sorted[$0], sorted[last])
                })
            {
                line.append(next)
            }
            // At a small size, neighbouring letters run into each other.
            let letters = line.reduce(0) { $0 + max(1, sorted[$1].width * 4 / (sorted[$1].height * 3)) }
            if line.count >= 2, letters >= fewest {
                used.formUnion(line)
                lines.append(line.map { sorted[$0] })
            }
        }
        return lines
    }

    /// Whether a letter may stand right behind another.
    private static func follows(_ next: TextBox, _ last: TextBox) -> Bool {
        let height = Float(max(next.height, last.height)), smaller = Float(min(next.height, last.height))
        let gap = Float(next.left - last.right)
        // Letters stand on one line, or have one upper edge where one of them goes below it.
        let isLevel =
            Float(abs(next.bottom - last.bottom)) <= max(1, 0.2 * height)
            || Float(abs(next.top - last.top)) <= max(1, 0.2 * height)
        return smaller >= 0.6 * height && gap >= -0.1 * height && gap <= 0.9 * height && isLevel
            && abs(next.level - last.level) <= 60
    }
}
