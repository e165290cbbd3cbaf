/// A seed as exports write it: a number, or a text such as `0x00000000000000ff`.
///
/// Many readers have no whole numbers of 2^63 or more; Arrow's tables and Hugging Face's loaders stop at them. So where
/// one seed of a set is so large, as in sets with a random seed for each sample, all seeds of the export are texts.
struct ExportedSeed: Codable, Hashable {
    let value: UInt64
    let isText: Bool

    /// Whether an export of these seeds writes texts.
    static func needsText(_ seeds: [UInt64]) -> Bool { seeds.contains { $0 > UInt64(Int64.max) } }

    init(_ value: UInt64, isText: Bool) {
        self.value = value
        self.isText = isText
    }

    /// Exports of version 0.1 hold numbers.
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(UInt64.self) {
            self.init(number, isText: false)
            return
        }
        let text = try container.decode(String.self)
        guard text.hasPrefix("0x"), let number = UInt64(text.dropFirst(2), radix: 16) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected a seed such as 0xff")
        }
        self.init(number, isText: true)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if isText { try container.encode(text) } else { try container.encode(value) }
    }

    /// The seed in a table.
    var text: String {
        guard isText else { return "\(value)" }
        let digits = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
