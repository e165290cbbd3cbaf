import Pictures

/// Writes small DICOM files in explicit little endian, for tests of what is done with their headers.
package struct DICOMBuilder {
    package enum Value {
        case text(String, vr: String = "LO")
        case bytes([UInt8], vr: String = "OB")
        case word(UInt16)
        /// One item.
        case sequence([UInt32: Value])
    }

    /// The elements by group << 16 | element.
    package var elements: [UInt32: Value]
    package var syntax = "1.2.840.10008.1.2.1"
    package var sopClass: String

    /// A photograph of one frame in RGB.
    package init(_ picture: Picture, sopClass: String = "1.2.840.10008.5.1.4.1.1.77.1.5.1") {
        self.sopClass = sopClass
        elements = [
            0x0008_0016: .text(sopClass, vr: "UI"), 0x0028_0002: .word(3), 0x0028_0004: .text("RGB", vr: "CS"),
            0x0028_0006: .word(0), 0x0028_0010: .word(UInt16(picture.height)),
            0x0028_0011: .word(UInt16(picture.width)), 0x0028_0100: .word(8), 0x0028_0101: .word(8),
            0x0028_0102: .word(7), 0x0028_0103: .word(0), 0x7FE0_0010: .bytes(picture.pixels),
        ]
    }

    /// The file.
    package var bytes: [UInt8] {
        let meta: [UInt32: Value] = [
            0x0002_0002: .text(sopClass, vr: "UI"), 0x0002_0003: .text("1.2.3.4", vr: "UI"),
            0x0002_0010: .text(syntax, vr: "UI"),
        ]
        return [UInt8](repeating: 0, count: 128) + "DICM".utf8 + written(meta) + written(elements)
    }

    private func written(_ elements: [UInt32: Value]) -> [UInt8] {
        elements.sorted { $0.key < $1.key }.flatMap { tag, value -> [UInt8] in
            let name = little(tag >> 16, 2) + little(tag & 0xFFFF, 2)
            switch value {
            case .word(let number): return name + "US".utf8 + little(2, 2) + little(UInt32(number), 2)
            case .text(let text, let vr):
                let padding: [UInt8] = text.utf8.count % 2 == 0 ? [] : [vr == "UI" ? 0 : 0x20]
                let body = Array(text.utf8) + padding
                return name + vr.utf8 + little(UInt32(body.count), 2) + body
            case .bytes(let body, let vr):
                let even = body + [UInt8](repeating: 0, count: body.count % 2)
                return name + vr.utf8 + [0, 0] + little(UInt32(even.count), 4) + even
            case .sequence(let item):
                let body = written(item)
                return name + "SQ".utf8 + [0, 0] + little(UInt32(body.count + 8), 4) + [0xFE, 0xFF, 0, 0xE0]
                    + little(UInt32(body.count), 4) + body
            }
        }
    }

    private func little(_ value: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }
}
