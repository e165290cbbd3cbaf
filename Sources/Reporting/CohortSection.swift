import Figures
import SampleStore

/// Tables with bars that show how many samples have each value.
struct CohortSection: Sendable {
    let content: ReportContent

    private var count: Int { content.file.count }

    var html: HTML {
        """
        <section id="cohorts" aria-labelledby="cohorts-title">
        <h2 id="cohorts-title">Cohorts</h2>
        <p>What was asked for, counted over all \(NumberText.grouped(count)) samples of the file. \(open)</p>
        <div class="tables">
        \(content.facets.map(table))\(shares)</div>
        </section>
        """
    }

    /// A sentence that names the attributes for which nothing was asked.
    private var open: String {
        let names = content.file.cohorts.keys.filter { name in !content.facets.contains { $0.name == name } }.sorted()
        return names.isEmpty ? "" : "Left open in every sample: \(names.listed)."
    }

    private func table(_ facet: Facet) -> HTML {
        let all = facet.counts()
        let runs = content.file.runs.count > 1 ? Array(content.file.runs.indices) : []
        let byRun = runs.map { run in facet.counts { content.file.runOfSample[$0] == run } }
        let rows = facet.texts.enumerated().map { value, text in
            let cells = byRun.map { "<td>\(NumberText.grouped($0[value]))</td>" as HTML }
            let bar = CohortSection.bar(Double(all[value]) / Double(count))
            return """
                <tr><th scope="row">\(text)</th><td>\(NumberText.grouped(all[value]))</td>\(cells)<td>\(bar)</td></tr>

                """ as HTML
        }
        return """
            <div class="scroll" role="region" aria-label="Samples by \(facet.name)" tabindex="0">
            <table>
            <caption>\(facet.name)</caption>
            <thead><tr><th scope="col">Value</th><th \
            scope="col">Samples</th>\(runs.map { "<th scope=\"col\">Run \($0 + 1)</th>" as HTML })<th \
            scope="col">Share</th></tr></thead>
            <tbody>
            \(rows)</tbody>
            </table>
            </div>

            """
    }

    /// A table of the sites' mean shares; empty where the file names no site.
    private var shares: HTML {
        let names = content.file.siteNames, weights = content.file.siteWeights
        guard !names.isEmpty else { return "" }
        let rows = names.enumerated().map { site, name in
            let mean = (0..<count).reduce(0) { $0 + Double(weights[$1 * names.count + site]) } / Double(count)
            return "<tr><th scope=\"row\">\(name)</th><td>\(CohortSection.bar(mean))</td></tr>\n" as HTML
        }
        return """
            <div class="scroll" role="region" aria-label="Mean shares of sites" tabindex="0">
            <table>
            <caption>sites</caption>
            <thead><tr><th scope="col">Site</th><th scope="col">Mean share in the model</th></tr></thead>
            <tbody>
            \(rows)</tbody>
            </table>
            </div>

            """
    }

    /// A bar with its percentage as text, for readers who cannot see the bar.
    private static func bar(_ share: Double) -> HTML {
        let percent = share.isFinite ? min(max(share, 0), 1) * 100 : 0
        let width = HTML(verbatim: NumberText.number(percent))
        return """
            <span class="share"><svg aria-hidden="true" width="100%" height="10"><rect class="track" width="100%" \
            height="10" rx="2"/><rect class="filled" width="\(width)%" height="10" \
            rx="2"/></svg><span>\(NumberText.number(percent)) %</span></span>
            """
    }
}
