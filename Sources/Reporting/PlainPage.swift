import Figures
import Files
import Foundation

/// The frame of a page for reading: one file that loads nothing, and has no script but one that is given.
package enum PlainPage {
    /// A style for labels at the start of their line and columns of numbers, which a page may begin its own with.
    package static let labelsAndNumbers = """
        .label { justify-self: start; }
        .label.warn { background: var(--warning); }
        .number { text-align: end; white-space: nowrap; }
        thead th.number { text-align: end; }

        """

    /// - Parameters:
    ///   - style: what is added to the reports' style sheet.
    ///   - isPrivate: whether the page shows patients.
    ///   - script: a script of our own; nil for none. The content security policy names its digest.
    package static func html(
        title: String, body: HTML, style: String, isPrivate: Bool, script: String? = nil
    ) -> HTML {
        let style = ReportStyle.source + style
        let warning = isPrivate ? " Private: keep it where the patients' photographs are kept." : ""
        func digest(_ text: String) -> String { Data(Digest(of: Array(text.utf8)).bytes).base64EncodedString() }
        let allowed = script.map { "script-src 'sha256-\(digest($0))'; " } ?? ""
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src \
            'sha256-\(HTML(verbatim: digest(style)))'; \(HTML(verbatim: allowed))base-uri 'none'; form-action 'none'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="fovea \(ToolVersion.current)">
            <title>\(title)</title>
            <link rel="icon" href="data:,">
            <style>\(HTML(verbatim: style))</style>
            </head>
            <body>
            <main>
            \(body)
            </main>
            <footer><p>Written by fovea \(ToolVersion.current).\(warning)</p></footer>
            \(script.map { "<script>\(HTML(verbatim: $0))</script>\n" as HTML } ?? "")\
            </body>
            </html>

            """
    }
}
