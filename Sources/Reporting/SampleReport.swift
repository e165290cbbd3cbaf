import Figures
import Files
import SampleStore

/// One self-contained HTML page about a sample set: gallery, cohorts, lineage, settings, terms.
///
/// The page loads nothing: its pictures are data URIs, and its content security policy forbids everything else. The
/// page is readable without JavaScript.
public struct SampleReport: Sendable {
    /// The most samples that are shown unless another number is asked for.
    public static let most = 1000
    /// The most bytes of a page. A page with 1,000 pictures stays below 10 MB, which mail and ticket systems accept.
    public static let byteLimit = 9_500_000

    /// The whole page.
    public let html: String
    /// The number of samples in the gallery.
    public let shown: Int
    /// The quality of the pictures on libjpeg's scale, 1 to 100.
    public let quality: Int
    /// The size of a picture on the page in pixels.
    public let width: Int
    public let height: Int

    /// - Parameters:
    ///   - name: the file's name, as the page shows it.
    ///   - most: the most samples to show. A selection from a larger set is spread evenly over the cohorts.
    ///   - audit: what the audit of a released set found, in words.
    ///   - evaluation: what an evaluation of the set found, in words.
    ///   - byteLimit: the most bytes of the page. Pictures are JPEG copies: where they do not fit, first their quality
    ///     and then their size goes down.
    /// - Throws: `Failure(.usage)` where the pictures cannot fit; `Failure(.badData)` where a lineage in the file is
    ///   not valid or the pictures are damaged.
    package init(
        of file: SampleSetFile, name: String, most: Int = most, audit: HTML? = nil, evaluation: HTML? = nil,
        byteLimit: Int = byteLimit
    ) async throws {
        let content = try ReportContent(file, name: name, most: most)
        let rows = content.rows
        let around = ReportPage(
            content: content, pictures: ReportPictures(placeholders: rows.count, of: file), audit: audit,
            evaluation: evaluation
        ).html.source.utf8.count
        // 100 bytes are kept back: the sentence about the copies has a few more characters once the setting is known.
        let pictures = try await ReportPictures(of: file, rows: rows, byteLimit: byteLimit - around - 100)
        html = ReportPage(content: content, pictures: pictures, audit: audit, evaluation: evaluation).html.source
        shown = rows.count
        (quality, width, height) = (pictures.setting.quality, pictures.setting.width, pictures.setting.height)
    }
}

/// What the sections of a page show.
struct ReportContent: Sendable {
    let file: SampleSetFile
    let name: String
    let description: SampleSetDescription
    /// The attributes for which anything was asked.
    let facets: [Facet]
    /// The rows that the gallery shows.
    let rows: [Int]

    init(_ file: SampleSetFile, name: String, most: Int) throws {
        self.file = file
        self.name = name
        description = try file.description()
        let facets = file.facets
        self.facets = facets
        let cohorts = (0..<file.count).map { row in facets.map { $0.valueOfRow[row] } }
        rows = Selection.rows(groups: cohorts, most: most)
    }

    /// The properties by which the gallery can be filtered: the attributes, and the runs where there are several.
    var filters: [Facet] { facets + (file.runs.count > 1 ? [Facet(runOfSample: file.runOfSample)] : []) }

    /// What was asked for in a row, such as `dr_icdr 3, sex female`; nil where nothing was asked for.
    func cohort(row: Int) -> String? {
        let asked = facets.filter { !$0.isOpen(row: row) }.map { "\($0.name) \($0.text(row: row))" }
        return asked.isEmpty ? nil : asked.joined(separator: ", ")
    }

    /// The text that stands for a picture where the picture cannot be seen.
    func alternative(row: Int) -> String {
        "Synthetic fundus photograph \(row): \(cohort(row: row) ?? "nothing in particular asked for")"
    }
}
