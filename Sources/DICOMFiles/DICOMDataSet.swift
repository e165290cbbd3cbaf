import CDICOM
import Files

/// The elements of a DICOM file, over DCMTK. One thread at a time may use it.
final class DICOMDataSet {
    private let handle: OpaquePointer
    /// Whether all was read up to the end, or up to the pixel data.
    let endWasReached: Bool
    /// Whether the file goes on at least to the end of its pixel data. DCMTK fills up what is missing.
    let pixelsAreWhole: Bool

    /// More items than any photograph has. DCMTK reads items inside items by recursion, so that their number has to be
    /// bounded before.
    private static let mostItems = 20_000

    /// - Parameters:
    ///   - bytes: the data set, inflated.
    ///   - syntax: the UID of the transfer syntax in which it is written.
    ///   - isHeader: whether the bytes are cut off, and reading ends in front of the pixel data.
    /// - Throws: `Failure(.badData)` if nothing can be read, or if there are too many items.
    init(_ bytes: [UInt8], syntax: String, isHeader: Bool = false, name: String) throws {
        let items = DICOMDataSet.itemCount(bytes)
        guard items <= DICOMDataSet.mostItems else {
            throw Failure(
                .badData, name,
                "has more than \(DICOMDataSet.mostItems) items in its header and its pictures, which no photograph has"
            )
        }
        var handle: OpaquePointer?
        var isWhole: Int32 = 0
        // A deflated data set was inflated to explicit little endian.
        let written = syntax == DICOMEncoding.deflated ? DICOMEncoding.explicit : syntax
        try DICOMDataSet.call(name) { message in
            fovea_dicom_open(bytes, bytes.count, written, items, isHeader ? 1 : 0, &handle, &isWhole, message)
        }
        self.handle = handle!
        endWasReached = isWhole != 0
        pixelsAreWhole = isWhole != 0 || DICOMDataSet.pixelsEnd(handle!, bytes)
    }

    deinit { fovea_dicom_close(handle) }

    /// Calls `body` with a buffer for a message, and throws that message if `body` does not return 0.
    static func call(_ name: String, _ body: (UnsafeMutablePointer<CChar>) -> Int32) throws {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(FOVEA_DICOM_MESSAGE_SIZE)) { message in
            message.initialize(repeating: 0)
            guard body(message.baseAddress!) == 0 else {
                let said = String(cString: message.baseAddress!).printable
                // The file may be whole.
                let isOfMachine = ["no memory", "the system gives", "DCMTK's dictionary"].contains {
                    said.hasPrefix($0)
                }
                throw isOfMachine
                    ? Failure(.readOrWriteFailed, name, said)
                    : Failure(.badData, name, "is a damaged DICOM file: \(said)")
            }
        }
    }

    /// The text of an element, of which those before it are the sequences around it; nil if it is missing or empty.
    func text(_ tags: UInt32...) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1025) { buffer in
            guard fovea_dicom_text(handle, tags, Int32(tags.count), buffer.baseAddress, buffer.count) == 0 else {
                return nil
            }
            let trimmed = String(cString: buffer.baseAddress!).drop { $0 == " " }
            let text = String(trimmed.reversed().drop { $0 == " " || $0 == "\0" }.reversed())
            return text.isEmpty ? nil : text
        }
    }

    /// The first value of an element as a number; nil if there is none.
    func number(_ tag: UInt32) -> Double? {
        guard let first = text(tag)?.split(separator: "\\").first else { return nil }
        let number = Double(first.filter { $0 != " " })
        return number.flatMap { $0.isFinite ? $0 : nil }
    }

    /// The first value of an element as a whole number of at most 32 bits; nil if there is none.
    func integer(_ tag: UInt32) -> Int? {
        number(tag).flatMap { Int32(exactly: $0).map(Int.init) }
    }

    /// The bytes of an element, with words in little endian; nil if it is missing.
    func bytes(_ tag: UInt32) -> UnsafeBufferPointer<UInt8>? {
        var result = FoveaDICOMBytes()
        guard fovea_dicom_bytes(handle, tag, &result) == 0 else { return nil }
        return UnsafeBufferPointer(start: result.bytes, count: result.count)
    }

    /// The number of fragments of compressed pixel data; nil if the pixel data are not compressed.
    var fragmentCount: Int? {
        let count = Int(fovea_dicom_fragment_count(handle))
        return count < 0 ? nil : count
    }

    /// The bytes of a fragment; those of the table of offsets for -1.
    func fragment(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        var result = FoveaDICOMBytes()
        guard fovea_dicom_fragment(handle, Int32(index), &result) == 0 else { return .init(start: nil, count: 0) }
        return UnsafeBufferPointer(start: result.bytes, count: result.count)
    }

    /// Decodes a compressed frame of `byteCount` bytes.
    /// - Throws: `Failure(.badData)`.
    func decode(frame: Int, first: Int, byteCount: Int, name: String) throws -> [UInt8] {
        // DCMTK writes whole words.
        var samples = [UInt8](repeating: 0, count: byteCount + byteCount % 2)
        try DICOMDataSet.call(name) { message in
            fovea_dicom_decode(handle, Int32(frame), Int32(first), &samples, samples.count, message)
        }
        return samples
    }

    /// Whether the pixel data end in `bytes`, although the data set does not. Some programs write bytes behind it.
    private static func pixelsEnd(_ handle: OpaquePointer, _ bytes: [UInt8]) -> Bool {
        var last = FoveaDICOMBytes()
        let fragments = fovea_dicom_fragment_count(handle)
        let found =
            fragments < 0
            ? fovea_dicom_bytes(handle, 0x7FE0_0010, &last) : fovea_dicom_fragment(handle, fragments - 1, &last)
        guard found == 0 else { return false }
        let length = (0..<4).map { UInt8(truncatingIfNeeded: last.count >> (8 * $0)) }
        let pixelData: [UInt8] = [0xE0, 0x7F, 0x10, 0], representations = ["OW", "OB"]
        let starts: [[UInt8]] =
            fragments < 0
            ? [pixelData + length] + representations.map { pixelData + $0.utf8 + [0, 0] + length }
                + representations.map { [0x7F, 0xE0, 0, 0x10] + $0.utf8 + [0, 0] + length.reversed() }
            : [[0xFE, 0xFF, 0, 0xE0] + length]
        return starts.contains { start in
            let end = bytes.count - last.count - start.count
            return end >= 0 && bytes[..<(end + start.count)].holds(start)
        }
    }

    /// How often the tag of an item stands in `bytes`, in either byte order.
    private static func itemCount(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBufferPointer { bytes in
            var count = 0
            var last: UInt32 = 0
            for byte in bytes {
                last = last << 8 | UInt32(byte)
                if last == 0xFEFF_00E0 || last == 0xFFFE_E000 { count += 1 }
            }
            return count
        }
    }
}

extension ArraySlice<UInt8> {
    /// Whether `pattern` stands anywhere in the bytes.
    fileprivate func holds(_ pattern: [UInt8]) -> Bool {
        withUnsafeBufferPointer { bytes in
            guard bytes.count >= pattern.count else { return false }
            return (0...bytes.count - pattern.count).contains { start in
                bytes[start] == pattern[0] && bytes[start..<start + pattern.count].elementsEqual(pattern)
            }
        }
    }
}
