import Files
import Foundation
import Pictures

/// A DICOM file with photographs: one, or several as frames.
///
/// It is recognised by its content. What is used of its header is the closed list of `DICOMHeader`, and what the header
/// says of colours is not believed where the compressed pictures say something else.
package final class DICOMFile {
    package let header: DICOMHeader
    package let frameCount: Int
    let name: String
    let syntax: String
    let layout: PixelLayout
    let dataSet: DICOMDataSet
    /// Which fragments hold which frame; nil if the pictures are not compressed.
    let fragments: FrameFragments?
    /// The width of its frames, in pixels.
    package var width: Int { layout.columns }
    /// Whether its frames are grey, as red-free photographs are.
    package var isGrey: Bool { layout.samples == 1 && layout.colours != .palette }

    /// Larger files cannot be photographs of the eye.
    private static let mostBytes = 1 << 30
    /// More frames than a series of photographs of one eye has.
    private static let mostFrames = 1000

    /// Whether the file that begins with `bytes` is a DICOM file. 2048 bytes suffice.
    package static func isRecognised(_ bytes: [UInt8]) -> Bool { DICOMEncoding(bytes) != nil }

    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - name: its name, for messages.
    /// - Throws: `Failure(.badData)` with a sentence if it is not a DICOM file, is damaged, or is of a kind or in a
    ///   transfer syntax that is not read.
    package init(_ bytes: [UInt8], name: String) throws {
        guard let encoding = DICOMEncoding(bytes) else { throw Failure(.badData, name, "is not a DICOM file") }
        func require(_ refusal: String?) throws { if let refusal { throw Failure(.badData, name, refusal) } }
        // Both are judged before the rest is read, because that may be of any size.
        if let sopClass = encoding.sopClass { try require(DICOMKind.refusal(of: sopClass)) }
        try require(DICOMKind.refusal(ofSyntax: encoding.syntax))
        dataSet = try DICOMDataSet(
            encoding.dataSet(of: bytes, limit: DICOMFile.mostBytes, name: name), syntax: encoding.syntax, name: name)
        try require(DICOMKind.refusal(of: dataSet.text(0x0008_0016) ?? encoding.sopClass))
        (self.name, syntax) = (name, encoding.syntax)
        header = DICOMHeader(dataSet)
        layout = try PixelLayout(dataSet, name: name)
        frameCount = try DICOMFile.frameCount(dataSet, name: name)
        guard dataSet.fragmentCount != nil else {
            fragments = nil
            guard dataSet.bytes(0x7FE0_0010) != nil else {
                throw Failure(
                    .badData, name,
                    dataSet.pixelsAreWhole ? "holds no pixel data" : "is truncated: its pixel data are missing")
            }
            return
        }
        guard let fragments = FrameFragments(dataSet, frameCount: frameCount) else {
            throw Failure(
                .badData, name, field: "Number of Frames (0028,0008)",
                expected: "what its \(dataSet.fragmentCount ?? 0) fragments of pixel data hold", found: "\(frameCount)")
        }
        self.fragments = fragments
    }

    /// What the file at a path is, for a list of photographs.
    package enum Nature: Equatable {
        /// It is no DICOM file.
        case other
        /// It is the table of contents of a disc.
        case directory
        /// It is a DICOM file of this many frames. A file that cannot be read, or holds no photograph, counts as one,
        /// so that whoever reads it gets the reason.
        case frames(Int)
    }

    /// Looks at the header alone.
    package static func nature(of path: RawPath) -> Nature {
        // Most headers have fewer bytes than this. It takes longer to read more from a slow disk.
        guard let start = prefix(of: path, 1 << 14), let encoding = DICOMEncoding(start) else { return .other }
        if encoding.sopClass == DICOMKind.directory { return .directory }
        guard encoding.syntax != DICOMEncoding.deflated else {
            let file = try? DICOMFile(PictureFile.read(path), name: path.shown)
            return .frames(file?.frameCount ?? 1)
        }
        for byteCount in [1 << 14, 1 << 20] {
            guard let start = prefix(of: path, byteCount),
                let dataSet = try? DICOMDataSet(
                    Array(start.dropFirst(encoding.start)), syntax: encoding.syntax, isHeader: true, name: path.shown)
            else { break }
            if dataSet.endWasReached { return .frames((try? frameCount(dataSet, name: path.shown)) ?? 1) }
        }
        return .frames(1)
    }

    /// The first bytes of a file; nil if it cannot be read.
    private static func prefix(of path: RawPath, _ byteCount: Int) -> [UInt8]? {
        let descriptor = path.withCString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
        guard descriptor >= 0 else { return nil }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        return (try? file.read(upToCount: byteCount)).map { [UInt8]($0) }
    }

    private static func frameCount(_ dataSet: DICOMDataSet, name: String) throws -> Int {
        guard let text = dataSet.text(0x0028_0008) else { return 1 }
        guard let count = dataSet.integer(0x0028_0008), (1...mostFrames).contains(count) else {
            throw Failure(
                .badData, name, field: "Number of Frames (0028,0008)", expected: "1 to \(mostFrames)", found: text)
        }
        return count
    }
}
