import Files

/// The colours of `PALETTE COLOR`, as PS3.3 C.7.6.3.1.5 defines them.
struct Palette {
    /// The byte of each sample, for red, green and blue.
    let tables: [[UInt8]]

    /// - Throws: `Failure(.badData)` if a table is missing, has an impossible size or is not supported.
    init(_ file: DICOMDataSet, layout: PixelLayout, name: String) throws {
        tables = try (0..<3).map { colour -> [UInt8] in
            let colourName = ["Red", "Green", "Blue"][colour]
            let field = "\(colourName) Palette Color Lookup Table (0028,120\(colour + 1))"
            let descriptor = (file.text(0x0028_1101 + UInt32(colour)) ?? "").split(separator: "\\").compactMap {
                Int($0)
            }
            guard descriptor.count == 3, (0...65_536).contains(descriptor[0]),
                (-32_768...65_535).contains(descriptor[1]), [8, 16].contains(descriptor[2])
            else {
                throw Failure(
                    .badData, name,
                    field: "\(colourName) Palette Color Lookup Table Descriptor (0028,110\(colour + 1))",
                    expected: "a number of colours, the first sample, and 8 or 16 bits",
                    found: file.text(0x0028_1101 + UInt32(colour)) ?? "nothing")
            }
            // A number of 0 means 65536. A first sample may be written without its sign.
            let count = descriptor[0] == 0 ? 65_536 : descriptor[0]
            let first = layout.isSigned && descriptor[1] > 32_767 ? descriptor[1] - 65_536 : descriptor[1]
            guard let bytes = file.bytes(0x0028_1201 + UInt32(colour)), bytes.count >= count else {
                throw Failure(
                    .badData, name, field: field, expected: "\(count) colours",
                    found: "\(file.bytes(0x0028_1201 + UInt32(colour))?.count ?? 0) bytes")
            }
            // Tables of 8 bits are written with a byte a colour, or with two. Tables of 16 bits have two.
            let isWide = bytes.count >= 2 * count
            guard isWide || descriptor[2] == 8 else {
                throw Failure(.badData, name, field: field, expected: "\(2 * count) bytes", found: "\(bytes.count)")
            }
            let entries = (0..<count).map { index -> UInt8 in
                guard isWide else { return bytes[index] }
                if descriptor[2] == 8 { return bytes[2 * index] }
                return UInt8(((Int(bytes[2 * index]) | Int(bytes[2 * index + 1]) << 8) * 255 + 32_767) / 65_535)
            }
            let range = 1 << layout.stored
            return (0..<range).map { code in
                let value = layout.isSigned && code >= range / 2 ? code - range : code
                return entries[max(0, min(count - 1, value - first))]
            }
        }
    }
}
