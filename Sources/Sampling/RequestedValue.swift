import Cohorts
import Files

/// What a request says of one attribute.
enum RequestedValue {
    /// A code's name, with its position where it was asked for as a number.
    case name(String, position: Float?)
    /// A position on an ordinal attribute's line, such as 2.5.
    case position(Float)
    /// One of several names, in the order in which they were given.
    case oneOf([String])

    /// Reads a value: a name, a number on the line of an ordinal attribute, several names with `|` between them, or
    /// the first and the last name of a range with `..` between them.
    /// - Throws: `Failure(.usage)` for a value that the attribute does not have, or a value that occurs twice.
    init(_ text: String, of attribute: Attribute, place: String) throws {
        let parts = text.split(separator: "|", omittingEmptySubsequences: false).map { String($0).trimmed }
        let names = try parts.flatMap { part -> [String] in
            if let range = try RequestedValue.range(part, of: attribute, place: place) { return range }
            return parts.count > 1 ? [try RequestedValue.name(part, of: attribute, place: place)] : []
        }
        guard !names.isEmpty else {
            self = try RequestedValue.single(text, of: attribute, place: place)
            return
        }
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw Failure(.usage, place, "\(attribute.name) \"\(twice)\" occurs twice")
        }
        self = .oneOf(names)
    }

    /// The place of a name on the line of an ordinal attribute, where the name is a number. A request for such a name
    /// is a request for the number, too.
    static func position(of name: String, _ attribute: Attribute) -> Float? {
        if case .ordinal = attribute.scale { Float(name) } else { nil }
    }

    private static func single(_ value: String, of attribute: Attribute, place: String) throws -> RequestedValue {
        if value == "unknown" || attribute.isOpen || attribute.names.contains(value) {
            return .name(value, position: position(of: value, attribute))
        }
        guard case .ordinal(let highest) = attribute.scale, let number = Float(value),
            (0...Float(highest)).contains(number)
        else { throw refusal(of: value, attribute, place) }
        // A whole number is also the name of the code at this position.
        return number == number.rounded()
            ? .name(attribute.names[Int(number)], position: number) : .position(number)
    }

    /// The name of the code that one of several values stands for.
    private static func name(_ value: String, of attribute: Attribute, place: String) throws -> String {
        guard !value.isEmpty else {
            throw Failure(.usage, place, "\(attribute.name): expected a value on both sides of |, found none")
        }
        switch try single(value, of: attribute, place: place) {
        case .name(let name, _): return name
        default:
            throw Failure(
                .usage, place,
                "\(attribute.name) \(value) lies between two values and cannot be joined with others")
        }
    }

    /// The names from the first to the last of a range such as `2..4`; nil where the text is no range.
    private static func range(_ text: String, of attribute: Attribute, place: String) throws -> [String]? {
        guard !attribute.isOpen, let dots = text.firstRange(of: "..") else { return nil }
        let ends = [String(text[..<dots.lowerBound]).trimmed, String(text[dots.upperBound...]).trimmed]
        guard case .ordinal(let highest) = attribute.scale else {
            throw Failure(
                .usage, place, "the values of \(attribute.name) have no order, so there is no range \"\(text)\"")
        }
        let line = attribute.names.prefix(Int(highest) + 1)
        let places = try ends.map { end in
            guard let place = line.firstIndex(of: try name(end, of: attribute, place: place)) else {
                throw refusal(of: end, attribute, place)
            }
            return place
        }
        guard places[0] < places[1] else {
            throw Failure(
                .usage, place,
                "\(attribute.name) \"\(text)\": expected the lower end before the higher, as in \(example(attribute))")
        }
        return Array(line[places[0]...places[1]])
    }

    private static func refusal(of value: String, _ attribute: Attribute, _ place: String) -> Failure {
        let known = attribute.names.joined(separator: ", ")
        return Failure(
            .usage, place,
            """
            \(attribute.name) "\(value)" is not one of \(known) or unknown; several values are written as in \
            \(example(attribute))
            """)
    }

    /// How several values of an attribute are written.
    private static func example(_ attribute: Attribute) -> String {
        guard case .ordinal(let highest) = attribute.scale else {
            return attribute.names.prefix(2).joined(separator: "|")
        }
        let line = attribute.names.prefix(Int(highest) + 1)
        let (last, before, first) = (line[Int(highest)], line[Int(highest) - 1], line[Int(highest) - 2])
        return "\(before)|\(last) or \(first)..\(last)"
    }
}

extension String {
    /// The text without spaces at its ends.
    var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
