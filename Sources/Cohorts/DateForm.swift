import Foundation

/// How a table writes dates: `YYYY`, `MM` and `DD` in some order with one separator, such as `DD.MM.YYYY`.
///
/// The form is stated in the map and never guessed, because 03/04/1950 is two days.
public struct DateForm: Sendable, Equatable {
    public static let usual = DateForm(order: ["YYYY", "MM", "DD"], separator: "-")

    /// The forms that a draft of a map looks for, the likeliest first.
    static let common = ["YYYY-MM-DD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "YYYY/MM/DD"]
        .compactMap(DateForm.init)

    private let order: [String]
    private let separator: Character

    private init(order: [String], separator: Character) {
        self.order = order
        self.separator = separator
    }

    /// Reads a form such as `DD.MM.YYYY`; nil if it is not one.
    public init?(_ text: String) {
        guard let separator = text.first(where: { "-./".contains($0) }) else { return nil }
        let order = text.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
        guard order.sorted() == ["DD", "MM", "YYYY"] else { return nil }
        self.init(order: order, separator: separator)
    }

    public var text: String { order.joined(separator: String(separator)) }

    /// A day of the Gregorian calendar.
    struct Day: Equatable {
        let year, month, day: Int

        /// The whole years from a birth to this day.
        func years(since birth: Day) -> Int {
            year - birth.year - ((month, day) < (birth.month, birth.day) ? 1 : 0)
        }
    }

    /// The day that a cell names; nil if the cell has another form or there is no such day. A time of day behind the
    /// date is left out.
    func day(_ cell: String) -> Day? {
        let date = cell.prefix { $0 != " " && $0 != "T" }
        let parts = date.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        var numbers: [String: Int] = [:]
        for (name, part) in zip(order, parts) {
            let isWhole = part.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            guard isWhole, name == "YYYY" ? part.count == 4 : (1...2).contains(part.count), let number = Int(part)
            else { return nil }
            numbers[name] = number
        }
        guard let year = numbers["YYYY"], let month = numbers["MM"], let day = numbers["DD"] else { return nil }
        var components = DateComponents()
        (components.year, components.month, components.day) = (year, month, day)
        components.calendar = Calendar(identifier: .gregorian)
        return components.isValidDate ? Day(year: year, month: month, day: day) : nil
    }
}
