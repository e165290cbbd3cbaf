import Files

/// Tells the formats of pictures by the first bytes of a file; suffixes are often wrong.
enum PictureSignature {
    /// - Throws: `Failure(.badData)` for an empty file, and for a format that is not read, by its name where it is
    ///   known.
    static func format(of bytes: [UInt8], name: String) throws -> PictureHeader.Format {
        guard !bytes.isEmpty else { throw Failure(.badData, name, "is empty") }
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
        // Little and big endian, each as TIFF and as BigTIFF.
        let tiffs: [[UInt8]] = [
            [0x49, 0x49, 42, 0], [0x4D, 0x4D, 0, 42], [0x49, 0x49, 43, 0], [0x4D, 0x4D, 0, 43],
        ]
        if tiffs.contains(where: bytes.starts(with:)) { return .tiff }
        if holds("RIFF", in: bytes, at: 0), holds("WEBP", in: bytes, at: 8) { return .webp }
        if JPEG2000.isRecognised(bytes) { return .jpeg2000 }
        if let other = others.first(where: { holds($0.signature, in: bytes, at: $0.offset) }) {
            throw Failure(
                .badData, name,
                "is \(other.name), which is not read" + (other.isPicture ? "; convert it to PNG or TIFF" : ""))
        }
        if bytes.allSatisfy({ $0 == 0 }) {
            throw Failure(.badData, name, "holds nothing but zeros, as after a copy that was interrupted")
        }
        throw Failure(.badData, name, "is not a JPEG, PNG, TIFF, WebP or JPEG 2000 file")
    }

    private static let others: [(name: String, signature: String, offset: Int, isPicture: Bool)] = [
        ("a BMP file", "BM", 0, true),
        ("a GIF file", "GIF8", 0, true),
        ("a HEIC file", "ftypheic", 4, true),
        ("a HEIC file", "ftypheix", 4, true),
        ("a HEIF file", "ftypmif1", 4, true),
        ("an AVIF file", "ftypavif", 4, true),
        ("a DICOM file", "DICM", 128, true),
        ("a Photoshop file", "8BPS", 0, true),
        ("a PDF file", "%PDF", 0, true),
        ("a web page", "<!DOCTYPE html", 0, false),
        ("a web page", "<html", 0, false),
        ("a git-lfs pointer in place of a picture", "version https://git-lfs", 0, false),
        ("an archive", "PK\u{3}\u{4}", 0, false),
    ]

    private static func holds(_ signature: String, in bytes: [UInt8], at offset: Int) -> Bool {
        bytes.dropFirst(offset).starts(with: signature.utf8)
    }
}
