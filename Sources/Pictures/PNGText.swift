import CImageCodecs
import Foundation

/// A text in a PNG file (PNG specification, section 11.3.3).
public struct PNGText: Hashable, Sendable {
    /// 1 to 79 characters of Latin-1, without spaces at either end.
    public let keyword: String
    public let value: String
    /// Whether it is UTF-8 in an iTXt chunk, instead of Latin-1 in a tEXt chunk.
    public let isInternational: Bool

    public init(_ keyword: String, _ value: String, isInternational: Bool = false) {
        self.keyword = keyword
        self.value = value
        self.isInternational = isInternational
    }

    /// The texts that stand before the pixels, by keyword; of several with one keyword the last.
    /// - Parameter name: the file's name, for errors.
    /// - Throws: `Failure(.badData)` where it is no PNG, or a chunk before the pixels has a wrong checksum.
    public static func all(in png: Data, name: String) throws -> [String: String] {
        var texts: [String: String] = [:]
        try Codec.call(name) { message in
            withUnsafeMutablePointer(to: &texts) { texts in
                png.withUnsafeBytes { bytes in
                    fovea_png_texts(
                        bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, texts,
                        { context, keyword, value in
                            guard let context, let keyword, let value else { return }
                            let texts = context.assumingMemoryBound(to: [String: String].self)
                            texts.pointee[String(cString: keyword)] = String(cString: value)
                        }, message)
                }
            }
        }
        return texts
    }
}
