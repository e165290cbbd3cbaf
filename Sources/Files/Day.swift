import Foundation

/// Days in UTC as files hold them, `2026-01-31`. Sorting these texts sorts the days.
public enum Day {
    /// The day that holds a moment.
    public static func text(_ moment: Date) -> String { moment.formatted(.iso8601.year().month().day()) }

    /// Noon of the day that a text names; nil unless the text is exactly what `text` writes. Other spellings are
    /// refused because `2026-9-30` would sort behind `2026-10-01`.
    public static func noon(_ text: String) -> Date? {
        guard text.utf8.count == 10, let moment = try? Date("\(text)T12:00:00Z", strategy: .iso8601),
            Day.text(moment) == text
        else { return nil }
        return moment
    }

    /// Whether a text is a moment such as `2026-01-31T12:00:00Z` and holds nothing else.
    public static func isMoment(_ text: String) -> Bool {
        (try? Date(text, strategy: .iso8601))?.formatted(.iso8601) == text
    }
}
