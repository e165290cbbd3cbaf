/// Reads the only EXIF field that changes how a photograph looks. Everything else in EXIF may identify a patient and is
/// not read.
enum EXIF {
    /// The orientation (tag 0x0112), 1 to 8, from the first EXIF block of a file that states one. It is 1 if none does.
    static func orientation(of bytes: [UInt8], format: PictureHeader.Format) -> Int {
        let metadata =
            switch format {
            case .jpeg: PictureMetadata(jpeg: bytes)
            case .png: PictureMetadata(png: bytes)
            case .webp: PictureMetadata(webp: bytes)
            case .tiff, .jpeg2000: PictureMetadata()
            }
        return metadata.exif.lazy.compactMap { orientation(tiff: $0) }.first ?? 1
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
                // The standard wants one SHORT. Other writers store a whole number of another width, which stands at
                // the start of the value field, too.
                guard let type = number(offset + 2, bytes: 2), let width = widths[type],
                    let count = number(offset + 4, bytes: 4), count > 0, count * width <= 4,
                    let value = number(offset + 8, bytes: width), (1...8).contains(value)
                else { return nil }
                return value
            }
        }
        return nil
    }

    /// The bytes of a value by the type of a TIFF entry: BYTE, SHORT, LONG, and the same with a sign.
    private static let widths = [1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4]
}
