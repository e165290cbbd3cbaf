/// A TIFF file without compression, written by hand.
package struct TIFFBytes {
    /// One page.
    package struct Page {
        package var width: Int
        package var height: Int
        /// Samples in the order of the file, of `bits` each.
        package var samples: [UInt16]
        package var bits = 8
        package var channels = 3
        package var orientation = 1
        /// 1 for a reduced copy of another page.
        package var kind = 0
        /// 0 where white is 0, 1 where black is, 2 for RGB.
        package var photometric = 2

        package init(width: Int, height: Int, samples: [UInt16]) {
            self.width = width
            self.height = height
            self.samples = samples
        }
    }

    package var pages: [Page]
    package var isLittle = true

    package init(_ pages: [Page]) { self.pages = pages }

    private func number(_ value: Int, _ bytes: Int) -> [UInt8] {
        let little = (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        return isLittle ? little : little.reversed()
    }

    /// The file.
    package var bytes: [UInt8] {
        var file = (isLittle ? [0x49, 0x49] : [0x4D, 0x4D]) + number(42, 2) + number(0, 4)
        var link = 4
        for page in pages {
            let strip = file.count
            file += page.samples.flatMap { number(Int($0), page.bits / 8) }
            if file.count % 2 == 1 { file.append(0) }
            // BitsPerSample of three channels does not fit its entry.
            let depths = file.count
            file += (0..<page.channels).flatMap { _ in number(page.bits, 2) }
            let directory = file.count
            file.replaceSubrange(link..<link + 4, with: number(directory, 4))
            let bits = page.channels == 1 ? (1, page.bits) : (page.channels, depths)
            let entries: [(tag: Int, type: Int, count: Int, value: Int)] = [
                (254, 4, 1, page.kind), (256, 4, 1, page.width), (257, 4, 1, page.height), (258, 3, bits.0, bits.1),
                (259, 3, 1, 1), (262, 3, 1, page.photometric), (273, 4, 1, strip), (274, 3, 1, page.orientation),
                (277, 3, 1, page.channels), (278, 4, 1, page.height),
                (279, 4, 1, page.samples.count * page.bits / 8), (284, 3, 1, 1),
            ]
            file += number(entries.count, 2)
            for entry in entries {
                let isShort = entry.type == 3 && entry.count == 1
                file += number(entry.tag, 2) + number(entry.type, 2) + number(entry.count, 4)
                file += isShort ? number(entry.value, 2) + [0, 0] : number(entry.value, 4)
            }
            link = file.count
            file += number(0, 4)
        }
        return file
    }
}

extension TIFFBytes.Page {
    /// The pixels of a picture, of 8 or 16 bits.
    package init(_ width: Int, _ height: Int, pixels: [UInt8], scaledBy factor: UInt16? = nil) {
        self.init(width: width, height: height, samples: pixels.map { UInt16($0) * (factor ?? 1) })
        bits = factor == nil ? 8 : 16
    }
}
