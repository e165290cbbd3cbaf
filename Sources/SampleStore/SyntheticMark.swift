import Foundation
import Pictures

/// The mark in a PNG file that says that a trained model made the picture.
package enum SyntheticMark {
    private static let keyword = "XML:com.adobe.xmp"

    /// The text chunk with the IPTC's digital source type (XMP specification part 3, section 1.1.5).
    package static func xmp(_ digitalSourceType: String) -> PNGText {
        let packet = """
            <?xpacket begin="\u{FEFF}" id="W5M0MpCehiHzreSzNTczkc9d"?>
            <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
            <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
            <Iptc4xmpExt:DigitalSourceType>\(digitalSourceType)</Iptc4xmpExt:DigitalSourceType>
            </rdf:Description></rdf:RDF></x:xmpmeta>
            <?xpacket end="r"?>
            """
        return PNGText(keyword, packet, isInternational: true)
    }

    /// The digital source type that the texts of a PNG file name; nil where they name none.
    package static func digitalSourceType(in texts: [String: String]) -> String? {
        guard let packet = texts[keyword] else { return nil }
        let (start, end) = ("<Iptc4xmpExt:DigitalSourceType>", "</Iptc4xmpExt:DigitalSourceType>")
        guard let first = packet.range(of: start), let last = packet.range(of: end), first.upperBound <= last.lowerBound
        else { return nil }
        return String(packet[first.upperBound..<last.lowerBound])
    }
}
