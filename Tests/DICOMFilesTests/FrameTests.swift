import DICOMFiles
import Files
import Foundation
import Support
import Testing

/// The fixtures, with the pixels that pydicom decodes from them; `Tools/reference/dicom_fixtures.py` made both.
struct DICOMFixtures: Decodable {
    struct Entry: Decodable {
        let frames: Int
        let offset: Int
    }

    let width: Int
    let height: Int
    let files: [String: Entry]

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
        .path

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
    }

    static let all = try! JSONDecoder().decode(
        DICOMFixtures.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/expected.json")))
    static let pixels = try! bytes("expected.rgb")

    /// The pixels of one frame of a fixture.
    static func expected(_ name: String, frame: Int) -> ArraySlice<UInt8> {
        let size = all.width * all.height * 3
        let start = all.files[name]!.offset + frame * size
        return pixels[start..<start + size]
    }
}

@Suite("Frames of DICOM files")
struct FrameTests {
    /// Files whose codec may round differently from one library to another, with the largest difference of a sample.
    static let rounding = [
        "ybr_full": 1, "ybr_full_422": 1, "j2k_ybr_full_without_mct": 1, "jpeg_lossless_ybr_called_rgb": 1,
        "j2k_ict": 1,
        "jpeg_extended12": 1,
        "jpeg_422": 3, "jpeg_frames": 3, "jpeg_jfif_called_rgb": 3, "jpeg_rgb_called_ybr": 3,
        "jpeg_unmarked_called_rgb": 3, "jpeg_unmarked_rgb": 3,
    ]

    @Test("every frame has the pixels that pydicom reads", arguments: DICOMFixtures.all.files.keys.sorted())
    func pixels(_ name: String) throws {
        let entry = try #require(DICOMFixtures.all.files[name])
        let bytes = try DICOMFixtures.bytes("\(name).dcm")
        #expect(DICOMFile.isRecognised(bytes) && DICOMFile.isRecognised(Array(bytes.prefix(2048))))
        let file = try DICOMFile(bytes, name: name)
        #expect(file.frameCount == entry.frames)
        #expect(DICOMFile.nature(of: RawPath("\(DICOMFixtures.folder)/\(name).dcm")) == .frames(entry.frames))
        for frame in 0..<entry.frames {
            let picture = try file.picture(frame: frame)
            #expect(picture.width == DICOMFixtures.all.width && picture.height == DICOMFixtures.all.height)
            let expected = DICOMFixtures.expected(name, frame: frame)
            try #require(picture.pixels.count == expected.count)
            let worst = zip(picture.pixels, expected).map { abs(Int($0) - Int($1)) }.max()!
            #expect(worst <= FrameTests.rounding[name] ?? 0, "frame \(frame) differs by \(worst)")
        }
    }
}
