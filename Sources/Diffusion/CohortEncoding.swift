import Cohorts
import TensorCore

/// Turns cohorts into rows of coefficients over a table of embeddings: embedding = coefficients x table.
///
/// Each attribute has a row for "null" (dropped in training, or left open by a request), a row for "unknown" (missing
/// in the data), and rows for its codes. The codes of an ordinal attribute share two rows, an origin and a direction.
/// They lie on a line, so that 2.5 has a meaning. Codes that are not on the line have rows of their own.
///
/// A model that was trained elsewhere has a row for each of its classes instead; see `ClassRows`.
public struct CohortEncoding: Codable, Hashable, Sendable {
    /// Names of the attributes, in the order of their rows.
    public let attributes: [String]
    /// Names of the codes of open attributes (camera, ethnicity, site), as the training data declared them.
    public let openNames: [String: [String]]
    /// The meaning of the rows where they are classes; nil otherwise.
    public let classes: ClassRows?

    /// An encoding of attributes of the schema; it must have no `problem`.
    public init(attributes: [String], openNames: [String: [String]] = [:]) {
        self.attributes = attributes
        self.openNames = openNames
        classes = nil
        if let problem { fatalError("CohortEncoding: \(problem)") }
    }

    /// - Parameter classes: without a `problem`.
    public init(classes: ClassRows) {
        self.classes = classes
        attributes = classes.attribute.isEmpty ? [] : [classes.attribute]
        let isOpen = CohortSchema.attribute(classes.attribute)?.isOpen == true
        openNames = isOpen ? [classes.attribute: classes.values.filter { !ClassRows.special.contains($0) }] : [:]
        if let problem { fatalError("CohortEncoding: \(problem)") }
    }

    private enum CodingKeys: CodingKey { case attributes, openNames, classes }

    /// Keys that are missing in older files get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        attributes = try container.decode([String].self, forKey: .attributes)
        openNames = try container.decodeIfPresent([String: [String]].self, forKey: .openNames) ?? [:]
        classes = try container.decodeIfPresent(ClassRows.self, forKey: .classes)
    }

    /// One sentence that says what is wrong with an encoding from a file, or nil.
    public var problem: String? {
        if let classes {
            if let problem = classes.problem { return "classes.\(problem)" }
            guard attributes == (classes.attribute.isEmpty ? [] : [classes.attribute]) else {
                return "attributes: expected that of the classes, found \(attributes.joined(separator: ", "))"
            }
        }
        for name in attributes {
            guard let attribute = CohortSchema.attribute(name) else {
                return "attributes: expected attributes of the schema, found \(name)"
            }
            let names = openNames[name] ?? []
            guard attribute.isOpen ? !names.isEmpty && names.count <= 10_000 : names.isEmpty else {
                return "openNames.\(name): expected names for open attributes, and for no others"
            }
            guard Set(names).count == names.count else { return "openNames.\(name): a name occurs twice" }
        }
        for name in openNames.keys.sorted() where !attributes.contains(name) {
            return "openNames.\(name): expected one of the model's attributes"
        }
        return Set(attributes).count == attributes.count ? nil : "attributes: an attribute occurs twice"
    }

    /// The names of the codes 0, 1, 2, ... of one of the encoding's attributes.
    public func names(of attribute: String) -> [String] {
        CohortSchema.attribute(attribute).map { $0.isOpen ? openNames[attribute] ?? [] : $0.names } ?? []
    }

    /// Whether the model knows a code of this name.
    public func knows(_ name: String, of attribute: String) -> Bool {
        classes.map { $0.values.contains(name) } ?? names(of: attribute).contains(name)
    }

    /// The value that is asked for in one attribute of a sample.
    public enum Value: Hashable, Sendable {
        /// Left open.
        case null
        case unknown
        /// A code of the schema.
        case code(Int16)
        /// A position on an ordinal attribute's line, such as 2.5.
        case position(Float)
    }

    private func rows(_ attribute: Attribute) -> Int {
        switch attribute.scale {
        case .nominal: 2 + names(of: attribute.name).count
        case .ordinal(let highest): 4 + attribute.names.count - Int(highest) - 1
        }
    }

    /// The number of rows of the table.
    public var rowCount: Int {
        if let classes { return classes.values.count }
        return attributes.compactMap(CohortSchema.attribute).reduce(0) { $0 + rows($1) }
    }

    /// Which rows of the table were trained with patients whose counts, by attribute and code name, are these.
    ///
    /// - Returns: one flag for each row. Every patient trains `null`. All rows of classes count as seen, because their
    ///   patients are not known here.
    public func seenRows(_ counts: [String: [String: Int]]) -> [Bool] {
        guard classes == nil else { return [Bool](repeating: true, count: rowCount) }
        return attributes.compactMap(CohortSchema.attribute).flatMap { attribute in
            let own = counts[attribute.name] ?? [:]
            func isSeen(_ name: String) -> Bool { own[name, default: 0] > 0 }
            switch attribute.scale {
            case .nominal: return [true, isSeen("unknown")] + names(of: attribute.name).map(isSeen)
            case .ordinal(let highest):
                let onLine = attribute.names.prefix(Int(highest) + 1).contains(where: isSeen)
                return [true, isSeen("unknown"), onLine, onLine]
                    + attribute.names.dropFirst(Int(highest) + 1).map(isSeen)
            }
        }
    }

    /// The coefficients of the rows, [N, rowCount].
    /// - Parameter values: for each of N samples, one value for each attribute, in the order of `attributes`.
    public func coefficients(_ values: [[Value]]) -> Tensor {
        if let classes {
            return classes.coefficients(values.map { $0.first ?? .null }, names: attributes.first.map(names) ?? [])
        }
        let width = rowCount
        return Tensor(shape: [values.count, width]) { target in
            target.update(repeating: 0)
            for (sample, values) in values.enumerated() {
                var first = sample * width
                for (attribute, value) in zip(attributes.compactMap(CohortSchema.attribute), values) {
                    set(attribute, value, target, first)
                    first += rows(attribute)
                }
            }
        }
    }

    private func set(_ attribute: Attribute, _ value: Value, _ target: UnsafeMutableBufferPointer<Float>, _ first: Int)
    {
        switch (value, attribute.scale) {
        case (.null, _): target[first] = 1
        case (.unknown, _): target[first + 1] = 1
        case (.code(let code), .nominal): target[first + 2 + Int(code)] = 1
        case (.code(let code), .ordinal(let highest)) where code > highest:
            target[first + 4 + Int(code - highest) - 1] = 1
        case (.code(let code), .ordinal(let highest)): onLine(Float(code), highest)
        case (.position(let position), .ordinal(let highest)): onLine(position, highest)
        case (.position, .nominal): fatalError("CohortEncoding: \(attribute.name) is not ordinal")
        }
        func onLine(_ position: Float, _ highest: Int16) {
            target[first + 2] = 1
            // The factor runs from -1 to 1, so that origin and direction are of similar size.
            target[first + 3] = 2 * position / Float(highest) - 1
        }
    }
}
