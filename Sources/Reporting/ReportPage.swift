import Figures
import Files
import Foundation
import SampleStore

/// The whole page: its head, its sections, and the data that the dialog shows.
struct ReportPage: Sendable {
    let content: ReportContent
    let pictures: ReportPictures
    let audit: HTML?
    let evaluation: HTML?

    private var description: SampleSetDescription { content.description }

    /// The content security policy. It allows only what is in the page: pictures as data URIs, and the style sheet and
    /// the script with these digests.
    static var policy: String {
        func hash(_ text: String) -> String {
            "'sha256-\(Data(Digest(of: Array(text.utf8)).bytes).base64EncodedString())'"
        }
        return
            """
            default-src 'none'; img-src data:; style-src \(hash(ReportStyle.source)); script-src \
            \(hash(ReportScript.source)); 
            """
                + "base-uri 'none'; form-action 'none'"
    }

    var html: HTML {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="\(HTML(verbatim: ReportPage.policy))">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="generator" content="fovea \(ToolVersion.current)">
        <title>Synthetic fundus photographs: \(content.name)</title>
        <link rel="icon" href="data:,">
        <style>\(HTML(verbatim: ReportStyle.source))</style>
        </head>
        <body>
        <a class="skip" href="#gallery">Skip to the gallery</a>
        \(header)
        \(navigation)
        <main>
        \(GallerySection(content: content, pictures: pictures).html)
        \(CohortSection(content: content).html)
        \(LineageSection(content: content).html)
        \(RunSection(content: content).html)
        \(checks)
        \(terms)
        </main>
        <footer><p>Written by fovea \(ToolVersion.current) from what \(content.name) says of itself.</p></footer>
        \(SampleDialog.html)
        <script type="application/json" id="data">\(SampleDialog(content: content).data)</script>
        <script>\(HTML(verbatim: ReportScript.source))</script>
        </body>
        </html>

        """
    }

    private var header: HTML {
        let facts: [(String, String)] = [
            ("Samples", NumberText.grouped(description.samples)),
            ("Size", "\(description.width) x \(description.height) pixels"),
            ("File", "\(content.name), \(NumberText.bytes(description.bytes))"),
            ("Created", NumberText.moment(description.created)),
            ("Sites", description.sites.isEmpty ? "none named" : description.sites.listed),
            ("Digital source type", "trainedAlgorithmicMedia (IPTC)"),
        ]
        return """
            <header class="top">
            <p class="label">Synthetic: made by a trained model</p>
            <h1>Synthetic fundus photographs</h1>
            <p class="lead">None of these pictures is a photograph of an eye. A diffusion model drew them for the \
            cohorts below.</p>
            <dl class="facts">
            \(facts.map { "<div><dt>\($0)</dt><dd>\($1)</dd></div>\n" as HTML })</dl>
            \(release)
            \(warnings)</header>
            """
    }

    private var release: HTML {
        let weaker = description.weakerLimits ?? []
        if description.releasable, !weaker.isEmpty {
            return """
                <p class="notice"><strong>\(WeakerLimits.naming(weaker, "May be released")):</strong> the file holds a \
                valid verdict of a privacy audit.</p>
                """
        }
        return description.releasable
            ? """
            <p class="notice good"><strong>May be released:</strong> the file holds a valid verdict of a privacy \
            audit.</p>
            """
            : """
            <p class="notice"><strong>Not to be released:</strong> the file holds no valid verdict of a privacy \
            audit. Whether the model repeats a photograph that it was trained on has not been tested.</p>
            """
    }

    /// What somebody must know who uses the samples.
    private var warnings: HTML {
        let all = description.warnings.map { "<p class=\"notice\"><strong>Warning:</strong> \($0)</p>\n" as HTML }
        return "\(all)"
    }

    private var navigation: HTML {
        let sections = [
            ("gallery", "Gallery"), ("cohorts", "Cohorts"), ("lineage", "Lineage"), ("settings", "Settings"),
            ("audit", "Audit"),
            ("evaluation", "Evaluation"), ("terms", "Terms"),
        ]
        return """
            <nav aria-label="Sections"><ul>
            \(sections.map { "<li><a href=\"#\($0)\">\($1)</a></li>\n" as HTML })</ul></nav>
            """
    }

    /// The sections on the audit and on the evaluation.
    private var checks: HTML {
        let verdict =
            description.releasable
            ? """
            The set passed. Its signed verdict is in /audit of the file; fovea verify checks it, the signatures and \
            the content.
            """
            : """
            There is no audit: nobody has tested whether a picture repeats a training photograph, shows a patient's \
            vessels, or gives away who was in the training.
            """
        return """
            <section id="audit" aria-labelledby="audit-title">
            <h2 id="audit-title">Privacy audit</h2>
            <p>\(verdict)</p>
            \(audit ?? "")
            </section>
            <section id="evaluation" aria-labelledby="evaluation-title">
            <h2 id="evaluation-title">Evaluation</h2>
            \(evaluation ?? ReportPage.noEvaluation)
            </section>
            """
    }

    private static let noEvaluation: HTML = """
        <p>There is no evaluation: nobody has measured fidelity, anatomy and usefulness by cohort for this set.</p>
        """

    private var terms: HTML {
        let terms = description.terms
        let rows: [(String, [String])] = [
            ("Licence", [terms.licence]), ("Attribution", terms.attribution.split(separator: "\n").map(String.init)),
            ("Permitted uses", [terms.permittedUses]), ("Contact", [terms.contact]),
            ("Digital source type", [SampleSet.digitalSourceType]),
        ]
        return """
            <section id="terms" aria-labelledby="terms-title">
            <h2 id="terms-title">Licence and terms</h2>
            <dl class="terms">
            \(rows.map { name, lines in "<dt>\(name)</dt>\n\(lines.map { "<dd>\($0)</dd>\n" as HTML })" as HTML })</dl>
            </section>
            """
    }
}
