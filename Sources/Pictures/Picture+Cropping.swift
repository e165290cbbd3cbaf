extension Picture {
    /// The rectangle at (`x`, `y`), in whole pixels. Parts beyond the border are black.
    public func cropped(x: Int, y: Int, width newWidth: Int, height newHeight: Int) -> Picture {
        var result = Picture(width: newWidth, height: newHeight)
        let columns = max(0, x)..<max(max(0, x), min(width, x + newWidth))
        guard !columns.isEmpty else { return result }
        for row in 0..<newHeight where y + row >= 0 && y + row < height {
            let from = ((y + row) * width + columns.lowerBound) * 3
            let to = (row * newWidth + columns.lowerBound - x) * 3
            result.pixels.replaceSubrange(to..<to + columns.count * 3, with: pixels[from..<from + columns.count * 3])
        }
        return result
    }
}
