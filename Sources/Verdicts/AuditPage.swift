import CheckpointStore
import SampleStore
import Figures
import Files
import Foundation
import Reporting
import Statistics

/// `public/audit.html`: the verdict in one sentence, what to do next, then the evidence in aggregates. It shows no
/// picture, row or seed, and follows from `audit.json` alone.
package struct AuditPage {
    let audit: PublicAudit
    var figures: AuditFigures { audit.figures }

    package init(_ audit: PublicAudit) { self.audit = audit }

    package var html: HTML {
        let body: HTML = """
            <header>
            <p class="label">Privacy audit</p>
            <h1>Do these samples give patients away?</h1>
            \(verdict)
            \(next)
            \(facts)
            </header>
            \(deviations)
            \(copies)
            \(distributions)
            \(control)
            \(membership)
            \(realism)
            \(canaries)
            \(distances)
            \(cells)
            \(limits)
            \(checking)
            \(glossary)
            """
        return AuditStyle.page(title: "Privacy audit: \(audit.verdict.outcome.rawValue)", body: body, isPrivate: false)
    }

    /// The verdict in one sentence that can be read without statistics. Limits that are weaker than the usual ones
    /// stand in it.
    package var sentence: String {
        func begun(_ word: String, _ rest: String) -> String {
            WeakerLimits.naming(figures.policy.weakerLimits, word, ". \(rest)")
        }
        let count = figures.samples.count, hits = figures.flagged.samples.hits
        switch audit.verdict.outcome {
        case .pass where hits > 0:
            return begun(
                "Pass",
                """
                \(hits) of \(count) samples are flagged, as photographs of others are, too; a release leaves them out.
                """)
        case .pass:
            let power = figures.policy.deviations.isEmpty ? ", and the tests would have found copies" : ""
            return begun("Pass", "No patient was found in \(count) samples\(power).")
        case .fail: return begun("Fail", "Do not release: the samples or their model give patients away.")
        case .noPower where figures.realism.map { Verdict.areNoPhotographs($0, figures.policy) } ?? false:
            return begun("No verdict", "These samples are not photographs: there is nothing to release.")
        case .noPower:
            return begun(
                "No verdict", "The tests found nothing, but they might have missed copies. Do not release.")
        }
    }

    /// A sign that is told from the others without colours.
    private var symbol: String {
        switch audit.verdict.outcome {
        case .pass: "\u{2713}"
        case .fail: "\u{2717}"
        case .noPower: "?"
        }
    }

    private var verdict: HTML {
        """
        <div class="verdict \(HTML(verbatim: audit.verdict.outcome.rawValue))" role="status">
        <strong><span class="symbol" aria-hidden="true"><span>\(symbol)</span></span>\(sentence)</strong>
        \(HTML.list(audit.verdict.reasons))
        </div>
        """
    }

    private var next: HTML {
        let advice = AuditAdvice(audit: audit)
        return """
            <div class="next">
            <h2>What to do next</h2>
            <p>\(advice.lead)</p>
            \(HTML.list(advice.sentences))
            </div>
            """
    }

    private var facts: HTML {
        let holdout = figures.holdout, samples = figures.samples
        let flagged = figures.flagged
        let rows: [(String, String)] = [
            ("Audited set", setName),
            ("Content of the set", samples.digest.grouped(16)),
            ("Samples", "\(samples.count), \(samples.size) x \(samples.size) pixels"),
            ("Training patients", "about \(figures.training.patients), \(figures.training.site ?? "a folder")"),
            ("Holdout patients", "\(holdout.calibration) set thresholds, \(holdout.report) check them"),
            (
                "Flagged samples",
                "\(flagged.samples.hits), at most \(percent(flagged.samplesUpperBound)) with 95 % confidence"
            ),
            ("Audited on", audit.date),
            ("Signed by", signer),
        ]
        return "<dl class=\"facts\">\n\(rows.map { "<div><dt>\($0)</dt><dd>\($1)</dd></div>\n" as HTML })</dl>"
    }

    private var setName: String {
        switch figures.samples.kind {
        case .drawn: "drawn by the audit from the model"
        case .samples, .pictures: figures.samples.name ?? "not named"
        }
    }

    /// The fingerprint of the signer's key and the day of the signature.
    package var signer: String {
        guard let text = audit.officer else { return "nobody yet" }
        let key = try? PublicKey(text, field: "officer", place: AuditFolder.figures)
        return (key?.fingerprint ?? "an unreadable key") + (audit.signed.map { ", on \($0)" } ?? "")
    }

    private var deviations: HTML {
        let all = figures.policy.deviations
        guard !all.isEmpty else { return "" }
        return section("Limits other than the usual ones", .list(all))
    }

    /// An excerpt for the page of a released set: the reasons of the verdict and the main figures, without plots.
    package var excerpt: HTML {
        let membership: HTML? = figures.membership.map { found in
            """
            <p>Membership inference: area under the ROC curve \(found.loss.area.text). At 0.5 nothing can be \
            said about who was in the training.</p>
            """
        }
        let reasons = audit.verdict.reasons + figures.policy.deviations.map { "not the usual limit: \($0)" }
        return """
            <p>Audited on \(audit.date), \(figures.samples.count) samples against about \(figures.training.patients) \
            training patients:</p>
            \(HTML.list(reasons))
            \(copiesTable)
            \(membership ?? "")
            """
    }

    func section(_ title: String, _ body: HTML) -> HTML { "<section><h2>\(title)</h2>\n\(body)\n</section>" }
}
