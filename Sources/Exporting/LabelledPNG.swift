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

    static let digestKeyword = SyntheticLabel.digestKeyword
    static let modelKeyword = SyntheticLabel.modelKeyword

    static func data(_ picture: Picture, label: Label) throws -> Data {
        try picture.pngData(texts: [
            PNGText(digestKeyword, label.provenanceDigest), PNGText(modelKeyword, label.modelDigest),
            SyntheticMark.xmp(label.digitalSourceType),
        ])
    }

    /// Reads a file's label.
    /// - Throws: `Failure(.badData)` naming what is missing or damaged.
    static func label(_ png: Data, file: String) throws -> Label {
        let texts = try PNGText.all(in: png, name: file)
        let source = SyntheticMark.digitalSourceType(in: texts)
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
}
