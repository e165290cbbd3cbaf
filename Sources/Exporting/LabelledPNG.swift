import Files
import Foundation
import Pictures
import SampleStore

/// A PNG file that says of itself that a trained model made it: XMP with the IPTC's digital source type, and text
/// chunks with the digest of the pixels and of the model.
enum LabelledPNG {
    /// What the text chunks of a file say.
    struct Label: Hashable {
        /// IPTC digital source type.
        var digitalSourceType: String
        /// SHA-256 of the pixels, hexadecimal: `/provenance/digest`.
        var provenanceDigest: String
        /// SHA-256 of the model's weights, hexadecimal.
        var modelDigest: String
    }

    static let digestKeyword = "Provenance digest"
    static let modelKeyword = "Model digest"
    private static let xmpKeyword = "XML:com.adobe.xmp"

    static func data(_ picture: Picture, label: Label) throws -> Data {
        try picture.pngData(texts: [
            PNGText(digestKeyword, label.provenanceDigest), PNGText(modelKeyword, label.modelDigest),
            PNGText(xmpKeyword, xmp(label.digitalSourceType), isInternational: true),
        ])
    }

    /// Reads a file's label.
    /// - Throws: `Failure(.badData)` naming what is missing or damaged.
    static func label(_ png: Data, file: String) throws -> Label {
        let texts = try PNGText.all(in: png, name: file)
        let source = texts[xmpKeyword].flatMap(digitalSourceType)
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

    /// XMP specification part 3, section 1.1.5.
    private static func xmp(_ digitalSourceType: String) -> String {
        """
        <?xpacket begin="\u{FEFF}" id="W5M0MpCehiHzreSzNTczkc9d"?>
        <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
        <Iptc4xmpExt:DigitalSourceType>\(digitalSourceType)</Iptc4xmpExt:DigitalSourceType>
        </rdf:Description></rdf:RDF></x:xmpmeta>
        <?xpacket end="r"?>
        """
    }

    private static func digitalSourceType(in packet: String) -> String? {
        let (start, end) = ("<Iptc4xmpExt:DigitalSourceType>", "</Iptc4xmpExt:DigitalSourceType>")
        guard let first = packet.range(of: start), let last = packet.range(of: end), first.upperBound <= last.lowerBound
        else { return nil }
        return String(packet[first.upperBound..<last.lowerBound])
    }
}
