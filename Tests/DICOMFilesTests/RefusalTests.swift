import DICOMFiles
import Files
import Pictures
import Support
import TestPictures
import Testing

@Suite("DICOM files that are not read")
struct RefusalTests {
    private let storage = "1.2.840.10008.5.1.4.1.1."

    @Test(
        "other kinds of files are refused by name",
        arguments: [
            ("77.1.5.4", "is an OCT volume"), ("77.1.5.5", "is a wide-field photograph"), ("2", "is a CT image"),
            ("104.1", "is a PDF document"), ("88.33", "is a structured report"),
            ("77.1.3", "is a DICOM file of another kind (VLSlideCoordinatesMicroscopicImageStorage)"),
            ("9999.1", "is a DICOM file of another kind (1.2.840.10008.5.1.4.1.1.9999.1)"),
        ])
    func kinds(_ tail: String, _ sentence: String) {
        let file = DICOMBuilder(Picture(width: 8, height: 6), sopClass: storage + tail)
        expectFailure(.badData, sentence) { try DICOMFile(file.bytes, name: "a.dcm") }
    }

    @Test(
        "what cannot be decoded is refused by name",
        arguments: [
            ("1.2.840.10008.1.2.4.201", "HTJ2K"), ("1.2.840.10008.1.2.4.102", "is a video"),
            ("1.2.840.10008.1.2.4.110", "JPEG XL"), ("1.2.840.10008.1.2.4.94", "on a server"),
            ("1.3.46.670589.33.1.4.1", "of its maker's own"),
        ])
    func syntaxes(_ syntax: String, _ sentence: String) {
        var file = DICOMBuilder(Picture(width: 8, height: 6))
        file.syntax = syntax
        expectFailure(.badData, sentence) { try DICOMFile(file.bytes, name: "a.dcm") }
    }

    /// A file with one fragment of pixel data in a compressed syntax.
    private func compressed(_ syntax: String, _ fragment: [UInt8]) -> [UInt8] {
        compressed(syntax, [fragment])
    }

    /// - Parameter offsets: where the frames begin behind the table, if the file says so.
    private func compressed(_ syntax: String, _ fragments: [[UInt8]], offsets: [Int] = []) -> [UInt8] {
        var file = DICOMBuilder(Picture(width: 8, height: 6))
        file.syntax = syntax
        file.elements[0x7FE0_0010] = nil
        if !offsets.isEmpty { file.elements[0x0028_0008] = .text("\(offsets.count)", vr: "IS") }
        func length(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(count >> (8 * $0) & 255) } }
        let head: [UInt8] = [0xE0, 0x7F, 0x10, 0, 0x4F, 0x42, 0, 0, 255, 255, 255, 255]
        var items: [UInt8] = []
        for item in [offsets.flatMap(length)] + fragments {
            items += [0xFE, 0xFF, 0, 0xE0] + length(item.count) + item
        }
        return file.bytes + head + items + [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]
    }

    @Test(
        "pixels that are not what the syntax says are encrypted or a maker's own",
        arguments: [("4.90", "JPEG 2000"), ("4.50", "JPEG"), ("4.70", "JPEG"), ("4.80", "JPEG"), ("5", "RLE")])
    func encrypted(_ syntax: String, _ name: String) throws {
        let noise = (0..<400).map { UInt8(($0 * 37 + 11) % 251) }
        let file = try DICOMFile(compressed("1.2.840.10008.1.2.\(syntax)", noise), name: "a.dcm")
        expectFailure(.badData, "claims to hold \(name), but its pixel data do not begin as \(name) does") {
            try file.picture(frame: 0)
        }
    }

    @Test("frames that begin before the ones in front of them")
    func disorder() {
        let fragments = (0..<4).map { [UInt8](repeating: UInt8($0), count: 8) }
        expectFailure(.badData, "Number of Frames (0028,0008): expected what its 4 fragments of pixel data hold") {
            try DICOMFile(compressed("1.2.840.10008.1.2.4.50", fragments, offsets: [0, 32, 16]), name: "a.dcm")
        }
    }

    @Test("segments of RLE that leave the file")
    func runs() throws {
        func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * UInt32($0)) & 255) } }
        let header: [UInt32] = [3, 64, 0x8300_0000, 100] + [UInt32](repeating: 0, count: 12)
        let fragment = header.flatMap(little) + [UInt8](repeating: 0, count: 200)
        let file = try DICOMFile(compressed("1.2.840.10008.1.2.5", fragment), name: "a.dcm")
        expectFailure(.badData, "its RLE data do not fit") { try file.picture(frame: 0) }
    }

    @Test("sizes, samples and frames that cannot be")
    func contradictions() {
        func expect(_ sentence: String, _ change: (inout DICOMBuilder) -> Void) {
            var file = DICOMBuilder(Picture(width: 8, height: 6))
            change(&file)
            expectFailure(.badData, sentence) {
                let file = try DICOMFile(file.bytes, name: "a.dcm")
                _ = try file.picture(frame: file.frameCount - 1)
            }
        }
        expect("Rows (0028,0010): expected 1 to 65535, found nothing") { $0.elements[0x0028_0010] = nil }
        expect("at most 16384 pixels a side") { $0.elements[0x0028_0011] = .word(16_385) }
        expect("Photometric Interpretation (0028,0004)") { $0.elements[0x0028_0004] = .text("CMYK", vr: "CS") }
        expect("MONOCHROME1, MONOCHROME2 or PALETTE COLOR") { $0.elements[0x0028_0002] = .word(1) }
        expect("Bits Allocated (0028,0100): expected 8 or 16, found 12") { $0.elements[0x0028_0100] = .word(12) }
        expect("is truncated") { $0.elements[0x0028_0008] = .text("3", vr: "IS") }
        expect("Number of Frames (0028,0008)") { $0.elements[0x0028_0008] = .text("2000000", vr: "IS") }
        expect("holds no pixel data") { $0.elements[0x7FE0_0010] = nil }
        expect("Red Palette Color Lookup Table Descriptor") {
            $0.elements[0x0028_0002] = .word(1)
            $0.elements[0x0028_0004] = .text("PALETTE COLOR", vr: "CS")
        }
        expect("Red Palette Color Lookup Table Descriptor") {
            $0.elements[0x0028_0002] = .word(1)
            $0.elements[0x0028_0004] = .text("PALETTE COLOR", vr: "CS")
            for colour in 1...3 {
                $0.elements[0x0028_1100 + UInt32(colour)] = .text("48\\9223372036854775807\\8")
                $0.elements[0x0028_1200 + UInt32(colour)] = .bytes([UInt8](repeating: 0, count: 48))
            }
        }
    }

    @Test("other files are no DICOM files")
    func others() {
        for bytes in [[], [8, 0], Array("DICM".utf8), [UInt8](repeating: 8, count: 4096), [0xFF, 0xD8, 0xFF, 0xE0]] {
            #expect(!DICOMFile.isRecognised(bytes))
        }
    }
}
