import CImageCodecs

/// The blocks of a picture file that hold EXIF, and the texts of a PNG.
struct PictureMetadata {
    /// TIFF structures, in the order of the file.
    var exif: [ArraySlice<UInt8>] = []

    init() {}

    /// The segments FF E1 before the first scan that begin with `Exif\0\0`.
    init(jpeg bytes: [UInt8]) {
        for segment in JPEGSegment.beforeScan(in: bytes) where segment.marker == 0xE1 {
            add(withPrefix: bytes[segment.content])
        }
    }

    /// The chunks eXIf, and texts that ImageMagick and others name `Raw profile type exif` or `APP1`.
    init(png bytes: [UInt8]) {
        for chunk in PNGChunk.all(in: bytes) {
            if chunk.type == "eXIf" {
                exif.append(chunk.content)
            } else if let keyword = chunk.keyword,
                ["Raw profile type exif", "Raw profile type APP1"].contains(keyword),
                let profile = chunk.text.flatMap(PictureMetadata.rawProfile)
            {
                add(withPrefix: profile[...])
            }
        }
    }

    /// The chunks EXIF of a WebP in the extended form.
    init(webp bytes: [UInt8]) {
        var position = 12
        while position + 8 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[position + 4 + $1]) << (8 * $1) }
            let start = position + 8
            guard length <= bytes.count - start else { return }
            if bytes[position..<position + 4].elementsEqual("EXIF".utf8) {
                add(withPrefix: bytes[start..<start + length])
            }
            position = start + length + length % 2
        }
    }

    /// Adds a block that may begin with `Exif\0\0`.
    private mutating func add(withPrefix block: ArraySlice<UInt8>) {
        if block.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) {
            exif.append(block.dropFirst(6))
        } else if block.starts(with: [0x49, 0x49]) || block.starts(with: [0x4D, 0x4D]) {
            exif.append(block)
        }
    }

    /// The bytes of a raw profile: its name of one or two words, its length in decimal, and hexadecimal digits.
    private static func rawProfile(_ text: [UInt8]) -> [UInt8]? {
        let words = text.split { $0 == 10 || $0 == 13 || $0 == 32 }
        let numbers = words.map { Int(String(decoding: $0, as: UTF8.self)) }
        guard let place = numbers.firstIndex(where: { $0 != nil }), let length = numbers[place], length >= 0 else {
            return nil
        }
        var bytes: [UInt8] = [], high: UInt8?
        for digit in words.dropFirst(place + 1).joined() {
            guard let value = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
            if let first = high {
                bytes.append(first << 4 | UInt8(value))
                high = nil
            } else {
                high = UInt8(value)
            }
        }
        return bytes.count >= length ? Array(bytes.prefix(length)) : nil
    }
}

/// A chunk of a PNG file.
struct PNGChunk {
    let type: String
    let content: ArraySlice<UInt8>

    /// The chunks up to the first that is cut off.
    static func all(in bytes: [UInt8]) -> [PNGChunk] {
        var chunks: [PNGChunk] = []
        var position = 8
        while position + 12 <= bytes.count {
            let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            let start = position + 8
            guard length <= bytes.count - start - 4 else { break }
            let type = String(decoding: bytes[position + 4..<start], as: UTF8.self)
            chunks.append(PNGChunk(type: type, content: bytes[start..<start + length]))
            position = start + length + 4
        }
        return chunks
    }

    /// The keyword of a text; nil for another chunk.
    var keyword: String? {
        guard ["tEXt", "zTXt", "iTXt"].contains(type), let end = content.firstIndex(of: 0) else { return nil }
        return String(decoding: content[..<end], as: UTF8.self)
    }

    /// The bytes of a text, unpacked; nil for another chunk, and where the text is damaged or longer than 8 MiB.
    var text: [UInt8]? {
        guard keyword != nil, let end = content.firstIndex(of: 0) else { return nil }
        let rest = content[(end + 1)...]
        switch type {
        case "tEXt": return Array(rest)
        case "zTXt": return rest.first == 0 ? PNGChunk.unpacked(rest.dropFirst()) : nil
        default:
            // Whether it is packed, the method, the language and the keyword in that language.
            guard let isPacked = rest.first, let language = rest.dropFirst(2).firstIndex(of: 0),
                let translated = rest[(language + 1)...].firstIndex(of: 0)
            else { return nil }
            let body = rest[(translated + 1)...]
            return isPacked == 0 ? Array(body) : PNGChunk.unpacked(body)
        }
    }

    /// Whether the text is compressed.
    var isPacked: Bool {
        guard let end = keyword == nil ? nil : content.firstIndex(of: 0) else { return false }
        return type == "zTXt" || (type == "iTXt" && content[(end + 1)...].first == 1)
    }

    private static let longestText = 8 << 20

    private static func unpacked(_ packed: ArraySlice<UInt8>) -> [UInt8]? {
        let bytes = Array(packed)
        // zlib packs at most about a thousand to one.
        let capacity = min(longestText, bytes.count * 1100 + 64)
        return try? [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            try Codec.call("a text") { message in
                fovea_inflate(bytes, bytes.count, buffer.baseAddress!, capacity, &count, message)
            }
        }
    }
}
