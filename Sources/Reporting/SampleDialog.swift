import Figures
import Files
import Foundation
import SampleStore

/// The dialog that shows one sample at full size, and the data that it shows about every sample.
struct SampleDialog: Sendable {
    let content: ReportContent

    static let html: HTML = """
        <dialog id="sample" aria-labelledby="sample-title">
        <div class="sheet">
        <div class="bar">
        <h2 id="sample-title" aria-live="polite"></h2>
        <button type="button" id="previous" aria-label="Previous picture">&#8592;</button>
        <button type="button" id="next" aria-label="Next picture">&#8594;</button>
        <button type="button" id="close" aria-label="Close">&#10005;</button>
        </div>
        <div class="pane"><img id="large" alt="" width="1" height="1" src="data:,"><dl id="facts"></dl></div>
        </div>
        </dialog>
        """

    private struct Sample: Encodable {
        /// The text for each of `labels`, in the same order.
        let facts: [String]
        /// The sample's value in each filter, as an index.
        let filters: [Int]
        /// An index into `runs`.
        let run: Int
    }

    private struct Contents: Encodable {
        let labels: [String]
        let samples: [Sample]
        /// The facts of each run, each a pair of a name and a text.
        let runs: [[[String]]]
    }

    /// The data as JSON without `<`, `>` and `&`, so that the text cannot end its script element.
    var data: HTML {
        let file = content.file, filters = content.filters
        let samples = content.rows.map { row in
            Sample(
                facts: [
                    "\(row)", content.cohort(row: row) ?? "nothing in particular", "\(file.seeds[row])",
                    "\(file.indices[row])",
                    file.digests[row].description, sites(row: row),
                ].map(\.readable),
                filters: filters.map { $0.valueOfRow[row] }, run: Int(file.runOfSample[row]))
        }
        let contents = Contents(
            labels: ["Row", "Asked for", "Seed", "Number under the seed", "SHA-256 of the pixels", "Shares of sites"],
            samples: samples,
            runs: RunSection(content: content).facts.map { $0.map { [$0.name.readable, $0.text.readable] } })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(contents) else { fatalError("texts and whole numbers have a JSON form") }
        return HTML(verbatim: SampleDialog.inert(String(decoding: json, as: UTF8.self)))
    }

    /// The same JSON, with every character that has a meaning in HTML written as an escape sequence.
    private static func inert(_ json: String) -> String {
        var result = ""
        for scalar in json.unicodeScalars {
            switch scalar {
            case "<", ">", "&", "\u{2028}", "\u{2029}": result += String(format: "\\u%04x", scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private func sites(row: Int) -> String {
        let names = content.file.siteNames
        let shares = content.file.siteWeights[row * names.count..<(row + 1) * names.count]
        let told = zip(names, shares).filter { $1 != 0 }.map { "\($0) \(NumberText.number(Double($1)))" }
        return told.isEmpty ? "none named" : told.joined(separator: ", ")
    }
}
