import Figures
import Files
import Foundation
import Importing
import Pictures
import Reporting

/// `site.import.html`: what an import did, for a person at the site. The page shows patients and names of files.
public struct ImportPage: Sendable {
    private let imported: ImportedPhotographs
    private let dataset: String
    private var report: ImportReport { imported.report }

    /// The most entries of each list that have pictures, and the most rows of a table.
    private static let mostPoor = 40, mostPairs = 40, mostLetters = 20, mostRows = 200
    /// The side of the pictures in pixels.
    private static let side = 128

    /// - Parameter dataset: the data set's name.
    public init(_ imported: ImportedPhotographs, dataset: String) {
        self.imported = imported
        self.dataset = dataset
    }

    /// The page.
    /// - Throws: `Failure`: `.readOrWriteFailed`, `.badData` where no memory is left.
    public func html() throws -> String {
        let sections = [refused, try poor, figures, agreement, try copies, try eyes, try letters].compactMap(\.self)
        let body: HTML = """
            <p class="label warn">Private: shows patients. It never leaves the site.</p>
            <h1>Import of photographs: \(report.site)</h1>
            <p class="lead">\(lead)</p>
            <section class="counts">
            <h2>What the import did</h2>
            <p>Every photograph was cut to its field of view, and everything outside it became black. Copies were \
            dropped. Photographs of one eye count as one patient, and every patient lies in one split only.</p>
            \(Table([.text(""), .numbers("Number")], rows: counts).html)
            </section>
            \(sections)
            """
        return PlainPage.html(
            title: "Import of photographs: \(report.site)", body: body,
            style: PlainPage.labelsAndNumbers + ImportPage.style,
            isPrivate: true
        ).source
    }

    private static let style = """
        .counts .scroll { max-width: 34rem; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; }
        .pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1.2rem; }
        .pair { display: grid; grid-template-columns: 1fr 1fr; gap: .4rem; }
        .pair p { grid-column: 1 / -1; margin: 0; font-size: .85rem; color: var(--muted); }
        .histograms { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1.4rem; }
        .histogram { display: block; width: 100%; height: auto; }
        .histogram text { font-size: 13px; fill: var(--muted); }
        .histogram .axis { stroke: var(--muted); }
        .bar { fill: var(--accent); }
        .limit-usable { stroke: var(--warning); stroke-width: 2; stroke-dasharray: 5 3; }
        .limit-reject { stroke: var(--warning); stroke-width: 2; }
        """

    private var lead: String {
        let kept = "\(NumberText.grouped(report.kept)) photographs of \(NumberText.grouped(report.patients)) patients"
        let added = report.added.map { ", of which \(NumberText.grouped($0)) were added now" } ?? ""
        return """
            \(dataset) holds \(kept)\(added), at \(report.size) pixels. The import report beside this page names every \
            file; this page shows the first of each kind.
            """
    }

    private var counts: [[String]] {
        let measured = report.quality.measured, splits = report.splits
        func row(_ what: String, _ count: Int) -> [String]? { count > 0 ? [what, NumberText.grouped(count)] : nil }
        let grades = QualityGrade.allCases.compactMap { grade in
            row("Measured quality \(grade.rawValue)", measured[grade.rawValue] ?? 0)
        }
        let rows = [
            row("Photographs in the data set", report.kept), row("Train", splits.train),
            row("Validation", splits.validation), row("Holdout", splits.holdout),
            row("Refused", report.refused.count), row("Copies that were dropped", report.duplicates.count),
            row("Copies whose labels contradict each other", report.duplicates.count { $0.conflict }),
            row("Pairs of one eye, which stay together", report.sameEye.count),
            row("Of these, with two names of patients", report.sameEye.count { $0.twoNames }),
            row("Photographs that were flagged", Set(report.flags.map(\.file)).count),
            row("Files of other kinds, not read", report.ignoredFiles),
            row("Photographs without a row in the table", report.photographsWithoutLabels),
            row("Rows of the table without a photograph", report.labelsWithoutPhotograph),
        ]
        return (rows + grades).compactMap(\.self)
    }

    /// A section with a heading, unless it is empty.
    private func section(_ title: String, _ lead: String, _ body: HTML) -> HTML {
        "<section>\n<h2>\(title)</h2>\n<p>\(lead)</p>\n\(body)\n</section>\n"
    }

    /// What a section says of a list that is too long for it.
    private static func rest(_ all: Int, _ shown: Int) -> String {
        all > shown ? " The first \(shown) of \(NumberText.grouped(all)) are shown; the import report names all." : ""
    }

    private var refused: HTML? {
        if report.refused.isEmpty { return nil }
        let shown = report.refused.prefix(Self.mostRows).map { [$0.file, $0.reason] }
        return section(
            "Refused photographs",
            "They are not in the data set." + Self.rest(report.refused.count, shown.count),
            Table([.text("File"), .text("Reason")], rows: Array(shown)).html)
    }

    private var poor: HTML? {
        get throws {
            let poor = report.quality.poor
            if poor.isEmpty { return nil }
            let out = Set(report.refused.map(\.file)), shown = poor.prefix(Self.mostPoor)
            let tiles = try shown.map { photograph -> HTML in
                let stated = photograph.stated.map { "; the table says \($0)" } ?? ""
                let fate = out.contains(photograph.file) ? ", left out" : ""
                return try figure(
                    photograph.file,
                    "\(photograph.grade.rawValue)\(fate)\(stated): \(photograph.reasons.joined(separator: "; "))")
            }
            return section(
                "Photographs of poor quality",
                """
                Measured inside the field of view, the worst first. The measure knows nothing of diseases: a large \
                lesion or an eye with clouded media may be the reason.\(Self.rest(poor.count, shown.count))
                """, "<div class=\"tiles\">\(tiles)</div>")
        }
    }

    private var figures: HTML? {
        let photographs = report.quality.photographs
        if photographs.isEmpty { return nil }
        let plots = QualityLimit.allCases.map { limit in
            FigureHistogram(limit: limit, values: photographs.map { limit.value($0.figures) }).html
        }
        return section(
            "What was measured",
            """
            Each drawing counts the photographs by one figure. A photograph beyond the dashed line is \
            usable at best, and one beyond the solid line is rejected.
            """, "<div class=\"histograms\">\(plots)</div>")
    }

    private var agreement: HTML? {
        let cells = report.quality.agreement
        if cells.isEmpty { return nil }
        let names = Dictionary(grouping: cells, by: \.stated).sorted { $0.key < $1.key }
        let rows = names.map { stated, cells in
            [stated]
                + QualityGrade.allCases.map { grade in
                    "\(cells.filter { $0.measured == grade }.reduce(0) { $0 + $1.photographs })"
                }
        }
        let equal = cells.filter { $0.stated == $0.measured.rawValue }.reduce(0) { $0 + $1.photographs }
        let all = cells.reduce(0) { $0 + $1.photographs }, share = percent(Double(equal) / Double(max(1, all)))
        return section(
            "Quality as the table states it, and as it was measured",
            """
            The two agree on \(equal) of \(all) photographs (\(share)). The data set has what the table states.
            """,
            Table(
                [.text("The table says")] + QualityGrade.allCases.map { .numbers("measured \($0.rawValue)") },
                rows: rows
            ).html)
    }

    private var copies: HTML? {
        get throws {
            if report.duplicates.isEmpty { return nil }
            let shown = report.duplicates.prefix(Self.mostPairs)
            return section(
                "Copies",
                "The left one stays, and the right one was dropped." + Self.rest(report.duplicates.count, shown.count),
                try pairs(
                    shown.map { copy in
                        let what = copy.kind == .exact ? "the same pixels" : "nearly the same pixels"
                        return (
                            copy.of, copy.file, what + (copy.conflict ? "; their labels contradict each other" : "")
                        )
                    }))
        }
    }

    private var eyes: HTML? {
        get throws {
            if report.sameEye.isEmpty { return nil }
            let shown = report.sameEye.sorted { one, other in
                one.twoNames != other.twoNames ? one.twoNames : (one.vessels ?? 1) < (other.vessels ?? 1)
            }.prefix(Self.mostPairs)
            return section(
                "Pairs of one eye",
                """
                Both stay, and count as one patient. Pairs with two names of patients come first, then those whose \
                vessels agree least.\(Self.rest(report.sameEye.count, shown.count))
                """,
                try pairs(
                    shown.map { pair in
                        let score =
                            pair.vessels.map { "the vessels agree with \(rounded($0))" } ?? "nearly one photograph"
                        return (pair.file, pair.of, score + (pair.twoNames ? "; the table names two patients" : ""))
                    }))
        }
    }

    private var letters: HTML? {
        get throws {
            let flagged = report.flags.filter { $0.what == .text }
            if flagged.isEmpty { return nil }
            let shown = flagged.prefix(Self.mostLetters)
            let tiles = try shown.map { try figure($0.file, $0.detail) }
            return section(
                "Photographs with letters",
                "Letters inside the field of view stay in the data set." + Self.rest(flagged.count, shown.count),
                "<div class=\"tiles\">\(tiles)</div>")
        }
    }

    private func pairs(_ pairs: [(String, String, String)]) throws -> HTML {
        let figures = try pairs.map { one, other, words -> HTML in
            "<div class=\"pair\">\(try figure(one, nil))\(try figure(other, nil))<p>\(words)</p></div>\n"
        }
        return "<div class=\"pairs\">\(figures)</div>"
    }

    /// The small picture of a file with its name.
    private func figure(_ file: String, _ words: String?) throws -> HTML {
        let text: HTML = words.map { "<br>\($0)" } ?? ""
        guard let picture = try imported.picture(of: file) else {
            return "<figure><figcaption><b>\(file)</b>\(text)</figcaption></figure>"
        }
        let side = min(Self.side, picture.width)
        let jpeg = try picture.resized(width: side, height: side).jpegData(quality: 80)
        let source = HTML(verbatim: "data:image/jpeg;base64," + jpeg.base64EncodedString())
        return """
            <figure><img src="\(source)" width="\(side)" height="\(side)" alt="\(file)">\
            <figcaption><b>\(file)</b>\(text)</figcaption></figure>
            """
    }
}
