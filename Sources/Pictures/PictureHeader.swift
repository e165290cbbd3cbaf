import CImageCodecs
import Files

/// What a picture file says about itself before anything is decoded.
public struct PictureHeader: Hashable, Sendable {
    public enum Format: String, Sendable {
        case jpeg = "JPEG"
        case png = "PNG"
        case tiff = "TIFF"
        case webp = "WebP"
        case jpeg2000 = "JPEG 2000"
    }

    public let format: Format
    /// Pixels in a row as stored, before `orientation` is applied.
    public let width: Int
    public let height: Int
    /// Channels as stored: 1 for grey or a palette, 2 for grey and alpha, 3 for RGB or YCbCr, 4 for RGB and alpha.
    public let channels: Int
    public let bitDepth: Int
    /// EXIF orientation, 1 to 8; 1 if the file does not say.
    public let orientation: Int
    /// The page that is decoded, counted from 0, and the number of pages that are not reduced copies of others. Only a
    /// TIFF has several.
    public let page: Int
    public let pages: Int
}

extension Picture {
    /// Limits on what is decoded. They are checked against the header before memory is allocated, because a file of a
    /// few bytes can claim gigabytes. The largest fundus cameras make about 50 megapixels.
    public static let maximumSide = 16384
    public static let maximumPixelCount = 100_000_000

    /// Reads the header of the picture in `bytes`.
    /// - Parameter name: the file's name, for messages.
    /// - Throws: `Failure(.badData)` if it is not a JPEG, PNG, TIFF, WebP or JPEG 2000, is damaged, CMYK or too large.
    public static func header(of bytes: [UInt8], name: String) throws -> PictureHeader {
        try headers(of: bytes, name: name).header
    }

    /// The header, and the same as the C codecs state it.
    static func headers(of bytes: [UInt8], name: String) throws -> (header: PictureHeader, stored: FoveaImageHeader) {
        let format = try PictureSignature.format(of: bytes, name: name)
        var header = FoveaImageHeader()
        try Codec.call(name) { message in
            switch format {
            case .jpeg: fovea_jpeg_header(bytes, bytes.count, &header, message)
            case .png: fovea_png_header(bytes, bytes.count, &header, message)
            case .tiff: fovea_tiff_header(bytes, bytes.count, &header, message)
            case .webp: fovea_webp_header(bytes, bytes.count, &header, message)
            case .jpeg2000: JPEG2000.header(bytes, &header, message)
            }
        }
        let width = Int(header.width), height = Int(header.height)
        try requireSize(width: width, height: height, name: name)
        let orientation =
            format == .tiff ? Int(header.orientation) : EXIF.orientation(of: bytes, format: format)
        return (
            PictureHeader(
                format: format, width: width, height: height, channels: Int(header.channels),
                bitDepth: Int(header.bit_depth), orientation: (1...8).contains(orientation) ? orientation : 1,
                page: Int(header.page), pages: max(1, Int(header.pages))),
            header
        )
    }

    /// - Throws: `Failure(.badData)` for a side of 0, and for more than `maximumSide` or `maximumPixelCount`.
    package static func requireSize(width: Int, height: Int, name: String) throws {
        guard width > 0, height > 0, width <= maximumSide, height <= maximumSide, width * height <= maximumPixelCount
        else {
            throw Failure(
                .badData, name, field: "size",
                expected: "at most \(maximumSide) pixels a side and \(maximumPixelCount / 1_000_000) megapixels",
                found: "\(width) x \(height)")
        }
    }

    /// Reads the header of the picture at `path`.
    /// - Throws: `Failure`: the same as `init(contentsOf:minimumSide:)`.
    public static func header(contentsOf path: String) throws -> PictureHeader {
        try header(of: PictureFile.read(RawPath(path)), name: path)
    }
}
