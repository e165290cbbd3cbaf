import CDICOM
import Files

/// What is known by name of the many kinds of DICOM files: which hold photographs, and what the others are.
enum DICOMKind {
    /// The SOP classes that hold photographs: ophthalmic photography of 8 and 16 bits, photography in visible light,
    /// secondary capture, and secondary capture of several frames in colour.
    private static let photographs: Set<String> = ["77.1.5.1", "77.1.5.2", "77.1.4", "7", "7.4"]

    private static let others: [String: String] = [
        "77.1.5.3": "a list of stereo pairs, without pictures of its own",
        "77.1.5.4": "an OCT volume, not a photograph of the retina",
        "77.1.5.5": "a wide-field photograph in a projection of the whole retina, which has no disc to crop to",
        "77.1.5.6": "a wide-field photograph with 3D coordinates, which has no disc to crop to",
        "77.1.5.7": "an OCT picture seen from the front (en face), not a photograph of the retina",
        "77.1.5.8": "an analysis of OCT scans, not a photograph of the retina",
        "7.1": "a grey capture of one bit", "7.2": "a grey capture of several frames",
        "7.3": "a grey capture of several frames",
        "77.1.4.1": "a video", "77.1.1.1": "a video", "77.1.2.1": "a video",
        "81.1": "a map of the thickness of the retina or the cornea",
        "80.1": "a visual field", "79.1": "measurements of the eye",
        "104.1": "a PDF document", "104.2": "a document (CDA)",
        "2": "a CT image", "2.1": "a CT image", "4": "an MR image", "4.1": "an MR image", "1": "an X-ray image",
        "1.1": "an X-ray image", "6.1": "an ultrasound image", "3.1": "an ultrasound image",
        "66.4": "a segmentation, without a photograph", "11.1": "a presentation state, without pictures of its own",
    ]

    private static let storage = "1.2.840.10008.5.1.4.1.1."

    /// Why a file of this SOP class is not read, as a clause; nil if it is read.
    static func refusal(of sopClass: String?) -> String? {
        guard let sopClass else { return "does not say what kind of DICOM file it is (SOP Class UID)" }
        if sopClass == directory {
            return "is the table of contents of a disc (DICOMDIR); the files that it lists are imported by themselves"
        }
        let tail = sopClass.hasPrefix(storage) ? String(sopClass.dropFirst(storage.count)) : ""
        if photographs.contains(tail) { return nil }
        if let other = others[tail] { return "is \(other)" }
        if tail.hasPrefix("88.") { return "is a structured report, without a photograph" }
        let name = fovea_dicom_uid_name(sopClass).map { String(cString: $0) }
        return "is a DICOM file of another kind (\((name ?? sopClass).excerpt)), not a photograph of the retina"
    }

    /// Why pictures in this transfer syntax are not read, as a clause; nil if they are read.
    static func refusal(ofSyntax syntax: String) -> String? {
        let plain = [DICOMEncoding.implicit, DICOMEncoding.explicit, DICOMEncoding.deflated, DICOMEncoding.bigEndian]
        if plain.contains(syntax) || syntax == rle { return nil }
        let advice = "; export it again as JPEG or as uncompressed DICOM"
        let jpegFamily = DICOMEncoding.implicit + ".4."
        guard syntax.hasPrefix(jpegFamily), let number = Int(syntax.dropFirst(jpegFamily.count)) else {
            return "is written in a transfer syntax of its maker's own (\(syntax.excerpt))\(advice)"
        }
        switch number {
        case 50...70, 80, 81, 90, 91: return nil
        case 100...109: return "is a video, not a photograph"
        case 201...203: return "holds High-Throughput JPEG 2000 (HTJ2K), which is not supported\(advice)"
        case 110...112: return "holds JPEG XL, which is not supported\(advice)"
        case 94, 95, 204, 205: return "only refers to its pictures, which are on a server (JPIP)\(advice)"
        default: return "is written in a transfer syntax that is not supported (\(syntax.excerpt))\(advice)"
        }
    }

    /// The SOP class of a DICOMDIR.
    static let directory = "1.2.840.10008.1.3.10"
    static let rle = "1.2.840.10008.1.2.5"
    static let jpeg2000 = ["1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"]
}
