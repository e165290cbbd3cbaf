import CImageCodecs
import Files

/// What was noticed while a picture was decoded, and is no reason to refuse it.
package enum DecodingNote: Hashable, Sendable {
    /// The decoder's warning about data that it decoded all the same.
    case warning(String)
    /// Which page was read (counted from 1), of how many.
    case page(Int, of: Int)
    /// The samples of 16 bits used only so many.
    case bits(Int)
}

extension Picture {
    /// Decodes the JPEG, PNG, TIFF, WebP or JPEG 2000 file at `path`, and turns it upright as EXIF says.
    ///
    /// The format is recognised by the content, not by the suffix. A PNG may have 1 to 16 bits and may be grey,
    /// palette, RGB or with alpha (composed on black). A JPEG may be grey or have three channels. A TIFF may be
    /// whatever libtiff decodes but CMYK; of several pages, the largest is read.
    /// - Parameter minimumSide: if given, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as long as its
    ///   shorter side keeps at least this many pixels. The reduction is an average, done in the DCT domain.
    /// - Throws: `Failure`: `.noSuchInput` if there is no such file; `.badData` if it is not a picture, is truncated,
    ///   damaged, CMYK or larger than `maximumPixelCount`; `.readOrWriteFailed` if the disk fails.
    public init(contentsOf path: String, minimumSide: Int? = nil) throws {
        try self.init(contentsOf: RawPath(path), minimumSide: minimumSide)
    }

    /// The same for a file whose name need not be UTF-8.
    package init(contentsOf path: RawPath, minimumSide: Int? = nil) throws {
        try self.init(decoding: PictureFile.read(path), name: path.shown, minimumSide: minimumSide)
    }

    /// Decodes the picture in `bytes`, as `init(contentsOf:minimumSide:)` does.
    /// - Parameter name: the file's name, for messages.
    /// - Throws: `Failure(.badData)`.
    public init(decoding bytes: [UInt8], name: String, minimumSide: Int? = nil) throws {
        self = try Picture.decoded(bytes, name: name, minimumSide: minimumSide).picture
    }

    /// Decodes the picture in `bytes`, as `init(contentsOf:minimumSide:)` does, and says what was noticed,
    /// and by what factor each side was reduced.
    /// - Throws: `Failure(.badData)`.
    package static func decoded(
        _ bytes: [UInt8], name: String, minimumSide: Int? = nil
    ) throws -> (picture: Picture, notes: [DecodingNote], reduction: Int) {
        if JPEG2000.isRecognised(bytes) { return (try JPEG2000(bytes, name: name).picture(), [], 1) }
        let (header, stored) = try headers(of: bytes, name: name)
        var eighths = 8
        if header.format == .jpeg, let minimumSide {
            while eighths > 1, min(header.width, header.height) * eighths / 16 >= minimumSide { eighths /= 2 }
        }
        let width = (header.width * eighths + 7) / 8, height = (header.height * eighths + 7) / 8
        var noted = FoveaNotes(), layout = stored
        let pixels = try [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
            let (columns, rows, rgb) = (Int32(width), Int32(height), buffer.baseAddress!)
            try Codec.call(name) { message in
                switch header.format {
                case .jpeg:
                    fovea_jpeg_decode(bytes, bytes.count, Int32(eighths), columns, rows, rgb, &noted, message)
                case .png: fovea_png_decode(bytes, bytes.count, columns, rows, rgb, &noted, message)
                case .tiff: fovea_tiff_decode(bytes, bytes.count, &layout, rgb, &noted, message)
                case .webp: fovea_webp_decode(bytes, bytes.count, columns, rows, rgb, message)
                case .jpeg2000: fatalError("JPEG 2000 is decoded above")
                }
            }
            count = width * height * 3
        }
        var notes: [DecodingNote] = []
        let warning = withUnsafeBytes(of: noted.warning) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if !warning.isEmpty { notes.append(.warning(warning.printable)) }
        if header.pages > 1 { notes.append(.page(header.page + 1, of: header.pages)) }
        if noted.bits != 0, noted.bits != 16 { notes.append(.bits(Int(noted.bits))) }
        let picture = Picture(width: width, height: height, pixels: pixels).oriented(header.orientation)
        return (picture, notes, 8 / eighths)
    }
}
