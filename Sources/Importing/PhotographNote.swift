import Pictures

/// What an import does with a photograph that seems to have letters inside its field of view.
public enum BurnedInTextPolicy: String, Sendable, CaseIterable, Codable {
    /// Keeps it and names it in the report.
    case flag
    case refuse
}

/// Something about a photograph that is no reason to refuse it, and that a person may want to know.
public struct PhotographNote: Hashable, Sendable, Codable {
    public enum Kind: String, Codable, Sendable {
        /// The decoder warned, and decoded all pixels.
        case warning
        /// The file has several pages, of which one was read.
        case pages
        /// The samples of 16 bits use only a part of their range.
        case bits
        /// The disc fills only a small part of the frame.
        case smallDisc
        /// The DICOM file holds a grey picture.
        case grey
        /// It lies in a folder of previews, and no larger copy was found.
        case preview
        /// Letters seem to be written into the photograph inside the field of view.
        case text
    }

    let kind: Kind
    let detail: String

    init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    init(_ note: DecodingNote) {
        switch note {
        case .warning(let text): self.init(.warning, "the decoder says: \(text)")
        case .page(let page, let count):
            self.init(.pages, "the file has \(count) pages, and only page \(page), the largest, was read")
        case .bits(let bits): self.init(.bits, "its 16-bit samples have \(bits) bits, and were scaled by these")
        }
    }
}
