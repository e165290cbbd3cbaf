import Files

/// Samples of 1 to 16 bits before they become a picture: [height, width, channels], row-major.
package struct PictureSamples: Sendable {
    package let width: Int
    package let height: Int
    package let channels: Int
    /// The bits of a sample, so that the brightest is 2^bits - 1.
    package let bits: Int
    package let values: [UInt16]

    package init(width: Int, height: Int, channels: Int, bits: Int, values: [UInt16]) {
        guard (1...16).contains(bits), values.count == width * height * channels else {
            fatalError("PictureSamples \(width) x \(height) x \(channels) of \(bits) bits: \(values.count) values")
        }
        (self.width, self.height, self.channels, self.bits, self.values) = (width, height, channels, bits, values)
    }

    /// The picture, with 255 for the brightest sample. One channel is grey, and so is the first of two, of which the
    /// second is transparency; of four, the fourth is transparency. Both are left out.
    /// - Parameter isYBR: whether three channels are luminance, blue and red difference over the full range
    ///   (ITU-T T.871).
    package func picture(isYBR: Bool) -> Picture {
        if isYBR && channels >= 3 { return fromYBR() }
        let scale = PictureSamples.scale(bits: bits)
        return picture(red: scale, green: scale, blue: scale)
    }

    /// The picture in which a sample is replaced by what the table for red, green or blue has at its place. One channel
    /// is looked up in all three tables. Samples beyond the end of a table take its last value.
    package func picture(red: [UInt8], green: [UInt8], blue: [UInt8]) -> Picture {
        var pixels = [UInt8](repeating: 0, count: width * height * 3)
        pixels.withUnsafeMutableBufferPointer { pixels in
            values.withUnsafeBufferPointer { values in
                for (channel, table) in [red, green, blue].enumerated() {
                    let from = channels < 3 ? 0 : channel
                    table.withUnsafeBufferPointer { table in
                        for pixel in 0..<width * height {
                            let value = Int(values[pixel * channels + from])
                            pixels[pixel * 3 + channel] = table[min(value, table.count - 1)]
                        }
                    }
                }
            }
        }
        return Picture(width: width, height: height, pixels: pixels)
    }

    /// Whether black is written as YBR writes it, or as RGB writes it; nil if the picture has too little black to tell.
    ///
    /// Around the disc, a photograph of the retina is black. In RGB all three samples are then near 0, and in YBR the
    /// two differences of colour are near half of the range.
    package var blackIsYBR: Bool? {
        guard channels >= 3 else { return nil }
        let dark = UInt16((1 << bits) / 16), half = UInt16(1 << (bits - 1))
        var blackRGB = 0, blackYBR = 0
        values.withUnsafeBufferPointer { values in
            for pixel in 0..<width * height {
                let start = pixel * channels
                let first = values[start], second = values[start + 1], third = values[start + 2]
                guard first < dark else { continue }
                if second < dark, third < dark { blackRGB += 1 }
                if max(second, half) - min(second, half) < dark, max(third, half) - min(third, half) < dark {
                    blackYBR += 1
                }
            }
        }
        guard max(blackRGB, blackYBR) * 100 >= width * height else { return nil }
        return blackYBR > blackRGB
    }

    /// 0...255 for each sample of `bits` bits, rounded.
    package static func scale(bits: Int) -> [UInt8] {
        let highest = (1 << bits) - 1
        return (0...highest).map { UInt8(($0 * 255 + highest / 2) / highest) }
    }

    private func fromYBR() -> Picture {
        let scale = 255 / Float((1 << bits) - 1), half = Float(1 << (bits - 1))
        var pixels = [UInt8](repeating: 0, count: width * height * 3)
        func byte(_ value: Float) -> UInt8 { UInt8(max(0, min(255, (value * scale).rounded()))) }
        pixels.withUnsafeMutableBufferPointer { pixels in
            values.withUnsafeBufferPointer { values in
                for pixel in 0..<width * height {
                    let y = Float(values[pixel * channels])
                    let blue = Float(values[pixel * channels + 1]) - half
                    let red = Float(values[pixel * channels + 2]) - half
                    pixels[pixel * 3] = byte(y + 1.402 * red)
                    pixels[pixel * 3 + 1] = byte(y - 0.344136 * blue - 0.714136 * red)
                    pixels[pixel * 3 + 2] = byte(y + 1.772 * blue)
                }
            }
        }
        return Picture(width: width, height: height, pixels: pixels)
    }
}
