import Figures
import Files
import Foundation
import Pictures
import Reporting
import SampleStore

/// `P.pairs.html`: each original of a set beside its counterfactuals, with a slider between two pictures and a strip of
/// all of them.
package struct PairsPage {
    private let file: SampleSetFile
    private let figures: PairFigures
    /// The originals that are shown, each with the rows of its counterfactuals.
    private let groups: [(original: Int, changed: [PairFigures.Pair])]

    /// The most pictures on a page, so that it stays small enough for mail.
    private static let most = 240
    private static let byteLimit = 7_000_000
    /// How many times as bright as it is a difference is shown.
    private static let brightness = 8

    package init(_ file: SampleSetFile, _ figures: PairFigures) {
        self.file = file
        self.figures = figures
        var groups: [(original: Int, changed: [PairFigures.Pair])] = [], shown = 0
        for original in 0..<file.count where file.original(row: original) == nil {
            let changed = figures.pairs.filter { $0.original == original }
            guard groups.isEmpty || shown + 1 + changed.count <= PairsPage.most else { break }
            groups.append((original, changed))
            shown += 1 + changed.count
        }
        self.groups = groups
    }

    /// - Throws: `Failure(.badData)` where the pictures are damaged; `Failure(.usage)` where they cannot fit.
    package func html() async throws -> String {
        let rows = groups.flatMap { [$0.original] + $0.changed.map(\.row) }
        let uris = try await ReportPictures(of: file, rows: rows, byteLimit: PairsPage.byteLimit).uris
        let pictures = Dictionary(uniqueKeysWithValues: zip(rows, uris))
        var sections: [HTML] = []
        for group in groups {
            var parts = [figure(group.original, pictures, nil, difference: nil)]
            for pair in group.changed {
                parts.append(figure(pair.row, pictures, pair, difference: try await differenceURI(pair.row)))
            }
            sections.append(section(group.original, pictures, parts))
        }
        let body: HTML = """
            <header>
            <p class="label">Synthetic photographs</p>
            <h1>The same eyes in other cohorts</h1>
            \(HTML.list(sentences))
            </header>
            \(sections)
            \(explanation)
            """
        return PlainPage.html(
            title: "Counterfactuals of \(figures.samples)", body: body,
            style: PlainPage.labelsAndNumbers + PairsPage.style, isPrivate: false, script: PairsPage.script
        ).source
    }

    /// What was found, in whole sentences.
    private var sentences: [String] {
        let originals = Set(figures.pairs.map(\.original)).count
        var all = [
            "\(figures.samples): \(figures.pairs.count.of("counterfactual")) of \(originals.of("original"))"
                + (groups.count < originals ? "; the first \(groups.count) are shown." : ".")
        ]
        if let vessels = figures.vessels {
            all.append(
                "The vessels of a counterfactual agree with its original's by \(vessels.two) (median; 1 is the same).")
        }
        if let reading = figures.reading { all += reading.sentences }
        return all
    }

    private var explanation: HTML {
        """
        <section>
        <h2>How to read this page</h2>
        <p>No picture shows a person. A counterfactual has the noise and the cohort of its original down to one level \
        of noise, and another cohort from there on. So it answers what the model would have drawn in this eye had \
        it been asked for something else. It does not say what becomes of an eye in time, and a model draws what it \
        has learned: a sign that few photographs of a grade show may be missing.</p>
        <p>Vessels: the correlation of what a vessel filter finds in both pictures. New lesions lower it, too, because \
        the filter answers to them. Difference: the mean over the colours, shown \
        \(PairsPage.brightness) times as bright as it is.</p>
        </section>

        """
    }

    private func section(_ original: Int, _ pictures: [Int: String], _ figures: [HTML]) -> HTML {
        let changed = groups.first { $0.original == original }?.changed ?? []
        let first = changed.max { $0.difference < $1.difference }?.row ?? original
        return """
            <section class="eye">
            <h2>Row \(original): \(asked(original, all: true))</h2>
            <div class="compare" hidden>
            <div class="pair">\(image(pictures[original], "row \(original)", "original"))\
            \(image(pictures[first], "its counterfactual", "changed"))</div>
            <label>Original <input type="range" min="0" max="100" value="50"> changed</label>
            </div>
            <div class="strip">
            \(figures)
            </div>
            </section>

            """
    }

    private func figure(
        _ row: Int, _ pictures: [Int: String], _ pair: PairFigures.Pair?, difference: String?
    ) -> HTML {
        var lines = [
            pair.map { $0.changed.isEmpty ? "nothing changed" : asked($0.row, only: $0.changed) } ?? "original"
        ]
        if let vessels = pair?.vessels { lines.append("vessels \(vessels.two)") }
        if let reading = figures.reading { lines.append(reading.text(row: row)) }
        return """
            <figure>
            \(image(pictures[row], "row \(row): \(lines.joined(separator: ", "))", pair == nil ? "own" : "other"))
            <figcaption>\(lines.map { "<span>\($0)</span>" as HTML })</figcaption>
            \(difference.map { image($0, "difference of row \(row) to its original", "difference") } ?? "")
            </figure>

            """
    }

    private func image(_ uri: String?, _ text: String, _ kind: String) -> HTML {
        .element("img", ["class": kind, "src": uri ?? "", "alt": text])
    }

    private func asked(_ row: Int, all: Bool = false, only: [String] = []) -> String {
        let values = file.askedValues(row: row).filter { all || only.contains($0.key) }
        let gone = only.filter { values[$0] == nil }.map { "\($0) left open" }
        let texts = values.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" } + gone
        return texts.isEmpty ? "nothing asked for" : texts.joined(separator: ", ")
    }

    private func differenceURI(_ row: Int) async throws -> String {
        let map = try await file.map(SampleSet.difference, rows: [row])
        let grey = map.flatMap { [UInt8](repeating: UInt8(min(255, PairsPage.brightness * Int($0))), count: 3) }
        let jpeg = try Picture(width: file.width, height: file.height, pixels: grey).jpegData(quality: 70)
        return "data:image/jpeg;base64," + jpeg.base64EncodedString()
    }

    private static let style = """
        .compare { display: grid; gap: .5rem; justify-items: start; margin-bottom: 1rem; }
        .pair { position: relative; width: min(512px, 100%); aspect-ratio: 1; }
        .pair img { position: absolute; inset: 0; width: 100%; height: 100%; }
        .compare label { display: flex; gap: .6rem; align-items: center; }
        .strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .8rem; }
        figure { margin: 0; }
        figure img { width: 100%; display: block; }
        figure button { all: unset; display: block; width: 100%; cursor: pointer; }
        figure button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
        figure.chosen .other { outline: 3px solid var(--accent); }
        figcaption span { display: block; font-size: .85rem; color: var(--muted); }
        """

    /// Moves the slider, and takes another counterfactual of the strip under it.
    private static let script = """
        'use strict';
        for (const eye of document.querySelectorAll('.eye')) {
          const compare = eye.querySelector('.compare'), changed = compare.querySelector('.changed');
          const slider = compare.querySelector('input');
          const cut = () => { changed.style.clipPath = `inset(0 0 0 ${100 - slider.value}%)`; };
          slider.addEventListener('input', cut);
          cut();
          for (const image of eye.querySelectorAll('.other')) {
            const figure = image.parentElement, button = document.createElement('button');
            button.type = 'button';
            image.replaceWith(button);
            button.append(image);
            if (image.src === changed.src) figure.classList.add('chosen');
            button.addEventListener('click', () => {
              changed.src = image.src;
              changed.alt = image.alt;
              for (const other of eye.querySelectorAll('figure')) other.classList.remove('chosen');
              figure.classList.add('chosen');
            });
          }
          compare.hidden = false;
        }
        """
}

extension CohortReading {
    /// What was read, in whole sentences.
    package var sentences: [String] {
        var all: [String] = []
        if let spearman {
            all.append(
                """
                Classifiers that were trained on \(photographs.of("photograph")) read \(attribute) in the \
                counterfactuals with a rank correlation of \(spearman.two) to what was asked for\
                \(beside(photographSpearman?.two, "; in photographs that they did not see, with one of ")).
                """)
        }
        if let obeyed {
            all.append(
                """
                The most probable \(attribute) is the one that was asked for in \(obeyed.percent)\
                \(beside(photographsRead?.percent, "; in unseen photographs the known one in ")).
                """)
        }
        return all
    }

    private func beside(_ figure: String?, _ words: String) -> String { figure.map { words + $0 } ?? "" }

    /// What is read in a row, such as `dr_icdr read as 2.8`.
    func text(row: Int) -> String {
        if let places { return "\(attribute) read as \(String(format: "%.1f", places[row]))" }
        let (name, probability) = zip(classes, probabilities[row]).max { $0.1 < $1.1 } ?? ("", 0)
        return "\(attribute) read as \(name) (\(probability.percent))"
    }
}

extension Double {
    fileprivate var two: String { String(format: "%.2f", self) }
    fileprivate var percent: String { "\(Int((100 * self).rounded())) %" }
}
