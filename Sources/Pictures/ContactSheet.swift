import Foundation

/// Pictures of one size in a grid, with a gap of 2 grey pixels between them.
public struct ContactSheet: Sendable {
    public static let gap = 2

    /// The whole sheet.
    public let picture: Picture

    /// - Parameters:
    ///   - pictures: at least one picture; all have the same size. They fill the sheet row by row.
    ///   - columns: the number of pictures in a row; nil makes the sheet about square.
    public init(pictures: [Picture], columns: Int? = nil) {
        guard let first = pictures.first else { fatalError("ContactSheet needs at least one picture") }
        let columns = max(1, min(pictures.count, columns ?? Int(Double(pictures.count).squareRoot().rounded(.up))))
        let rows = (pictures.count + columns - 1) / columns
        let gap = ContactSheet.gap
        var sheet = Picture(
            width: columns * (first.width + gap) - gap, height: rows * (first.height + gap) - gap, red: 64, green: 64,
            blue: 64)
        for (index, picture) in pictures.enumerated() {
            guard picture.width == first.width, picture.height == first.height else {
                fatalError(
                    """
                    ContactSheet: picture \(index) is \(picture.width) x \(picture.height), the first \(first.width) \
                    x \(first.height)
                    """
                )
            }
            let x = index % columns * (first.width + gap), y = index / columns * (first.height + gap)
            for row in 0..<picture.height {
                let to = ((y + row) * sheet.width + x) * 3, from = row * picture.width * 3
                sheet.pixels.replaceSubrange(
                    to..<to + picture.width * 3, with: picture.pixels[from..<from + picture.width * 3])
            }
        }
        self.picture = sheet
    }

    /// The sheet as a PNG file.
    /// - Throws: `Failure(.badData)` if no memory is left.
    public var png: Data {
        get throws { try picture.pngData() }
    }
}
