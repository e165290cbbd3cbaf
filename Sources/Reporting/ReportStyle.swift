/// The page's style sheet. It uses system fonts, and covers light and dark, wide, narrow and printed pages. The content
/// security policy names the style sheet's digest.
package enum ReportStyle {
    package static let source = """
        :root {
          --page: #f4f6f8; --surface: #ffffff; --text: #1a242e; --muted: #4a5866; --line: #d3dae1;
          --accent: #0a5a78; --on-accent: #ffffff; --warning: #8a3b00; --warning-surface: #fff4e8; --good: #1d5e38; \
          --track: #dde4ea;
          color-scheme: light;
        }
        @media screen and (prefers-color-scheme: dark) {
          :root {
            --page: #10161c; --surface: #18212a; --text: #e5ebf1; --muted: #a6b4c1; --line: #33404c;
            --accent: #7cc7e6; --on-accent: #10161c; --warning: #f5b678; --warning-surface: #2b2118; --good: #8fd3a8; \
            --track: #2b3742;
            color-scheme: dark;
          }
        }
        * { box-sizing: border-box; }
        html { scroll-padding-top: 4rem; }
        body {
          margin: 0; background: var(--page); color: var(--text); font: 1rem/1.55 system-ui, -apple-system, "Segoe \
          UI", "Liberation Sans", Arial, sans-serif;
          overflow-wrap: break-word;
        }
        body:has(dialog[open]) { overflow: hidden; }
        [hidden] { display: none !important; }
        .top, main, footer, nav ul { max-width: 76rem; margin: 0 auto; padding-inline: clamp(1rem, 4vw, 2.5rem); }
        h1 { font-size: clamp(1.7rem, 4vw, 2.3rem); line-height: 1.2; margin: .9rem 0 .4rem; font-weight: 650; \
        letter-spacing: -.01em; }
        h2 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .5rem; font-weight: 650; }
        p { margin: 0 0 1rem; max-width: 70ch; }
        code { font: .86em/1.5 ui-monospace, "Liberation Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
        a { color: var(--accent); }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
        .skip { position: absolute; left: -99rem; top: 0; padding: .6rem 1rem; background: var(--accent); color: \
        var(--on-accent); z-index: 2; }
        .skip:focus { left: 0; }

        .top { padding-top: 2.4rem; padding-bottom: 1.6rem; }
        .label { display: inline-block; margin: 0; padding: .2rem .7rem; background: var(--accent); color: \
        var(--on-accent); border-radius: 3px; font-weight: 600; }
        .lead { color: var(--muted); font-size: 1.08rem; }
        .facts { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1rem 2rem; margin: 1.4rem 0; \
        max-width: 58rem; }
        dt { color: var(--muted); font-size: .85rem; }
        dd { margin: 0; overflow-wrap: anywhere; }
        .notice { margin: 0; padding: .8rem 1rem; max-width: none; background: var(--warning-surface); border-left: \
        4px solid var(--warning); }
        .notice strong { color: var(--warning); }
        .notice.good { background: var(--surface); border-color: var(--good); }
        .notice.good strong { color: var(--good); }
        nav { position: sticky; top: 0; z-index: 1; background: var(--page); border-block: 1px solid var(--line); }
        nav ul { display: flex; gap: 1.5rem; list-style: none; padding-block: .7rem; overflow-x: auto; }
        nav a { color: var(--text); text-decoration: none; }
        nav a:hover { color: var(--accent); text-decoration: underline; }

        main { padding-block: 1.8rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.5rem; }
        section { background: var(--surface); border: 1px solid var(--line); border-radius: 6px; padding: \
        clamp(1.1rem, 3vw, 2rem); }
        section > :last-child { margin-bottom: 0; }
        footer { padding-bottom: 2.5rem; color: var(--muted); font-size: .9rem; }

        #filters { display: flex; flex-wrap: wrap; gap: .8rem 1.1rem; align-items: end; margin: 0 0 1.4rem; }
        label span { display: block; color: var(--muted); font-size: .85rem; }
        select, button { font: inherit; color: var(--text); background: var(--surface); border: 1px solid \
        var(--muted); border-radius: 4px; padding: .4rem .7rem; min-height: 2.6rem; max-width: 100%; }
        select { min-width: 9rem; }
        button { cursor: pointer; }
        button:hover { border-color: var(--accent); color: var(--accent); }
        #status { flex-basis: 100%; margin: 0; font-weight: 600; }
        .pictures { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, \
        minmax(8.6rem, 1fr)); gap: 1.1rem .9rem; }
        figure { margin: 0; }
        figure img { display: block; width: 100%; height: auto; background: #000; border-radius: 4px; }
        figure button { display: block; width: 100%; padding: 0; border: 0; background: none; border-radius: 4px; }
        figure button:hover { outline: 3px solid var(--accent); outline-offset: 2px; }
        figcaption { margin-top: .35rem; font-size: .85rem; line-height: 1.4; color: var(--muted); overflow-wrap: \
        anywhere; }
        figcaption b { color: var(--text); }

        dialog { width: min(70rem, 100vw - 1.5rem); max-width: none; max-height: calc(100vh - 1.5rem); padding: 0; \
        border: 1px solid var(--line); border-radius: 8px; background: var(--surface); color: var(--text); overflow: \
        auto; }
        dialog::backdrop { background: rgb(0 0 0 / .72); }
        .sheet { padding: clamp(.9rem, 2vw, 1.5rem); }
        .bar { display: flex; gap: .5rem; align-items: center; margin-bottom: 1rem; }
        .bar h2 { flex: 1; margin: 0; }
        .bar button { min-width: 2.75rem; min-height: 2.75rem; padding: 0; }
        .pane { display: grid; grid-template-columns: minmax(0, auto) minmax(17rem, 1fr); gap: 1.6rem; align-items: \
        start; }
        #large { display: block; max-width: 100%; height: auto; background: #000; border-radius: 4px; }
        #facts { display: grid; grid-template-columns: 10.5rem minmax(0, 1fr); gap: .4rem 1rem; margin: 0; font-size: \
        .93rem; align-items: baseline; }

        .tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1.8rem \
        2.5rem; align-items: start; }
        /* Shadows at the edges show that there is more to the side; they are covered where there is none. */
        .scroll { overflow-x: auto; min-width: 0; background:
          linear-gradient(to right, var(--surface) 30%, transparent) left / 2.5rem 100% no-repeat local,
          linear-gradient(to left, var(--surface) 30%, transparent) right / 2.5rem 100% no-repeat local,
          linear-gradient(to right, var(--line), transparent) left / .9rem 100% no-repeat scroll,
          linear-gradient(to left, var(--line), transparent) right / .9rem 100% no-repeat scroll; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        caption { text-align: start; font-weight: 650; padding-bottom: .3rem; }
        th, td { text-align: start; vertical-align: top; padding: .42rem .9rem .42rem 0; border-bottom: 1px solid \
        var(--line); font-weight: 400; }
        thead th, .settings th { color: var(--muted); font-size: .9rem; }
        td:last-child, th:last-child { padding-inline-end: 0; }
        td:last-child:has(.share) { width: 45%; }
        .settings th { width: 14rem; min-width: 9rem; }
        .settings td { overflow-wrap: anywhere; min-width: 9rem; }
        .share { display: grid; grid-template-columns: minmax(3rem, 1fr) 4.6em; gap: .7rem; align-items: center; \
        white-space: nowrap; }
        .track { fill: var(--track); }
        .filled { fill: var(--accent); }
        .lineage { display: block; min-width: 60rem; max-width: 100%; height: auto; }
        .lineage text { font-size: 13px; fill: var(--text); }
        .lineage .name { font-weight: 600; }
        .lineage .detail, .lineage .heading { font-size: 12px; fill: var(--muted); }
        .box { fill: var(--page); stroke: var(--muted); }
        .edge { fill: none; stroke: var(--muted); stroke-width: 1.4; }
        .head { fill: var(--muted); }
        details { margin-top: 1.2rem; }
        summary { cursor: pointer; color: var(--accent); width: fit-content; }
        details p { margin-top: .8rem; }
        .terms { display: grid; grid-template-columns: 11rem minmax(0, 1fr); gap: .5rem 1.5rem; margin: 0; }
        .terms dt { grid-column: 1; padding-top: .15rem; }
        .terms dd { grid-column: 2; }

        @media (max-width: 46rem) {
          .pictures { grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); gap: .9rem .6rem; }
          .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .9rem 1.2rem; }
          .facts div:last-child { grid-column: 1 / -1; }
          .pane, .terms, #facts { grid-template-columns: minmax(0, 1fr); }
          .terms dd { grid-column: 1; }
          .terms dt, #facts dt { margin-top: .5rem; }
          #facts { gap: 0; }
          #filters label { flex: 1 1 8rem; }
          select { width: 100%; min-width: 0; }
          #large { width: 100%; }
        }
        @media print {
          @page { margin: 14mm; }
          html { font-size: 9.5pt; }
          body { background: none; }
          nav, .skip, #filters, dialog, summary { display: none !important; }
          details::details-content { content-visibility: visible; height: auto; }
          main { display: block; padding-block: 0; }
          .top { padding-block: 0 1rem; }
          .top, main, footer { padding-inline: 0; max-width: none; }
          .label { border: 1px solid; background: none; color: var(--accent); }
          section { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 1rem 0; }
          h2 { break-after: avoid; }
          .pictures { grid-template-columns: repeat(10, 1fr); gap: .5rem; }
          .pictures li, tr, .lineage, .tables .scroll { break-inside: avoid; }
          figcaption { font-size: 6.5pt; }
          .scroll { overflow: visible; background: none; }
          .lineage { min-width: 0; }
          .tables { grid-template-columns: 1fr 1fr; }
        }
        """
}
