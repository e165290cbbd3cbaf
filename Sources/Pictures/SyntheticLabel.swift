import CImageCodecs

/// What a picture file says about being no photograph: the mark of Fovea's own exports, and the IPTC's digital source
/// type, which other programs write, too.
package enum SyntheticLabel: Hashable, Sendable {
    /// The text chunks with the digests of the sample and of its model.
    case fovea
    /// The attribute Synthetic Data (0008,001C) of a DICOM file.
    case dicom
    /// A digital source type.
    case sourceType(String)

    /// The keywords of Fovea's text chunks in a PNG.
    package static let digestKeyword = "Provenance digest"
    package static let modelKeyword = "Model digest"

    /// A clause that follows the file's name.
    package var sentence: String {
        switch self {
        case .fovea: "is a synthetic picture made by Fovea, as the label in the file says"
        case .dicom: "is a synthetic picture, as the DICOM header says (0008,001C)"
        case .sourceType(let type): "is a synthetic picture, as the label in the file says (\(type))"
        }
    }

    /// Terms of the IPTC's list of digital source types for what was not taken by a camera, with what precedes them in
    /// a file. The first two stand out alone; the others are common words.
    private static let terms = [
        ("trainedAlgorithmicMedia", ""), ("compositeWithTrainedAlgorithmicMedia", ""),
        ("algorithmicMedia", "digitalsourcetype/"), ("compositeSynthetic", "digitalsourcetype/"),
    ]

    /// Looks in the whole file, because every format has another place for such a label (XMP in a JPEG, PNG, TIFF or
    /// WebP, or a C2PA manifest), and in the packed texts of a PNG.
    package static func found(in bytes: [UInt8]) -> SyntheticLabel? {
        let chunks = bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) ? PNGChunk.all(in: bytes) : []
        let keywords = Set(chunks.compactMap(\.keyword))
        if keywords.contains(digestKeyword), keywords.contains(modelKeyword) { return .fovea }
        if let type = sourceType(in: bytes) { return .sourceType(type) }
        for chunk in chunks where chunk.isPacked {
            if let type = chunk.text.flatMap(sourceType) { return .sourceType(type) }
        }
        return nil
    }

    private static func sourceType(in bytes: [UInt8]) -> String? {
        terms.first { term, before in
            let text = Array((before + term).utf8)
            return fovea_holds(bytes, bytes.count, text, text.count) == 1
        }?.0
    }
}
