import Pictures

/// The field of view as the pixels show it, wherever rotation, crop or shift has moved it. It is the largest lit region
/// on black, with its holes filled.
package enum LitRegion {
    /// A lit pixel is brighter than this share of the brightness that a twentieth of all pixels reach.
    private static let share: Float = 0.12
    /// A lit pixel is also brighter than this level (of 255), which recompression does not reach on black.
    private static let floor: Float = 8

    /// - Returns: [height, width]; false everywhere if nothing is lit.
    package static func mask(of picture: Picture) -> [Bool] {
        let width = picture.width, height = picture.height
        var histogram = [Int](repeating: 0, count: 256)
        let brightness = (0..<width * height).map { i in
            max(picture.pixels[3 * i], picture.pixels[3 * i + 1], picture.pixels[3 * i + 2])
        }
        for value in brightness { histogram[Int(value)] += 1 }
        var bright = 255, above = 0
        while bright > 0 {
            above += histogram[bright]
            if above * 20 >= width * height { break }
            bright -= 1
        }
        let threshold = max(floor, share * Float(bright))
        let lit = brightness.map { Float($0) > threshold }
        guard let start = largest(lit, width: width, height: height) else { return lit.map { _ in false } }
        let region = flooded(lit, from: [start], width: width, height: height)
        // Pixels belong to the region, too, if they cannot be reached from the border without crossing it.
        let unlit = region.map { !$0 }
        let border = (0..<width * height).filter { i in
            unlit[i] && (i < width || i >= width * (height - 1) || i % width == 0 || i % width == width - 1)
        }
        let surround = flooded(unlit, from: border, width: width, height: height)
        return surround.map { !$0 }
    }

    /// `mask` without the pixels that lie within `distance` pixels (along rows and columns) of its edge or the
    /// picture's edge.
    package static func eroded(_ mask: [Bool], width: Int, height: Int, by distance: Int) -> [Bool] {
        func lines(_ source: [Bool], count: Int, length: Int, line: Int, step: Int) -> [Bool] {
            var result = source
            for start in 0..<count {
                var run = 0
                for position in 0..<length {
                    let i = start * line + position * step
                    run = source[i] ? run + 1 : 0
                    // A pixel stays only if all 2 distance + 1 pixels around it are set.
                    let centre = position - distance
                    if centre >= 0 { result[start * line + centre * step] = run > 2 * distance }
                }
                for position in max(0, length - distance)..<length { result[start * line + position * step] = false }
            }
            return result
        }
        let rows = lines(mask, count: height, length: width, line: width, step: 1)
        return lines(rows, count: width, length: height, line: 1, step: width)
    }

    /// A pixel of the largest connected region; nil if there is no region.
    private static func largest(_ mask: [Bool], width: Int, height: Int) -> Int? {
        var left = mask, best: (start: Int, count: Int)?
        for start in mask.indices where left[start] {
            let count = clear(&left, from: [start], width: width, height: height)
            if count > best?.count ?? 0 { best = (start, count) }
        }
        return best?.start
    }

    /// The part of `mask` that is connected with `starts`.
    private static func flooded(_ mask: [Bool], from starts: [Int], width: Int, height: Int) -> [Bool] {
        var left = mask
        _ = clear(&left, from: starts, width: width, height: height)
        return zip(mask, left).map { $0 && !$1 }
    }

    /// Clears everything that is connected with `starts` along rows and columns, and returns the number of cleared
    /// pixels.
    private static func clear(_ mask: inout [Bool], from starts: [Int], width: Int, height: Int) -> Int {
        mask.withUnsafeMutableBufferPointer { mask in
            var stack: [Int] = [], count = 0
            func visit(_ i: Int) {
                if mask[i] {
                    mask[i] = false
                    stack.append(i)
                }
            }
            for start in starts { visit(start) }
            while let i = stack.popLast() {
                count += 1
                let x = i % width
                if x > 0 { visit(i - 1) }
                if x + 1 < width { visit(i + 1) }
                if i >= width { visit(i - width) }
                if i < width * (height - 1) { visit(i + width) }
            }
            return count
        }
    }
}
