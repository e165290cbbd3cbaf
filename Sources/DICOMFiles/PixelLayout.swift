import Files
import Pictures

/// How the header of a DICOM file describes its pixels.
struct PixelLayout {
    let rows: Int
    let columns: Int
    /// Samples of a pixel: 1 or 3.
    let samples: Int
    /// Bits that a sample takes: 8 or 16.
    let allocated: Int
    /// Bits of a sample that mean something, and the highest of them.
    let stored: Int
    let highBit: Int
    let isSigned: Bool
    /// Whether all samples of one colour stand before those of the next.
    let isPlanar: Bool
    let colours: Colours

    /// The photometric interpretations that are read.
    enum Colours: String {
        case rgb = "RGB"
        case full = "YBR_FULL"
        case full422 = "YBR_FULL_422"
        case irreversible = "YBR_ICT"
        case reversible = "YBR_RCT"
        case palette = "PALETTE COLOR"
        case darkIsZero = "MONOCHROME2"
        case brightIsZero = "MONOCHROME1"

        var samples: Int {
            switch self {
            case .palette, .darkIsZero, .brightIsZero: 1
            default: 3
            }
        }
    }

    private enum Tag {
        static let samples: UInt32 = 0x0028_0002
        static let interpretation: UInt32 = 0x0028_0004
        static let planar: UInt32 = 0x0028_0006
        static let rows: UInt32 = 0x0028_0010
        static let columns: UInt32 = 0x0028_0011
        static let allocated: UInt32 = 0x0028_0100
        static let stored: UInt32 = 0x0028_0101
        static let highBit: UInt32 = 0x0028_0102
        static let representation: UInt32 = 0x0028_0103
    }

    /// - Throws: `Failure(.badData)` if something is missing, contradicts itself, is not supported or is too large.
    init(_ file: DICOMDataSet, name: String) throws {
        func required(_ tag: UInt32, _ field: String, _ range: ClosedRange<Int>) throws -> Int {
            let text = file.text(tag)
            guard let number = file.integer(tag), range.contains(number) else {
                let expected =
                    range.lowerBound == range.upperBound
                    ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
                throw Failure(.badData, name, field: field, expected: expected, found: text ?? "nothing")
            }
            return number
        }
        rows = try required(Tag.rows, "Rows (0028,0010)", 1...65_535)
        columns = try required(Tag.columns, "Columns (0028,0011)", 1...65_535)
        try Picture.requireSize(width: columns, height: rows, name: name)
        let written = file.text(Tag.interpretation)?.uppercased()
        samples = try required(Tag.samples, "Samples per Pixel (0028,0002)", 1...3)
        // A header that does not say it is understood where it can mean one thing alone.
        guard let colours = written.map({ Colours(rawValue: $0) }) ?? (samples == 3 ? .rgb : .darkIsZero),
            colours.samples == samples
        else {
            throw Failure(
                .badData, name, field: "Photometric Interpretation (0028,0004)",
                expected: samples == 1
                    ? "MONOCHROME1, MONOCHROME2 or PALETTE COLOR for one sample a pixel"
                    : "RGB, YBR_FULL, YBR_FULL_422, YBR_ICT or YBR_RCT for \(samples) samples a pixel",
                found: written ?? "nothing")
        }
        self.colours = colours
        allocated = try required(Tag.allocated, "Bits Allocated (0028,0100)", 8...16)
        guard allocated % 8 == 0 else {
            throw Failure(
                .badData, name, field: "Bits Allocated (0028,0100)", expected: "8 or 16", found: "\(allocated)")
        }
        stored =
            file.text(Tag.stored) == nil
            ? allocated : try required(Tag.stored, "Bits Stored (0028,0101)", 1...allocated)
        highBit =
            file.text(Tag.highBit) == nil
            ? stored - 1 : try required(Tag.highBit, "High Bit (0028,0102)", stored - 1...allocated - 1)
        isSigned = file.integer(Tag.representation) == 1
        isPlanar = samples == 3 && file.integer(Tag.planar) == 1
    }

    /// The bytes of a frame that is not compressed.
    var frameByteCount: Int { rows * columns * samples * allocated / 8 }

    /// The samples in the bytes of a frame, side by side. The sign of signed samples is still a bit.
    func samples(_ bytes: UnsafeBufferPointer<UInt8>, isPlanar: Bool) -> PictureSamples {
        let pixels = rows * columns, samples = samples
        let shift = highBit + 1 - stored, mask = UInt16((1 << stored) - 1)
        let width = allocated / 8
        var values = [UInt16](repeating: 0, count: pixels * samples)
        values.withUnsafeMutableBufferPointer { values in
            for sample in 0..<samples {
                for pixel in 0..<pixels {
                    let from = (isPlanar ? sample * pixels + pixel : pixel * samples + sample) * width
                    let word = width == 1 ? UInt16(bytes[from]) : UInt16(bytes[from]) | UInt16(bytes[from + 1]) << 8
                    values[pixel * samples + sample] = word >> shift & mask
                }
            }
        }
        return PictureSamples(width: columns, height: rows, channels: samples, bits: stored, values: values)
    }

    /// The samples in the bytes of a frame of `YBR_FULL_422`, in which two neighbours share their colour.
    func samplesOfPairs(_ bytes: UnsafeBufferPointer<UInt8>) -> PictureSamples {
        var values = [UInt16](repeating: 0, count: rows * columns * 3)
        for pixel in 0..<rows * columns {
            let pair = pixel / 2 * 4
            values[pixel * 3] = UInt16(bytes[pair + pixel % 2])
            values[pixel * 3 + 1] = UInt16(bytes[pair + 2])
            values[pixel * 3 + 2] = UInt16(bytes[pair + 3])
        }
        return PictureSamples(width: columns, height: rows, channels: 3, bits: 8, values: values)
    }
}
