/// A segment of a JPEG, JPEG-LS or lossless JPEG stream that has a length.
package struct JPEGSegment {
    /// The second byte of its marker.
    package let marker: UInt8
    /// Where it stands, with its marker and its length.
    package let range: Range<Int>
    /// Where its content stands.
    package var content: Range<Int> { range.lowerBound + 4..<range.upperBound }

    /// The segments before the first scan, up to the first that is damaged.
    /// - Parameter bytes: a stream that begins with FF D8.
    package static func beforeScan(in bytes: [UInt8]) -> [JPEGSegment] {
        var segments: [JPEGSegment] = [], position = 2
        while position + 4 <= bytes.count, bytes[position] == 0xFF {
            let marker = bytes[position + 1]
            if marker == 0xFF {  // fill byte
                position += 1
                continue
            }
            if marker == 0xDA || marker == 0xD9 { break }
            if marker == 0x01 || (0xD0...0xD8).contains(marker) {  // markers without a length
                position += 2
                continue
            }
            let end = position + 2 + Int(bytes[position + 2]) << 8 + Int(bytes[position + 3])
            guard end >= position + 4, end <= bytes.count else { break }
            segments.append(JPEGSegment(marker: marker, range: position..<end))
            position = end
        }
        return segments
    }
}
