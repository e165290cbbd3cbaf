import CImageCodecs
import Files

extension Picture {
    /// Decodes the JPEG or PNG file at `path`, and turns it upright as EXIF says.
    ///
    /// The format is recognised by the content, not by the suffix. A PNG may have 1 to 16 bits and may be grey,
    /// palette, RGB or with alpha (composed on black). A JPEG may be grey or have three channels.
    /// - Parameter minimumSide: if given, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as long as its
    ///   shorter side keeps at least this many pixels. The reduction is an average, done in the DCT domain.
    /// - Throws: `Failure`: `.noSuchInput` if there is no such file; `.badData` if it is not a picture, is truncated,
    ///   damaged, CMYK or larger than `maximumPixelCount`; `.readOrWriteFailed` if the disk fails.
    public init(contentsOf path: String, minimumSide: Int? = nil) throws {
        try self.init(decoding: PictureFile.read(path), name: path, minimumSide: minimumSide)
    }

    /// Decodes the JPEG or PNG in `bytes`, as `init(contentsOf:minimumSide:)` does.
    /// - Parameter name: the file's name, for messages.
    /// - Throws: `Failure(.badData)`.
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
