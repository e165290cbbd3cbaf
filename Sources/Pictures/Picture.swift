/// A picture of 8 bits a channel in memory: [height, width, 3], RGB, row-major.
public struct Picture: Hashable, Sendable {
    public let width: Int
    public let height: Int
    public var pixels: [UInt8]

    public init(width: Int, height: Int, pixels: [UInt8]) {
        guard pixels.count == width * height * 3 else {
            fatalError("Picture \(width) x \(height) needs \(width * height * 3) bytes, not \(pixels.count)")
        }
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}
