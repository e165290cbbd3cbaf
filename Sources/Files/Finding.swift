/// One thing that a check found wrong in a file.
public struct Finding: Codable, Hashable, Sendable {
    /// The place in the file, such as `/images row 7`.
    public var place: String
    /// One clause on what is wrong.
    public var problem: String

    public init(_ place: String, _ problem: String) {
        // As in a failure, nothing of the file is shown but short values.
        self.place = place.withShortQuotations
        self.problem = problem.withShortQuotations
    }

    enum CodingKeys: String, CodingKey {
        case place = "where"
        case problem = "what"
    }
}
