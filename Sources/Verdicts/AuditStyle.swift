import Figures
import Reporting

/// The frame of the audit's pages. A page is one file, loads nothing and has no script.
package enum AuditStyle {
    private static let additions = """
        .label { justify-self: start; }
        .label.warn { background: var(--warning); }
        :root { --bad: #a2142b; --bad-surface: #fdedef; --good-surface: #edf7f0; }
        @media screen and (prefers-color-scheme: dark) {
          :root { --bad: #ff9aa8; --bad-surface: #32191d; --good-surface: #17281e; }
        }
        .verdict { padding: 1.1rem 1.4rem; border-left: 8px solid var(--warning); background: var(--warning-surface); \
        border-radius: 4px; margin: 1.2rem 0; }
        .verdict.pass { border-color: var(--good); background: var(--good-surface); }
        .verdict.fail { border-color: var(--bad); background: var(--bad-surface); }
        .verdict strong { font-size: 1.35rem; display: block; color: var(--warning); }
        .verdict.pass strong { color: var(--good); }
        .verdict.fail strong { color: var(--bad); }
        .symbol { display: inline-block; width: 1.6em; height: 1.6em; line-height: 1.6em; margin-right: .6rem; \
        text-align: center; border-radius: 50%; background: currentColor; }
        .symbol span { color: var(--surface); }
        .next { margin: 0 0 1.2rem; }
        .next p { margin: 0 0 .4rem; }
        .next ul { margin: 0; padding-left: 1.2rem; max-width: 70ch; }
        .verdict ul { margin: .5rem 0 0; padding-left: 1.2rem; }
        .trio { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1rem; }
        .scores { margin: .8rem 0 0; padding-left: 1.2rem; color: var(--muted); }
        h2 small { font-weight: 400; color: var(--muted); font-size: .9rem; margin-left: .6rem; }
        .plot { display: block; width: 100%; max-width: 52rem; height: auto; margin: .4rem 0 1rem; }
        .plot text { font-size: 12px; fill: var(--muted); }
        .plot .axis { stroke: var(--muted); }
        .plot .threshold { stroke: var(--warning); stroke-width: 2; stroke-dasharray: 5 3; }
        .samples { fill: var(--accent); } .holdout { fill: var(--good); } .planted { fill: var(--warning); }
        .curve { fill: none; stroke: var(--accent); stroke-width: 2; } .diagonal { stroke: var(--muted); \
        stroke-dasharray: 3 3; }
        .number { text-align: end; white-space: nowrap; }
        thead th.number { text-align: end; }
        """

    package static func page(title: String, body: HTML, isPrivate: Bool) -> HTML {
        PlainPage.html(title: title, body: body, style: additions, isPrivate: isPrivate)
    }
}
