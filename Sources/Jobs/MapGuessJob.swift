import Cohorts

/// Drafts the map of a table's columns for an import. A person has to check the draft.
public struct MapGuessJob: Job {
    /// A table of labels with a header.
    public var table: String

    public init(_ table: String) { self.table = table }

    public var inputs: [JobInput] { [JobInput(table, .table, setting: nil)] }

    public struct Outcome: JobOutcome {
        /// The draft as YAML.
        public let map: String
        /// The attributes for which there is a guess, and the columns that are not used.
        public let attributes, unusedColumns: [String]
        public let lines: [String]

        private enum CodingKeys: String, CodingKey {
            case map, attributes
            case unusedColumns = "unused_columns"
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let draft = LabelMapDraft(try LabelMapTable(contentsOf: table))
        return Outcome(
            map: draft.lines.joined(separator: "\n") + "\n", attributes: draft.attributes,
            unusedColumns: draft.unusedColumns, lines: draft.lines)
    }
}
