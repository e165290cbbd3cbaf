import CZlib
import Files
import Foundation
import Pictures
import SampleStore

/// A PNG file that states that a trained model made it. It holds XMP with the IPTC's digital source type, and text
/// chunks with the digests of the pixels and of the model.
enum LabelledPNG {
    /// What the text chunks of a file say.
    struct Label: Hashable {
        /// The IPTC's digital source type.
        var digitalSourceType: String
        /// SHA-256 of the pixels, hexadecimal, as in `/provenance/digest`.
        var provenanceDigest: String
        /// SHA-256 of the model's weights, hexadecimal.
        var modelDigest: String
    }

    static let digestKeyword = "Provenance digest"
    static let modelKeyword = "Model digest"
    private static let xmpKeyword = "XML:com.adobe.xmp"

    static func data(_ picture: Picture, label: Label) throws -> Data {
        var png = try picture.pngData()
        // The chunks go behind IHDR, which is always the first: the signature has 8 bytes, and IHDR has 25.
        png.insert(
            contentsOf: chunk("tEXt", text(digestKeyword, label.provenanceDigest))
                + chunk("tEXt", text(modelKeyword, label.modelDigest))
                + chunk("iTXt", xmp(label.digitalSourceType)), at: 33)
        return png
    }

    /// Reads a file's label.
    /// - Throws: `Failure(.badData)` naming what is missing.
    static func label(_ png: Data, file: String) throws -> Label {
        var texts: [String: String] = [:], source: String?
        try forEachChunk(png, file: file) { kind, content in
            let parts = content.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return }
            let keyword = String(decoding: parts[0], as: UTF8.self)
            if kind == "tEXt" { texts[keyword] = String(decoding: parts[1], as: UTF8.self) }
            if kind == "iTXt", keyword == xmpKeyword {
                source = digitalSourceType(in: String(decoding: parts[1].dropFirst(4), as: UTF8.self))
            }
        }
        func said(_ text: String?, _ what: String) throws -> String {
            guard let text else {
                throw Failure(.badData, file, field: what, expected: "that of the sample", found: "none")
            }
            return text
        }
        return Label(
            digitalSourceType: try said(source, "XMP DigitalSourceType"),
            provenanceDigest: try said(texts[digestKeyword], digestKeyword),
            modelDigest: try said(texts[modelKeyword], modelKeyword))
    }

    private static func text(_ keyword: String, _ value: String) -> Data { Data(keyword.utf8) + [0] + Data(value.utf8) }

    /// The content of an uncompressed iTXt chunk without a language (XMP specification part 3, section 1.1.5).
    private static func xmp(_ digitalSourceType: String) -> Data {
        let packet = """
            <?xpacket begin="\u{FEFF}" id="W5M0MpCehiHzreSzNTczkc9d"?>
            <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
            <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
            <Iptc4xmpExt:DigitalSourceType>\(digitalSourceType)</Iptc4xmpExt:DigitalSourceType>
            </rdf:Description></rdf:RDF></x:xmpmeta>
            <?xpacket end="r"?>
            """
        return Data(xmpKeyword.utf8) + [0, 0, 0, 0, 0] + Data(packet.utf8)
    }

    private static func digitalSourceType(in packet: String) -> String? {
        let (start, end) = ("<Iptc4xmpExt:DigitalSourceType>", "</Iptc4xmpExt:DigitalSourceType>")
        guard let first = packet.range(of: start), let last = packet.range(of: end), first.upperBound <= last.lowerBound
        else { return nil }
        return String(packet[first.upperBound..<last.lowerBound])
    }

    private static func chunk(_ kind: String, _ content: Data) -> Data {
        let body = Data(kind.utf8) + content
        return bigEndian(UInt32(content.count)) + body + bigEndian(checksum(body))
    }

    private static func checksum(_ data: Data) -> UInt32 {
        UInt32(data.withUnsafeBytes { crc32(0, $0.bindMemory(to: UInt8.self).baseAddress, UInt32($0.count)) })
    }

    private static func bigEndian(_ value: UInt32) -> Data { withUnsafeBytes(of: value.bigEndian) { Data($0) } }

    /// Calls `body` with every chunk, after checking the chunk's checksum.
    private static func forEachChunk(_ png: Data, file: String, _ body: (String, Data) -> Void) throws {
        func number(_ offset: Int) -> Int { png[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
        let png = Data(png)
        var position = 8
        while position + 12 <= png.count {
            let length = number(position), end = position + 12 + length
            guard length <= png.count, end <= png.count, number(end - 4) == Int(checksum(png[position + 4..<end - 4]))
            else {
                throw Failure(.badData, file, "is damaged: a chunk of the PNG file is not what its checksum says")
            }
            body(String(decoding: png[position + 4..<position + 8], as: UTF8.self), png[position + 8..<end - 4])
            position = end
        }
    }
}
