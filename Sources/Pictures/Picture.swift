/// A picture in memory with 8 bits per channel: [height, width, 3], RGB, row-major.
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

    /// A picture of one colour.
    public init(width: Int, height: Int, red: UInt8 = 0, green: UInt8 = 0, blue: UInt8 = 0) {
        var pixels = [UInt8](repeating: red, count: width * height * 3)
        for pixel in 0..<width * height {
            pixels[3 * pixel + 1] = green
            pixels[3 * pixel + 2] = blue
        }
        self.init(width: width, height: height, pixels: pixels)
    }

    /// Whether any pixel has a colour, so that not all are grey.
    public var isColour: Bool {
        pixels.withUnsafeBufferPointer { pixels in
            stride(from: 0, to: pixels.count, by: 3).contains {
                pixels[$0] != pixels[$0 + 1] || pixels[$0] != pixels[$0 + 2]
            }
        }
    }

    /// The red, green and blue of the pixel in column `x` of row `y`.
    public subscript(x: Int, y: Int) -> SIMD3<UInt8> {
        get {
            let start = (y * width + x) * 3
            return SIMD3(pixels[start], pixels[start + 1], pixels[start + 2])
        }
        set {
            let start = (y * width + x) * 3
            pixels[start] = newValue.x
            pixels[start + 1] = newValue.y
            pixels[start + 2] = newValue.z
        }
    }
}
