import Cohorts
import Files

/// What a classifier is to tell from a picture: the value of an attribute, or whether it is one of some values.
package struct ClassificationTask: Codable, Hashable, Sendable {
    package let attribute: String
    /// What each class is called, such as `0`, `1` and `2`, or `0, 1` and `2, 3, 4`.
    package let classes: [String]
    /// Whether the classes have an order, so that kappa says something.
    package let isOrdinal: Bool
    /// The class of each value; other values belong to none.
    private let classOfValue: [String: Int]

    /// - Parameters:
    ///   - attribute: a name of the schema.
    ///   - positive: the values that count as cases. All others are the controls, but for those outside an order, such
    ///     as `ungradable`. Without any, each value is a class of its own.
    ///   - values: the values that occur in the pictures that are trained on.
    /// - Throws: `Failure(.usage)` where the attribute or a value is not in the schema; `Failure(.badData)` where fewer
    ///   than two classes occur.
    package init(attribute name: String, positive: [String], values: Set<String>, place: String) throws {
        guard let attribute = CohortSchema.attribute(name) else {
            throw Failure(
                .usage, option: "task", expected: CohortSchema.attributes.map(\.name).joined(separator: ", "),
                found: "\"\(name)\"")
        }
        if !attribute.isOpen, let wrong = positive.first(where: { !attribute.names.contains($0) }) {
            throw Failure(
                .usage, option: "positive", expected: "values of \(name): \(attribute.names.joined(separator: ", "))",
                found: "\"\(wrong)\"")
        }
        let usable = attribute.isOpen ? values.sorted() : attribute.namesInScale.filter(values.contains)
        let groups: [[String]]
        if positive.isEmpty {
            groups = usable.map { [$0] }
        } else {
            groups = [usable.filter { !positive.contains($0) }, usable.filter(positive.contains)]
        }
        guard groups.count > 1, groups.allSatisfy({ !$0.isEmpty }) else {
            throw Failure(
                .badData, place, field: name, expected: "photographs of at least two classes to train on",
                found: usable.isEmpty
                    ? "none, as the attribute is unknown everywhere"
                    : "one class: \(usable.map { "\(name)=\($0)" }.joined(separator: ", "))")
        }
        self.attribute = name
        classes = groups.map { $0.joined(separator: ", ") }
        if case .ordinal = attribute.scale { isOrdinal = true } else { isOrdinal = false }
        classOfValue = Dictionary(
            uniqueKeysWithValues: groups.enumerated().flatMap { number, group in group.map { ($0, number) } })
    }

    /// The number of the class of a cohort; nil where the attribute is unknown or in no class.
    package func label(of cohort: [String: String]) -> Int? { cohort[attribute].flatMap { classOfValue[$0] } }

    /// All values that belong to a class, in the order of the classes.
    package var values: [String] {
        classOfValue.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
    }

    /// Whether there are two classes, of which the second holds the cases.
    package var isBinary: Bool { classes.count == 2 }
}

extension Attribute {
    /// The names but those that stand outside the order.
    fileprivate var namesInScale: [String] {
        guard case .ordinal(let highest) = scale else { return names }
        return Array(names.prefix(Int(highest) + 1))
    }
}
