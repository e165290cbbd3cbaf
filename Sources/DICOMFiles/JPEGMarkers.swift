import Pictures

/// What the segments before the first scan of a JPEG, JPEG-LS or lossless JPEG stream say.
struct JPEGMarkers {
    /// The second byte of the start-of-frame marker: 0xC0 baseline, 0xC1 extended, 0xC2 progressive, 0xC3 lossless,
    /// 0xF7 JPEG-LS.
    private(set) var process: UInt8 = 0
    private(set) var bits = 0
    private(set) var height = 0
    private(set) var width = 0
    /// The identifiers and the sampling factors (both in one byte) of the components.
    private(set) var identifiers: [UInt8] = []
    private(set) var sampling: [UInt8] = []
    private(set) var hasJFIF = false
    /// The transformation that an Adobe segment states: 0 none, 1 YCbCr.
    private(set) var adobeTransform: UInt8?
    /// Where segments APP1 stand, which may hold EXIF.
    private(set) var exif: [Range<Int>] = []

    /// nil if `bytes` are not such a stream, or have no frame before the first scan.
    init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: [0xFF, 0xD8, 0xFF]) else { return nil }
        for segment in JPEGSegment.beforeScan(in: bytes) {
            read(segment.marker, bytes[segment.content], segment: segment.range)
        }
        guard process != 0 else { return nil }
    }

    private mutating func read(_ marker: UInt8, _ body: ArraySlice<UInt8>, segment: Range<Int>) {
        let body = Array(body)
        switch marker {
        case 0xE0 where body.starts(with: "JFIF\0".utf8): hasJFIF = true
        case 0xE1: exif.append(segment)
        case 0xEE where body.starts(with: "Adobe".utf8) && body.count >= 12: adobeTransform = body[11]
        case 0xC0...0xCF where ![0xC4, 0xC8, 0xCC].contains(marker), 0xF7:
            guard process == 0, body.count >= 6, body.count >= 6 + 3 * Int(body[5]) else { return }
            process = marker
            bits = Int(body[0])
            height = Int(body[1]) << 8 | Int(body[2])
            width = Int(body[3]) << 8 | Int(body[4])
            for component in 0..<Int(body[5]) {
                identifiers.append(body[6 + 3 * component])
                sampling.append(body[7 + 3 * component])
            }
        default: break
        }
    }

    /// Whether libjpeg decodes the stream: 8 bits, in baseline, extended or progressive Huffman coding.
    var isOrdinary: Bool { bits == 8 && (0xC0...0xC2).contains(process) }

    /// Whether three components are YBR, as far as the stream itself tells; nil if it does not.
    var isYBR: Bool? {
        guard identifiers.count == 3 else { return false }
        if hasJFIF { return true }
        if let adobeTransform { return adobeTransform != 0 }
        if identifiers == Array("RGB".utf8) { return false }
        // Only differences of colour are stored with fewer pixels.
        return Set(sampling).count > 1 ? true : nil
    }
}
