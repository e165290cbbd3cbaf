import Cohorts
import Files

/// Checks the attributes by which a job counts.
enum CohortNames {
    /// - Throws: `Failure(.usage)` for an attribute outside the schema, for more than three, and for one that is named
    ///   twice.
    static func require(_ attributes: [String]) throws {
        let known = CohortSchema.attributes.map(\.name)
        if let wrong = attributes.first(where: { !known.contains($0) }) {
            throw Failure(
                .usage, option: "by", expected: "attributes (\(known.joined(separator: ", ")))",
                found: "\"\(wrong)\"")
        }
        guard attributes.count <= 3, Set(attributes).count == attributes.count else {
            throw Failure(
                .usage, option: "by", expected: "one to three attributes, each once",
                found: attributes.joined(separator: ","))
        }
    }
}
