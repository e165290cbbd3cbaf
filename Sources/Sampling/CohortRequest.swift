import Cohorts
import Diffusion
import Files

/// The values that some samples are asked to have.
public struct CohortRequest: Hashable, Sendable {
    /// The names of codes by attribute, as the sample set stores them.
    public let cohort: Cohort
    /// Positions on the lines of ordinal attributes, such as 2.5, where values were asked for as numbers.
    public let positions: [String: Float]

    /// A request that leaves every attribute open.
    public static let open = CohortRequest(cohort: Cohort(), positions: [:])

    init(cohort: Cohort, positions: [String: Float]) {
        self.cohort = cohort
        self.positions = positions
    }

    /// Reads a text such as `dr_icdr=3,sex=female`.
    /// - Throws: `Failure(.usage)` for another format, an unknown attribute, an attribute that is named twice, or a
    ///   value that the attribute does not have.
    public init(_ text: String) throws {
        var values: [(String, String)] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty else {
                throw Failure(.usage, option: "cohort", expected: "attribute=value,...", found: text)
            }
            values.append((sides[0], sides[1]))
        }
        try self.init(values, place: "cohort \(text)")
    }

    /// - Parameter place: where the values come from, for errors.
    init(_ values: [(attribute: String, value: String)], place: String) throws {
        var cohort = Cohort(), positions: [String: Float] = [:]
        for (name, value) in values {
            guard let attribute = CohortSchema.attribute(name) else {
                let known = CohortSchema.attributes.map(\.name).joined(separator: ", ")
                throw Failure(.usage, place, "\(name) is not an attribute of the schema (\(known))")
            }
            guard cohort[name] == nil, positions[name] == nil else {
                throw Failure(.usage, place, "\(name) occurs twice")
            }
            if value == "unknown" || attribute.isOpen || attribute.names.contains(value) {
                cohort[name] = value
                if case .ordinal = attribute.scale, let number = Float(value) { positions[name] = number }
            } else if case .ordinal(let highest) = attribute.scale, let number = Float(value),
                (0...Float(highest)).contains(number)
            {
                positions[name] = number
                // A whole number is also the name of the code at this position.
                if number == number.rounded() { cohort[name] = attribute.names[Int(number)] }
            } else {
                throw Failure(
                    .usage, place,
                    "\(name) \"\(value)\" is not one of \(attribute.names.joined(separator: ", ")) or unknown")
            }
        }
        self.init(cohort: cohort, positions: positions)
    }

    /// The request as values of a model's encoding.
    /// - Throws: `Failure(.usage)` for an attribute that the model is not conditioned on, for a value that it does not
    ///   know, or where the model always needs a class and the request has none.
    public func values(for encoding: CohortEncoding, model: String) throws -> [CohortEncoding.Value] {
        for name in Set(cohort.values.keys).union(positions.keys).sorted() where !encoding.attributes.contains(name) {
            let known = encoding.attributes.isEmpty ? "none" : encoding.attributes.joined(separator: ", ")
            throw Failure(.usage, model, "the model is not conditioned on \(name); it knows \(known)")
        }
        if let classes = encoding.classes, !classes.values.contains("null"), cohort.values.isEmpty, positions.isEmpty {
            throw Failure(.usage, model, encoding.needsClass, remedy: encoding.attributes.isEmpty ? .classes : nil)
        }
        return try encoding.attributes.map { name in
            guard let value = cohort[name] else {
                guard let position = positions[name] else { return .null }
                let all = encoding.names(of: name)
                for code in [position.rounded(.down), position.rounded(.up)]
                where !encoding.knows(all[Int(code)], of: name) {
                    throw Failure(.usage, model, "the model knows no \(name) \"\(all[Int(code)])\"")
                }
                return .position(position)
            }
            if value == "unknown", encoding.classes == nil || encoding.knows(value, of: name) { return .unknown }
            let names = encoding.names(of: name).filter { encoding.knows($0, of: name) }
            guard names.contains(value), let code = encoding.names(of: name).firstIndex(of: value) else {
                throw Failure(
                    .usage, model, "the model knows no \(name) \"\(value)\"; it knows \(names.joined(separator: ", "))")
            }
            return .code(Int16(code))
        }
    }
}

extension CohortEncoding {
    /// The reason why a model of classes cannot draw a sample without a class.
    var needsClass: String {
        guard let name = attributes.first else {
            return "its \(rowCount) classes have no names; name them when the model is imported"
        }
        return
            """
            expected \(name) in the request \
            (\(names(of: name).filter { knows($0, of: name) }.joined(separator: ", "))): 
            """
                + "the model always has a class"
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
