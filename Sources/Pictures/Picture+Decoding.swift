import CImageCodecs
import Files

extension Picture {
    /// Decodes the JPEG or PNG file at `path`, upright (EXIF orientation applied).
    ///
    /// The format is told by the content, not the suffix. PNG may have 1 to 16 bits, grey, palette, RGB, alpha
    /// (composed on black); JPEG grey or three channels.
    /// - Parameter minimumSide: where given, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size as long as its
    ///   shorter side keeps at least that many pixels; the reduction is an average, done in the DCT domain.
    /// - Throws: `Failure`: `.noSuchInput` where there is no such file, `.badData` where it is not a picture, is
    ///   truncated, damaged, CMYK or larger than `maximumPixelCount`, `.readOrWriteFailed` where the disk fails.
    public init(contentsOf path: String, minimumSide: Int? = nil) throws {
        try self.init(decoding: PictureFile.read(path), name: path, minimumSide: minimumSide)
    }

    /// Decodes the JPEG or PNG in `bytes`; otherwise as `init(contentsOf:minimumSide:)`.
    /// - Parameter name: the file's name, for messages.
    public init(decoding bytes: [UInt8], name: String, minimumSide: Int? = nil) throws {
        let header = try Picture.header(of: bytes, name: name)
        var eighths = 8
        if header.format == .jpeg, let minimumSide {
            while eighths > 1, min(header.width, header.height) * eighths / 16 >= minimumSide { eighths /= 2 }
        }
        let width = (header.width * eighths + 7) / 8, height = (header.height * eighths + 7) / 8
        let pixels = try [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
            try Codec.call(name) { message in
                header.format == .jpeg
                    ? fovea_jpeg_decode(
                        bytes, bytes.count, Int32(eighths), Int32(width), Int32(height), buffer.baseAddress!, message)
                    : fovea_png_decode(bytes, bytes.count, Int32(width), Int32(height), buffer.baseAddress!, message)
            }
            count = width * height * 3
        }
        self = Picture(width: width, height: height, pixels: pixels).oriented(header.orientation)
    }
}
