extension ContactSheet {
    /// - Parameter pixels: pictures of [height, width, 3], one behind the other.
    public init(pixels: [UInt8], width: Int, height: Int, columns: Int? = nil) {
        let bytes = width * height * 3
        self.init(
            pictures: stride(from: 0, to: pixels.count, by: bytes).map {
                Picture(width: width, height: height, pixels: Array(pixels[$0..<$0 + bytes]))
            }, columns: columns)
    }
}
