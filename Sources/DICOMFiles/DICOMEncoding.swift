import CDICOM
import Files
import Foundation

/// How the bytes of a DICOM file are written: where its data set begins, and in which transfer syntax.
struct DICOMEncoding {
    /// The UID of the transfer syntax.
    let syntax: String
    /// The SOP class as the file meta information names it; nil if there is none.
    let sopClass: String?
    /// Where the data set begins.
    let start: Int

    static let implicit = "1.2.840.10008.1.2"
    static let explicit = "1.2.840.10008.1.2.1"
    static let deflated = "1.2.840.10008.1.2.1.99"
    static let bigEndian = "1.2.840.10008.1.2.2"

    /// The encoding of the file that begins with `bytes`; nil if it is not a DICOM file.
    ///
    /// A DICOM file has `DICM` behind a preamble of 128 bytes. Old files lack both. These are recognised if they begin
    /// with the file meta information, or with group 8 and the UID of a SOP class for storage in it.
    init?(_ bytes: [UInt8]) {
        if bytes.count > 140, bytes[128..<132].elementsEqual("DICM".utf8) {
            self.init(meta: bytes, from: 132)
        } else if bytes.starts(with: [2, 0, 0, 0]) || bytes.starts(with: [2, 0, 1, 0]) {
            self.init(meta: bytes, from: 0)
            guard sopClass != nil else { return nil }
        } else if let syntax = DICOMEncoding.bareSyntax(bytes) {
            self.init(syntax: syntax, sopClass: nil, start: 0)
        } else {
            return nil
        }
    }

    private init(syntax: String, sopClass: String?, start: Int) {
        (self.syntax, self.sopClass, self.start) = (syntax, sopClass, start)
    }

    /// Reads the file meta information: elements of group 2 in explicit little endian.
    private init(meta bytes: [UInt8], from first: Int) {
        var position = first
        var texts: [Int: String] = [:]
        func number(_ at: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) } }
        while position + 8 <= bytes.count, number(position, 2) == 2 {
            let kind = String(decoding: bytes[position + 4..<position + 6], as: UTF8.self)
            let isLong = ["OB", "OW", "SQ", "UN", "UT"].contains(kind)
            guard !isLong || position + 12 <= bytes.count else { break }
            let length = isLong ? number(position + 8, 4) : number(position + 6, 2)
            let value = position + (isLong ? 12 : 8)
            guard length <= bytes.count - value else { break }
            texts[number(position + 2, 2)] = DICOMEncoding.text(bytes[value..<value + length])
            position = value + length
        }
        let stated = texts[0x0010].flatMap { $0.isEmpty ? nil : $0 }
        self.init(
            syntax: stated ?? DICOMEncoding.guessed(bytes, at: position), sopClass: texts[0x0002], start: position)
    }

    /// The transfer syntax of a data set without file meta information; nil if `bytes` are not certainly one.
    private static func bareSyntax(_ bytes: [UInt8]) -> String? {
        guard bytes.count > 64, bytes[0] == 8, bytes[1] == 0, bytes[2] <= 0x18, bytes[3] == 0 else { return nil }
        let storage = Array("1.2.840.10008.5.1.4.1.1.".utf8)
        let searched = bytes.prefix(2048)
        for position in searched.indices.dropLast(8 + storage.count)
        where searched[position] == 8 && searched[position + 1] == 0 && searched[position + 2] == 0x16
            && searched[position + 3] == 0 && searched[(position + 8)...].starts(with: storage)
        {
            return guessed(bytes, at: 0)
        }
        return nil
    }

    /// Explicit or implicit little endian, by whether a value representation follows the first tag.
    private static func guessed(_ bytes: [UInt8], at position: Int) -> String {
        guard position + 6 <= bytes.count else { return explicit }
        return bytes[position + 4..<position + 6].allSatisfy { (0x41...0x5A).contains($0) } ? explicit : implicit
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self).trimmingCharacters(in: .whitespaces)
    }

    /// The bytes of the data set, inflated if they were deflated.
    /// - Throws: `Failure(.badData)` if they are damaged or larger than `limit` bytes.
    func dataSet(of bytes: [UInt8], limit: Int, name: String) throws -> [UInt8] {
        guard syntax == DICOMEncoding.deflated else { return Array(bytes[start...]) }
        var result: UnsafeMutablePointer<UInt8>?
        var count = 0
        try DICOMDataSet.call(name) { message in
            bytes[start...].withUnsafeBufferPointer {
                fovea_dicom_inflate($0.baseAddress, $0.count, limit, &result, &count, message)
            }
        }
        defer { free(result) }
        return Array(UnsafeBufferPointer(start: result, count: count))
    }
}
