extension TextBox {
    /// Whether the pixels may be a letter: not too large, of strokes instead of a blob, with sharp edges.
    /// - Parameter tallest: the height of the largest letters in pixels.
    func isLetter(in picture: Picture, tallest: Int) -> Bool {
        let longer = max(width, height), shorter = min(width, height)
        guard longer >= 5, shorter <= tallest, longer <= 8 * shorter || longer <= tallest, area >= 6
        else { return false }
        let fill = Float(area) / Float(width * height)
        // A straight stroke, such as an I, fills its box; other letters leave much of it empty.
        let isStroke = shorter * 5 <= longer * 2
        guard fill >= 0.15, isStroke || fill <= (longer < 16 ? 0.8 : 0.7) else { return false }
        return edgeShare(in: picture) >= 0.6
    }

    /// The share of the pixels at the edge that differ clearly from what lies two or three pixels further out.
    private func edgeShare(in picture: Picture) -> Float {
        let own = Set(pixels)
        var sharp = 0, all = 0
        for place in pixels {
            let x = place % picture.width, y = place / picture.width
            for (dx, dy) in [(1, 0), (-1, 0), (0, 1), (0, -1)]
            where !own.contains(place + dx + dy * picture.width) {
                all += 1
                let isSharp = (1...3).contains { far in
                    let farX = x + far * dx, farY = y + far * dy
                    guard farX >= 0, farY >= 0, farX < picture.width, farY < picture.height else { return false }
                    let inside = picture[x, y], outside = picture[farX, farY]
                    return (0..<3).contains { abs(Int(inside[$0]) - Int(outside[$0])) >= 45 }
                }
                if isSharp { sharp += 1 }
            }
        }
        return all == 0 ? 0 : Float(sharp) / Float(all)
    }
}
