import CImageCodecs
import Files
import Foundation

/// Reads JPEG 2000: bare codestreams (.j2k, .j2c, and the frames of DICOM files) and JP2 files.
package struct JPEG2000 {
    package let width: Int
    package let height: Int
    /// Channels as stored, 1 to 4; 1 for a palette.
    package let channels: Int
    package let bits: Int
    private let bytes: [UInt8]
    private let name: String

    /// Whether `bytes` begin as a codestream or a JP2 file does.
    package static func isRecognised(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.starts(with: [0xFF, 0x4F, 0xFF, 0x51])
            || bytes.starts(with: [0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20, 0x0D, 0x0A, 0x87, 0x0A])
    }

    /// Reads the header.
    /// - Parameter name: the file's name, for messages.
    /// - Throws: `Failure(.badData)` if it is damaged, CMYK, too large, or has more than 16 bits a sample.
    package init(_ bytes: [UInt8], name: String) throws {
        var header = FoveaJPEG2000Header()
        try Codec.call(name) { fovea_jpeg2000_header(bytes, bytes.count, &header, $0) }
        (width, height) = (Int(header.width), Int(header.height))
        (channels, bits) = (Int(header.channels), Int(header.bit_depth))
        try Picture.requireSize(width: width, height: height, name: name)
        (self.bytes, self.name) = (bytes, name)
    }

    /// The header as the other codecs state it; 0 if there is no failure.
    static func header(
        _ bytes: [UInt8], _ header: inout FoveaImageHeader, _ message: UnsafeMutablePointer<CChar>
    ) -> Int32 {
        var own = FoveaJPEG2000Header()
        let failed = fovea_jpeg2000_header(bytes, bytes.count, &own, message)
        (header.width, header.height, header.channels, header.bit_depth) = (
            own.width, own.height, own.channels, own.bit_depth
        )
        return failed
    }

    /// What was decoded, and what the file says about its colours.
    package struct Decoded {
        package let samples: PictureSamples
        /// Whether the codestream held the colours transformed, so that the samples are RGB.
        package let wasTransformed: Bool
        /// Whether a JP2 file says that the samples are YBR.
        package let isYBR: Bool
        /// Whether the codestream holds signed numbers. The samples are raised so that the lowest is 0.
        package let wasSigned: Bool
    }

    /// - Throws: `Failure(.badData)` if the codestream is damaged or ends too early.
    package func decoded() throws -> Decoded {
        var header = FoveaJPEG2000Header()
        var result: UnsafeMutablePointer<UInt16>?
        try Codec.call(name) { fovea_jpeg2000_decode(bytes, bytes.count, &header, &result, $0) }
        defer { free(result) }
        let count = Int(header.width) * Int(header.height) * Int(header.channels)
        let samples = PictureSamples(
            width: Int(header.width), height: Int(header.height), channels: Int(header.channels),
            bits: Int(header.bit_depth), values: Array(UnsafeBufferPointer(start: result, count: count)))
        return Decoded(
            samples: samples, wasTransformed: header.is_transformed != 0, isYBR: header.is_ycc != 0,
            wasSigned: header.is_signed != 0)
    }

    /// The picture of a file of its own, in the colours that it states.
    package func picture() throws -> Picture {
        let decoded = try decoded()
        return decoded.samples.picture(isYBR: decoded.isYBR && !decoded.wasTransformed)
    }
}
