import Foundation

/// A patient's name or number, as a table or a header writes it.
package enum PatientName {
    /// What programs write where a patient is unknown or was removed. All such patients together would be one.
    private static let nobody: Set = [
        "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "?", "unknown", "anonymous", "anonymized", "anonymised",
        "anon",
    ]

    /// Whether a text names nobody.
    package static func isNobody(_ text: String) -> Bool {
        text.isEmpty || text.utf8.contains(0) || nobody.contains(text.lowercased())
    }

    /// The same text for the same person in every table and header: a whole number without a fraction of zeros, and
    /// letters in one Unicode form.
    package static func plain(_ text: String) -> String {
        CodeTable.whole(text).precomposedStringWithCanonicalMapping
    }
}
