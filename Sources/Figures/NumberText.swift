import Foundation

/// Numbers as a person reads them.
package enum NumberText {
    /// `12,345`.
    package static func grouped(_ number: Int) -> String {
        let digits = Array(String(number.magnitude))
        let groups = stride(from: digits.count, to: 0, by: -3).map { String(digits[max(0, $0 - 3)..<$0]) }
        return (number < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
    }

    /// `2.7 MB`, in powers of 1,000.
    package static func bytes(_ count: Int) -> String {
        let units: [(size: Double, name: String)] = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
        guard let unit = units.first(where: { Double(count) >= $0.size }) else { return "\(count) bytes" }
        return String(format: "%.1f %@", Double(count) / unit.size, unit.name)
    }

    /// `2026-11-24 11:19:16 UTC` for `2026-11-24T11:19:16Z`.
    package static func moment(_ text: String) -> String {
        text.replacingOccurrences(of: "T", with: " ").replacingOccurrences(of: "Z", with: " UTC")
    }

    /// The first 12 digits of a digest.
    package static func short(_ digest: String) -> String { String(digest.prefix(12)) }

    /// At most four significant digits, without zeros at the end: `0.25`.
    package static func number(_ value: Double) -> String { String(format: "%.4g", value) }
}

/// `12.5 %` for 0.125.
package func percent(_ share: Double) -> String { "\(rounded(share * 100)) %" }

/// About three significant digits, at most five decimals and no zeros at the end; `unknown` for infinity and NaN.
package func rounded(_ value: Double) -> String {
    guard value.isFinite else { return "unknown" }
    let size = abs(value)
    let digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 3 : 5
    let scale = [1.0, 10, 100, 1000, 10_000, 100_000][digits]
    let number = (value * scale).rounded() / scale
    return number == number.rounded() && size < 1e15 ? "\(Int(number))" : "\(number)"
}

extension Int {
    /// The number with a noun, such as `1 file` and `2 files`.
    package func of(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
