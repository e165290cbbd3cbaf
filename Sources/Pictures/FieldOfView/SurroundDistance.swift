/// How much each pixel's colour differs from the dark (or grey) surround of a fundus photograph.
struct SurroundDistance {
    let width: Int
    let height: Int
    /// [height, width]: the largest difference over the channels, after a 3 x 3 mean, in levels from 0 to 255.
    let values: [Float]
    /// Separates the surround, with its noise, from the field of view; in levels.
    let threshold: Float
    /// The 95th percentile of `values`.
    let bright: Float

    /// The surround's colour comes from the medians of the corners that agree, so that a letter in one corner does not
    /// count.
    init(_ picture: Picture) {
        width = picture.width
        height = picture.height
        let channels = (0..<3).map { SurroundDistance.smoothed(picture, channel: $0) }
        let (width, height) = (width, height)
        let side = max(2, min(width, height) / 20)
        let corners: [[Int]] = [(0, 0), (width - side, 0), (0, height - side), (width - side, height - side)].map {
            corner in
            (0..<side * side).map { (corner.1 + $0 / side) * width + corner.0 + $0 % side }
        }
        let medians = corners.map { corner in
            channels.map { channel in SurroundDistance.median(corner.map { channel[$0] }) }
        }
        // Each corner forms a group with the corners of about the same colour. The largest group wins; among groups of
        // equal size, the darkest wins.
        let groups = medians.map { one in
            medians.indices.filter { other in zip(one, medians[other]).allSatisfy { abs($0 - $1) <= 12 } }
        }
        let winner = groups.indices.min { a, b in
            (-groups[a].count, medians[a].reduce(0, +)) < (-groups[b].count, medians[b].reduce(0, +))
        }!
        let members = groups[winner]
        let surround = (0..<3).map { c in members.map { medians[$0][c] }.reduce(0, +) / Float(members.count) }
        var values = [Float](repeating: 0, count: width * height)
        for i in values.indices {
            values[i] = max(
                abs(channels[0][i] - surround[0]), abs(channels[1][i] - surround[1]), abs(channels[2][i] - surround[2]))
        }
        let noise = SurroundDistance.median(members.flatMap { corners[$0].map { values[$0] } })
        var sorted = stride(from: 0, to: values.count, by: 7).map { values[$0] }
        sorted.sort()
        bright = sorted.isEmpty ? 0 : sorted[sorted.count * 95 / 100]
        // The rim is darker than the middle, so that an eighth of the brightness is half-way up its edge. The median of
        // the largest of three noisy channels is near one deviation, and five of these deviations leave no speck in a
        // picture.
        threshold = max(6, 5 * noise, bright / 8)
        self.values = values
    }

    private static func median(_ values: [Float]) -> Float {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }

    /// One channel after a 3 x 3 mean, [height, width].
    private static func smoothed(_ picture: Picture, channel: Int) -> [Float] {
        let width = picture.width, height = picture.height
        var across = [Float](repeating: 0, count: width * height), result = across
        for y in 0..<height {
            for x in 0..<width {
                let left = (y * width + max(0, x - 1)) * 3 + channel
                let middle = (y * width + x) * 3 + channel
                let right = (y * width + min(width - 1, x + 1)) * 3 + channel
                across[y * width + x] = Float(
                    Int(picture.pixels[left]) + Int(picture.pixels[middle]) + Int(picture.pixels[right]))
            }
        }
        for y in 0..<height {
            let above = max(0, y - 1) * width, below = min(height - 1, y + 1) * width
            for x in 0..<width {
                result[y * width + x] = (across[above + x] + across[y * width + x] + across[below + x]) / 9
            }
        }
        return result
    }

    /// The two largest 4-connected sets of pixels above a level, [height, width], the largest first. One that there is
    /// not is empty.
    /// - Parameter level: nil for the threshold.
    func largestComponents(above level: Float? = nil) -> [(mask: [Bool], count: Int)] {
        let threshold = level ?? threshold
        var label = [Int32](repeating: 0, count: values.count)
        var best: [(label: Int32, count: Int)] = [(0, 0), (0, 0)]
        var next: Int32 = 0
        var stack: [Int] = []
        for start in values.indices where label[start] == 0 && values[start] > threshold {
            next += 1
            var count = 0
            label[start] = next
            stack.append(start)
            while let pixel = stack.popLast() {
                count += 1
                let x = pixel % width
                for (neighbour, isInside) in [
                    (pixel - 1, x > 0), (pixel + 1, x + 1 < width), (pixel - width, pixel >= width),
                    (pixel + width, pixel + width < values.count),
                ] where isInside && label[neighbour] == 0 && values[neighbour] > threshold {
                    label[neighbour] = next
                    stack.append(neighbour)
                }
            }
            if count > best[1].count { best[1] = (next, count) }
            if best[1].count > best[0].count { best.swapAt(0, 1) }
        }
        return best.map { found in (label.map { $0 == found.label && found.label != 0 }, found.count) }
    }

    /// The bounds of what is bright in a picture that is nearly all surround; nil where nothing is. The threshold
    /// follows the brightest pixels, because the disc may fill less than a thousandth of the frame.
    func smallRegion() -> (x: Range<Int>, y: Range<Int>)? {
        let sorted = values.sorted()
        let brightest = sorted.isEmpty ? 0 : sorted[sorted.count * 9995 / 10_000]
        guard brightest >= 16 else { return nil }
        let region = largestComponents(above: max(threshold, brightest / 8))[0]
        guard region.count * 2500 >= values.count else { return nil }
        var x = (width, 0), y = (height, 0)
        for place in region.mask.indices where region.mask[place] {
            x = (min(x.0, place % width), max(x.1, place % width + 1))
            y = (min(y.0, place / width), max(y.1, place / width + 1))
        }
        return (x.0..<x.1, y.0..<y.1)
    }
}
