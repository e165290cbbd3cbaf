import Cohorts
import Files

/// What a map says about photographs, with the rows of the table that it reads.
struct StatedLabels {
    let map: LabelMap
    /// The table's name, for messages; nil for a map that reads no table.
    let table: String?
    /// The labels by the name that the table writes.
    let rows: [String: PhotographLabels]

    /// Reads a map, and a table if the map needs one.
    /// - Parameters:
    ///   - map: a file, or the name of a map that comes with the program.
    ///   - table: a file.
    /// - Returns: nil if neither is given.
    /// - Throws: `Failure`: `.usage` if one of the two is missing or useless; errors of reading.
    init?(map: String?, table: String?) throws {
        guard let map else {
            guard table == nil else {
                throw Failure(
                    .usage, option: "map",
                    """
                    a table of labels needs the map from its columns to the cohort schema; fovea map guess drafts one \
                    for a table, and fovea map list names those of public data sets
                    """)
            }
            return nil
        }
        let read = try LabelMap(fileOrName: map)
        guard read.readsTable else {
            guard table == nil else {
                throw Failure(
                    .usage, option: "labels",
                    "the map \(map) names no column of photographs, so it reads no table; leave the table out")
            }
            (self.map, self.table, rows) = (read, nil, [:])
            return
        }
        guard let table else {
            throw Failure(
                .usage, option: "labels", "the map \(map) reads a table of labels, and no table is given")
        }
        self.map = read
        self.table = table
        rows = try read.labels(
            in: try LabelMapTable(contentsOf: table, separator: read.separator, columns: read.columns))
    }
}
