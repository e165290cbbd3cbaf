/// The grey closing of a plane with a square: dark lines that are narrower than the square vanish, and edges stay.
///
/// - Parameters:
///   - plane: [side, side].
///   - reach: the square's side is 2 reach + 1 pixels.
///   - lit: a pixel outside counts for nothing.
func closed(_ plane: [Float], side: Int, reach: Int, lit: [Bool]) -> [Float] {
    let highest = largest(plane.indices.map { lit[$0] ? plane[$0] : -1e9 }, side: side, reach: reach)
    let lowest = largest(highest.indices.map { lit[$0] ? -highest[$0] : -1e9 }, side: side, reach: reach)
    return lowest.indices.map { lit[$0] ? -lowest[$0] : 0 }
}

/// The largest value of the square around each pixel, whose side is 2 reach + 1. [side, side]
func largest(_ plane: [Float], side: Int, reach: Int) -> [Float] {
    func along(_ plane: [Float], step: Int, lines: Int) -> [Float] {
        var result = plane
        plane.withUnsafeBufferPointer { plane in
            result.withUnsafeMutableBufferPointer { result in
                for offset in 1...reach {
                    // Rows: within each line of the picture; columns: the whole plane is one line.
                    for line in 0..<lines {
                        let length = side * side / lines, start = line * length, shift = offset * step
                        for i in start..<start + length - shift { result[i] = max(result[i], plane[i + shift]) }
                        for i in start + shift..<start + length { result[i] = max(result[i], plane[i - shift]) }
                    }
                }
            }
        }
        return result
    }
    return along(along(plane, step: 1, lines: side), step: side, lines: 1)
}
