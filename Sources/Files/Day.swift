import Foundation

/// Days as they stand in files, `2026-01-31`: sorted as texts, in UTC.
public enum Day {
    /// The day of a moment.
    public static func text(_ moment: Date) -> String { moment.formatted(.iso8601.year().month().day()) }

    /// Noon of the day that a text names; nil unless it is written exactly as `text` writes it: `2026-9-30` would sort
    /// behind `2026-10-01`.
    public static func noon(_ text: String) -> Date? {
        guard text.utf8.count == 10, let moment = try? Date("\(text)T12:00:00Z", strategy: .iso8601),
            Day.text(moment) == text
        else { return nil }
        return moment
    }

    /// Whether a text is a moment, `2026-01-31T12:00:00Z`, and nothing besides.
    public static func isMoment(_ text: String) -> Bool {
        (try? Date(text, strategy: .iso8601))?.formatted(.iso8601) == text
    }
}
