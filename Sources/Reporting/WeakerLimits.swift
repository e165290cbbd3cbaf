/// How pages, cards and exports say that an audit passed by limits that are weaker than the defaults.
package enum WeakerLimits {
    /// A clause to begin a sentence with, such as `By weaker limits than the usual ones (leastPower is 0.5, by default
    /// 0.8)`.
    package static func clause(_ limits: [String]) -> String {
        "By weaker limits than the usual ones (\(limits.joined(separator: "; ")))"
    }

    /// `sentence` with the clause in front of it; `sentence` itself without weaker limits.
    package static func naming(_ limits: [String], _ sentence: String) -> String {
        limits.isEmpty ? sentence : "\(clause(limits)): \(sentence.prefix(1).lowercased())\(sentence.dropFirst())"
    }
}
