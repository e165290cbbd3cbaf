/// A table on a page. The first cell of each row is the row's heading.
package struct Table: Sendable {
    /// A column: its heading, and whether it holds numbers, which are set flush right.
    package enum Column: Sendable {
        case text(String)
        case numbers(String)
    }

    private let columns: [Column]
    private let rows: [[String]]

    /// - Parameter rows: at most one cell for each column; cells missing at the end stay empty.
    package init(_ columns: [Column], rows: [[String]]) {
        self.columns = columns
        self.rows = rows
        if let row = rows.first(where: { $0.count > columns.count }) {
            fatalError("Table: \(row.count) cells for \(columns.count) columns")
        }
    }

    /// The table in a box that scrolls if the page is narrow.
    package var html: HTML {
        let head = columns.map { column -> HTML in
            switch column {
            case .text(let heading): .element("th", [:], "\(heading)")
            case .numbers(let heading): .element("th", ["class": "number"], "\(heading)")
            }
        }
        let body = rows.map { row -> HTML in
            let cells = columns.enumerated().map { place, column in
                cell(place < row.count ? row[place] : "", of: column, isFirst: place == 0)
            }
            return "<tr>\(cells)</tr>\n"
        }
        return """
            <div class="scroll"><table>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(body)</tbody>
            </table></div>
            """
    }

    private func cell(_ text: String, of column: Column, isFirst: Bool) -> HTML {
        if isFirst { return .element("th", ["scope": "row"], "\(text)") }
        if case .numbers = column { return .element("td", ["class": "number"], "\(text)") }
        return .element("td", [:], "\(text)")
    }
}

extension HTML {
    /// A list with a bullet for each sentence.
    package static func list(_ sentences: [String]) -> HTML {
        "<ul>\n\(sentences.map { "<li>\($0)</li>\n" as HTML })</ul>"
    }
}
