import Cohorts
import TensorCore

/// The classes of a model that was trained elsewhere. Each class is a row of the model's table of embeddings.
public struct ClassRows: Codable, Hashable, Sendable {
    /// The attribute of the schema whose values the classes are; empty where nobody has said.
    public let attribute: String
    /// For each row a value of the attribute, `unknown`, or `null` (the row that condition dropout was trained with).
    /// Empty where nobody has said.
    public let values: [String]

    public init(attribute: String, values: [String]) {
        (self.attribute, self.values) = (attribute, values)
    }

    /// Values of rows that are not values of the attribute.
    static let special = ["null", "unknown", ""]

    /// One sentence that says what is wrong, or nil.
    public var problem: String? {
        guard (1...100_000).contains(values.count) else { return "values: expected 1 to 100000, found \(values.count)" }
        guard !attribute.isEmpty else {
            return values.allSatisfy(\.isEmpty) ? nil : "attribute: expected the attribute that the values are of"
        }
        guard let known = CohortSchema.attribute(attribute) else {
            return "attribute: expected an attribute of the schema, found \(attribute)"
        }
        let named = values.filter { !$0.isEmpty }
        guard Set(named).count == named.count else { return "values: a value occurs twice" }
        for value in named where !ClassRows.special.contains(value) && !known.isOpen && !known.names.contains(value) {
            return
                """
                values: expected values of \(attribute) (\(known.names.joined(separator: ", "))), null or unknown, \
                found \(value)
                """
        }
        guard named.contains(where: { !ClassRows.special.contains($0) }) else {
            return "values: expected a value of \(attribute)"
        }
        return nil
    }

    /// Coefficients of the rows, [N, rows].
    ///
    /// A position between two codes is the weighted mean of their rows. A value that is left open, or that has no row,
    /// takes the row `null`. Where there is no such row, it takes the mean of all rows, because such a model always has
    /// a class.
    /// - Parameter names: the names of the attribute's codes 0, 1, 2, ...
    func coefficients(_ asked: [CohortEncoding.Value], names: [String]) -> Tensor {
        let width = values.count
        return Tensor(shape: [asked.count, width]) { target in
            target.update(repeating: 0)
            for (sample, value) in asked.enumerated() {
                let row = UnsafeMutableBufferPointer(rebasing: target[sample * width..<(sample + 1) * width])
                func put(_ name: String, _ share: Float) {
                    if share == 0 { return }
                    if let index = values.firstIndex(of: name) ?? values.firstIndex(of: "null") {
                        row[index] += share
                    } else {
                        for i in row.indices { row[i] += share / Float(width) }
                    }
                }
                switch value {
                case .null: put("null", 1)
                case .unknown: put("unknown", 1)
                case .code(let code): put(names[Int(code)], 1)
                case .position(let position):
                    let below = position.rounded(.down)
                    put(names[Int(below)], 1 - (position - below))
                    put(names[min(names.count - 1, Int(below) + 1)], position - below)
                }
            }
        }
    }
}
