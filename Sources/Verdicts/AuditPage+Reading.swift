import CheckpointStore
import Figures
import Files
import Reporting

/// What was not tested, how to check the page, and what its words mean.
extension AuditPage {
    var limits: HTML {
        let digests: [(String, String)] = [
            ("Samples", figures.samples.digest.description),
            ("Models", figures.samples.models.map(\.description).joined(separator: " ")),
            ("Model tested", figures.model?.description ?? "none"),
            ("Training set", figures.training.digest.map { "\($0) (HMAC)" } ?? "stated once it is signed"),
            ("Holdout", figures.holdout.digest.map { "\($0) (HMAC)" } ?? "stated once it is signed"),
        ]
        let terms = digests.map { "<dt>\($0)</dt><dd><code>\($1)</code></dd>" as HTML }
        return """
            \(section("What was not tested", notTested))
            \(section("Earlier audits of the same model", earlier))
            \(section("What was audited", "<dl class=\"terms\">\(terms)</dl>"))
            """
    }

    private var notTested: HTML {
        let remarks = figures.remarks
        return "\(HTML.list(figures.notTested))\(remarks.isEmpty ? "" : "<p>Remarks:</p>\(HTML.list(remarks))" as HTML)"
    }

    private var earlier: HTML {
        let audits = figures.earlierAudits.map { "\($0.date): \($0.count) samples, \($0.verdict.rawValue)" }
        if audits.isEmpty { return "<p>There are no earlier audits.</p>" }
        return "<p>Audits of other sets would show here if somebody sampled until one passed.</p>\(HTML.list(audits))"
    }

    /// How a reader finds out whether the page, the figures and the set belong together.
    var checking: HTML {
        let set = figures.samples.kind == .drawn ? nil : figures.samples.name ?? "SAMPLES"
        let command = "fovea verify AUDIT" + (set.map { " --samples \($0)" } ?? "")
        let signature: String
        if audit.officer == nil {
            signature =
                """
                Nobody has signed this audit, so anybody who holds the folder can have changed it. Once it is signed, \
                this page names the key.
                """
        } else {
            signature =
                """
                The signature by \(signer) covers this page and every other file of the audit. Compare these digits \
                with those that the privacy officer told you by another way, or give the list of trust with --trust.
                """
        }
        return section(
            "How to check this page",
            """
            <p>A page can be copied and edited. Run <code>\(command)</code>, where AUDIT is the folder of this \
            page. It fails where a file of the audit was changed, where the page does not follow from the figures, and \
            where the audit is of another set.</p>
            <p>\(signature)</p>
            """)
    }

    var glossary: HTML {
        let words: [(String, String)] = [
            (
                "At most, with 95 % confidence",
                "The highest rate that the counts allow: of 100 audits that state such a bound, about 95 are right."
            ),
            (
                "Area under the ROC curve",
                """
                How well a score separates two groups: 0.5 is no better than a coin, 1 is always right. For \
                membership, nearer to 0.5 is safer.
                """
            ),
            (
                "C_T",
                """
                A score of the set as a whole. Below 0, samples lie nearer to the training photographs than \
                photographs of other people do; far below 0 this cannot be chance.
                """
            ),
            (
                "Epsilon",
                """
                The promise of differential privacy: the smaller, the less any one patient can change what the model \
                does. Fovea promises none. Where canaries were trained on, the audit states a value that the true \
                epsilon cannot be below.
                """
            ),
            (
                "Holdout",
                "Patients of the same site whose photographs the model never saw: they show what is usual."
            ),
            (
                "Positive control",
                "A model that copies patients on purpose. The tests must catch it, or they would catch nobody."
            ),
            (
                "Power",
                """
                The share of hidden copies that a test finds. With a power of 0.8, it misses one copy in five. Without \
                power, finding nothing means nothing.
                """
            ),
            ("HMAC", "A digest under a secret key, by which only the owner of the key can recognise the photographs."),
        ]
        let terms = words.map { "<dt>\($0)</dt><dd>\($1)</dd>" as HTML }
        return section("What the words mean", "<dl class=\"terms\">\(terms)</dl>")
    }
}
