extension ContactSheet {
    /// - Parameter pixels: the pictures one after another, [height, width, 3] each.
    public init(pixels: [UInt8], width: Int, height: Int, columns: Int? = nil) {
        let bytes = width * height * 3
        self.init(
            pictures: stride(from: 0, to: pixels.count, by: bytes).map {
                Picture(width: width, height: height, pixels: Array(pixels[$0..<$0 + bytes]))
            }, columns: columns)
    }
}
