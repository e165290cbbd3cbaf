/// Reads the only EXIF field that changes how a photograph looks. Everything else in EXIF may identify a patient and is
/// not read.
enum EXIF {
    /// The orientation (tag 0x0112) from a JPEG's APP1 or a PNG's eXIf, 1 to 8. It is 1 if the tag is missing or
    /// malformed.
    static func orientation(of bytes: [UInt8], format: PictureHeader.Format) -> Int {
        let block = format == .jpeg ? jpegBlock(bytes) : pngBlock(bytes)
        return block.flatMap { orientation(tiff: bytes[$0]) } ?? 1
    }

    /// Where the TIFF structure is in a JPEG: behind `Exif\0\0` in a segment FF E1 before the first scan.
    private static func jpegBlock(_ bytes: [UInt8]) -> Range<Int>? {
        var position = 2
        while position + 4 <= bytes.count, bytes[position] == 0xFF {
            let marker = bytes[position + 1]
            if marker == 0xFF {  // fill byte
                position += 1
                continue
            }
            if marker == 0xDA || marker == 0xD9 { return nil }
            if marker == 0x01 || (0xD0...0xD8).contains(marker) {  // markers without a length
                position += 2
                continue
            }
            let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
            let end = position + 2 + length
            guard length >= 2, end <= bytes.count else { return nil }
            let start = position + 4
            if marker == 0xE1, end - start > 6, bytes[start..<start + 6].elementsEqual([0x45, 0x78, 0x69, 0x66, 0, 0]) {
                return start + 6..<end
            }
            position = end
        }
        return nil
    }

    /// Where the TIFF structure is in a PNG: in the chunk eXIf.
    private static func pngBlock(_ bytes: [UInt8]) -> Range<Int>? {
        var position = 8
        while position + 12 <= bytes.count {
            let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            let start = position + 8
            guard length <= bytes.count - start - 4 else { return nil }
            if bytes[position + 4..<start].elementsEqual([0x65, 0x58, 0x49, 0x66]) { return start..<start + length }
            position = start + length + 4
        }
        return nil
    }

    /// Reads tag 0x0112 in the first directory of a TIFF structure of either byte order.
    private static func orientation(tiff: ArraySlice<UInt8>) -> Int? {
        let base = tiff.startIndex
        func byte(_ offset: Int) -> Int? {
            offset >= 0 && offset < tiff.count ? Int(tiff[base + offset]) : nil
        }
        let isLittle: Bool
        switch (byte(0), byte(1)) {
        case (0x49, 0x49): isLittle = true
        case (0x4D, 0x4D): isLittle = false
        default: return nil
        }
        func number(_ offset: Int, bytes count: Int) -> Int? {
            var value = 0
            for i in 0..<count {
                guard let next = byte(isLittle ? offset + count - 1 - i : offset + i) else { return nil }
                value = value << 8 | next
            }
            return value
        }
        guard number(2, bytes: 2) == 42, let directory = number(4, bytes: 4), let entries = number(directory, bytes: 2)
        else {
            return nil
        }
        for entry in 0..<entries {
            let offset = directory + 2 + 12 * entry
            guard let tag = number(offset, bytes: 2) else { return nil }
            if tag == 0x0112 {
                // The value must be one SHORT (type 3). It is in the first two bytes of the value field.
                guard number(offset + 2, bytes: 2) == 3, number(offset + 4, bytes: 4) == 1,
                    let value = number(offset + 8, bytes: 2), (1...8).contains(value)
                else { return nil }
                return value
            }
        }
        return nil
    }
}
