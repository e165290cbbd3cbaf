import Figures
import SampleStore

/// The pictures of the page, with their filters.
struct GallerySection: Sendable {
    let content: ReportContent
    let pictures: ReportPictures

    var html: HTML {
        """
        <section id="gallery" aria-labelledby="gallery-title">
        <h2 id="gallery-title">Gallery</h2>
        <p>\(selection) \(copies)</p>
        <div id="filters" role="group" aria-label="Filter the gallery" hidden>
        \(content.filters.map(select))<button type="button" id="reset">Show all</button>
        <p id="status" role="status" aria-live="polite"></p>
        </div>
        <ul class="pictures">
        \(content.rows.enumerated().map(item))</ul>
        </section>
        """
    }

    private var selection: String {
        let shown = content.rows.count, all = content.file.count
        guard shown < all else {
            return all == 1 ? "The one sample is shown." : "All \(NumberText.grouped(all)) samples are shown."
        }
        return
            """
            \(NumberText.grouped(shown)) of \(NumberText.grouped(all)) samples are shown, spread evenly over the \
            cohorts.
            """
    }

    private var copies: String {
        let setting = pictures.setting
        let isSmaller = setting.width < content.file.width || setting.height < content.file.height
        return
            """
            The pictures on this page are JPEG copies (quality \
            \(setting.quality)\(isSmaller ? ", made smaller to \(setting.width) x \(setting.height)" : "")); 
            """
                + "\(content.name) holds the exact pixels."
    }

    private func select(_ filter: Facet) -> HTML {
        let shown = Set(content.rows)
        let counts = filter.counts { shown.contains($0) }
        let options = filter.texts.enumerated().filter { counts[$0.offset] > 0 }.map { number, text in
            "<option value=\"\(number)\">\(text) (\(counts[number]))</option>\n" as HTML
        }
        return """
            <label><span>\(filter.name)</span> <select>
            <option value="">all (\(content.rows.count))</option>
            \(options)</select></label>

            """
    }

    private func item(_ place: Int, _ row: Int) -> HTML {
        let setting = pictures.setting
        return """
            <li><figure><img src="\(HTML(verbatim: pictures.uris[place]))" width="\(setting.width)" \
            height="\(setting.height)" alt="\(content.alternative(row: row))">\
            <figcaption><b>\(row)</b> \(content.cohort(row: row) ?? "")</figcaption></figure></li>

            """
    }
}
