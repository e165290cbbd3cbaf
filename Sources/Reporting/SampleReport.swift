import Figures
import Files
import SampleStore

/// One self-contained HTML page about a sample set: gallery, cohorts, lineage, settings, terms.
///
/// The page loads nothing: pictures are data URIs, and its content security policy lets nothing else in. It is readable
/// without JavaScript.
public struct SampleReport: Sendable {
    /// Samples that are shown unless another number is asked for.
    public static let most = 1000
    /// Bytes that a page may have: 1,000 pictures stay below 10 MB, which mails and tickets take.
    public static let byteLimit = 9_500_000

    /// The whole page.
    public let html: String
    /// Samples in the gallery.
    public let shown: Int
    /// 1 to 100, as libjpeg counts.
    public let quality: Int
    /// Pixels of a picture on the page.
    public let width: Int
    public let height: Int

    /// - Parameters:
    ///   - name: the file's, as the page shows it.
    ///   - most: samples to show; of a larger set, a selection that is spread evenly over the cohorts.
    ///   - audit: what the audit of a released set found, for people.
    ///   - byteLimit: bytes of the page. Pictures are JPEG copies of the best quality that fits, then smaller ones.
    /// - Throws: `Failure(.usage)` where the pictures cannot fit; `Failure(.badData)` for a lineage or a schedule that
    ///   is none.
    package init(of file: SampleSetFile, name: String, most: Int = most, audit: HTML? = nil, byteLimit: Int = byteLimit)
        async throws
    {
        let content = try ReportContent(file, name: name, most: most)
        let rows = content.rows
        let around = ReportPage(
            content: content, pictures: ReportPictures(placeholders: rows.count, of: file), audit: audit
        ).html.source.utf8.count
        // The sentence about the copies has a few digits more or less than the one without them.
        let pictures = try await ReportPictures(of: file, rows: rows, byteLimit: byteLimit - around - 100)
        html = ReportPage(content: content, pictures: pictures, audit: audit).html.source
        shown = rows.count
        (quality, width, height) = (pictures.setting.quality, pictures.setting.width, pictures.setting.height)
    }
}

/// What the sections of a page show.
struct ReportContent: Sendable {
    let file: SampleSetFile
    let name: String
    let description: SampleSetDescription
    /// Attributes of which anything was asked for.
    let facets: [Facet]
    /// Rows in the gallery.
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

    /// What the gallery can be filtered by: the attributes, and the runs where there are several.
    var filters: [Facet] { facets + (file.runs.count > 1 ? [Facet(runOfSample: file.runOfSample)] : []) }

    /// `dr_icdr 3, sex female`, or nil where nothing was asked for.
    func cohort(row: Int) -> String? {
        let asked = facets.filter { !$0.isOpen(row: row) }.map { "\($0.name) \($0.text(row: row))" }
        return asked.isEmpty ? nil : asked.joined(separator: ", ")
    }

    /// What a picture is called where it cannot be seen.
    func alternative(row: Int) -> String {
        "Synthetic fundus photograph \(row): \(cohort(row: row) ?? "nothing in particular asked for")"
    }
}
