import Foundation

/// What programs write where nothing is known: the words of data frames, and the errors of Excel's formulas.
enum MissingText {
    static let all: Set = [
        "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "?", "unknown", "#ref!", "#value!", "#name?", "#null!",
        "#num!", "#div/0!",
    ]
}

/// A patient's name or number, as a table or a header writes it.
package enum PatientName {
    /// What programs write where a patient was removed. All such patients together would be one.
    private static let removed: Set = ["anonymous", "anonymized", "anonymised", "anon"]

    /// The same text for the same person in every table, path and header: a whole number without a fraction of zeros,
    /// and letters in one Unicode form. Nil for a text that names nobody.
    package static func plain(_ text: String) -> String? {
        let words = text.lowercased()
        guard !text.isEmpty, !text.utf8.contains(0), !MissingText.all.contains(words), !removed.contains(words) else {
            return nil
        }
        return CodeTable.whole(text).precomposedStringWithCanonicalMapping
    }
}
