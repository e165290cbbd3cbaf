import CImageCodecs
import Files
import Foundation

extension Picture {
    /// The picture as a PNG file of 8-bit RGB, without other metadata than `texts`.
    /// - Throws: `Failure(.badData)` if no memory is left or a side is 0.
    public func pngData(texts: [PNGText] = []) throws -> Data {
        let copies = texts.map { (strdup($0.keyword), strdup($0.value), $0.isInternational) }
        defer { for (keyword, value, _) in copies { free(keyword); free(value) } }
        let own = copies.map { FoveaPNGText(keyword: $0, text: $1, is_international: $2 ? 1 : 0) }
        return try encoded { rgb, result, count, message in
            fovea_png_encode(rgb, Int32(width), Int32(height), own, Int32(own.count), result, count, message)
        }
    }

    /// The picture as a JPEG file (4:4:4, without metadata).
    /// - Parameter quality: 1 to 100, on libjpeg's scale.
    /// - Throws: `Failure(.badData)` if no memory is left or a side is 0.
    public func jpegData(quality: Int = 90) throws -> Data {
        try encoded { rgb, result, count, message in
            fovea_jpeg_encode(rgb, Int32(width), Int32(height), Int32(quality), result, count, message)
        }
    }

    private func encoded(
        _ encode: (
            UnsafePointer<UInt8>?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>,
            UnsafeMutablePointer<CChar>
        ) -> Int32
    ) throws -> Data {
        var result: UnsafeMutablePointer<UInt8>?
        var count = 0
        try Codec.call("picture") { message in
            pixels.withUnsafeBufferPointer { encode($0.baseAddress, &result, &count, message) }
        }
        guard let result else { throw Failure(.badData, "picture", "could not be encoded") }
        defer { fovea_codec_free(result) }
        return Data(bytes: result, count: count)
    }
}
