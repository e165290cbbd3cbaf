/// How pages, cards and exports say that an audit passed by limits that are weaker than the defaults.
package enum WeakerLimits {
    /// How many limits are named; the page of the audit lists them all.
    private static let most = 3

    /// A clause such as `by weaker limits than the usual ones (leastPower is 0.5, by default 0.8)`.
    package static func clause(_ limits: [String]) -> String {
        let rest = limits.count - most
        let named = limits.prefix(most).joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : "")
        return "by weaker limits than the usual ones (\(named))"
    }

    /// `start` and `end`, with the clause between them where there are weaker limits: `Pass`, `. No patient was found`.
    package static func naming(_ limits: [String], _ start: String, _ end: String = "") -> String {
        start + (limits.isEmpty ? "" : ", \(clause(limits))") + end
    }
}
