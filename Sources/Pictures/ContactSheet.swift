import Foundation

/// Pictures of one size in a grid, with a gap of grey pixels between them, in groups with a line of text above each.
public struct ContactSheet: Sendable {
    /// Some pictures with a line of text above them.
    public struct Group: Sendable {
        /// Printable ASCII; nil for no line.
        public var caption: String?
        public var pictures: [Picture]

        public init(_ caption: String?, _ pictures: [Picture]) {
            self.caption = caption
            self.pictures = pictures
        }
    }

    public static let gap = 2
    /// The height of a line of text in pixels.
    static let line = SheetLetters.height + 6
    /// The distance of a line from the left edge in pixels.
    static let margin = 4

    /// A text in lines that fit the sheet, broken between words.
    private static func lines(_ text: String?, width: Int) -> [String] {
        guard let text else { return [] }
        let most = max(1, (width - margin) / SheetLetters.width)
        return text.split(separator: " ", omittingEmptySubsequences: false).reduce(into: [""]) { lines, word in
            let line = lines[lines.count - 1]
            if line.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if line.count + 1 + word.count <= most {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(String(word))
            }
        }
    }

    /// Smaller pictures are enlarged, pixel by pixel, until they are at least this wide.
    static let leastWidth = 96

    /// The whole sheet.
    public let picture: Picture

    /// - Parameters:
    ///   - pictures: at least one picture; all have the same size. They fill the sheet row by row.
    ///   - columns: the number of pictures in a row; nil makes the sheet about square.
    public init(pictures: [Picture], columns: Int? = nil) {
        self.init(groups: [Group(nil, pictures)], columns: columns)
    }

    /// - Parameters:
    ///   - title: a line at the top; nil for none.
    ///   - groups: at least one picture in all; all have the same size. Each group begins a row.
    ///   - columns: the number of pictures in a row; nil makes a sheet of one group about square, and one of several
    ///     groups as wide as the largest needs, up to 10 pictures.
    public init(title: String? = nil, groups all: [Group], columns: Int? = nil) {
        let groups = all.filter { !$0.pictures.isEmpty }
        guard let first = groups.first?.pictures.first else { fatalError("ContactSheet needs at least one picture") }
        let factor = max(1, (ContactSheet.leastWidth + first.width - 1) / first.width)
        let width = first.width * factor, height = first.height * factor, gap = ContactSheet.gap
        let most = groups.map(\.pictures.count).max() ?? 1
        let usual = groups.count == 1 ? Int(Double(most).squareRoot().rounded(.up)) : min(10, most)
        let columns = max(1, min(most, columns ?? usual))
        let titles = ContactSheet.lines(title, width: columns * (width + gap) - gap)
        let captions = groups.map { ContactSheet.lines($0.caption, width: columns * (width + gap) - gap) }
        let rows = groups.map { ($0.pictures.count + columns - 1) / columns }
        var sheet = Picture(
            width: columns * (width + gap) - gap,
            height: (titles.count + captions.reduce(0) { $0 + $1.count }) * ContactSheet.line
                + rows.reduce(0, +) * (height + gap) - gap, red: 64, green: 64, blue: 64)
        var top = 0
        func write(_ lines: [String]) {
            for line in lines {
                sheet.write(line, x: ContactSheet.margin, y: top + 3)
                top += ContactSheet.line
            }
        }
        write(titles)
        for (group, (caption, rows)) in zip(groups, zip(captions, rows)) {
            write(caption)
            for (index, picture) in group.pictures.enumerated() {
                guard picture.width == first.width, picture.height == first.height else {
                    fatalError(
                        """
                        ContactSheet: picture \(index) is \(picture.width) x \(picture.height), the first \
                        \(first.width) x \(first.height)
                        """
                    )
                }
                sheet.put(
                    picture, x: index % columns * (width + gap), y: top + index / columns * (height + gap),
                    enlarged: factor)
            }
            top += rows * (height + gap)
        }
        self.picture = sheet
    }

    /// The sheet as a PNG file.
    /// - Throws: `Failure(.badData)` if no memory is left.
    public func png(texts: [PNGText] = []) throws -> Data { try picture.pngData(texts: texts) }
}

extension Picture {
    /// Puts another picture at a place, each of its pixels as a square of `factor` pixels.
    fileprivate mutating func put(_ other: Picture, x left: Int, y top: Int, enlarged factor: Int) {
        for y in 0..<other.height * factor {
            for x in 0..<other.width * factor { self[left + x, top + y] = other[x / factor, y / factor] }
        }
    }

    /// Writes a line in light grey; what does not fit is cut.
    fileprivate mutating func write(_ text: String, x left: Int, y top: Int) {
        let most = max(0, (width - left) / SheetLetters.width)
        let line = text.count <= most ? text : String(text.prefix(max(0, most - 3))) + "..."
        for (place, letter) in line.enumerated() {
            for y in 0..<SheetLetters.height {
                for x in 0..<SheetLetters.width where SheetLetters.isSet(letter, x: x, y: y) {
                    let column = left + place * SheetLetters.width + x
                    if column < width, top + y < height { self[column, top + y] = SIMD3(230, 230, 230) }
                }
            }
        }
    }
}
