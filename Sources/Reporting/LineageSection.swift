import Figures
import SampleStore

/// Where the samples come from, as a drawing and in words.
struct LineageSection: Sendable {
    let content: ReportContent

    var html: HTML {
        """
        <section id="lineage" aria-labelledby="lineage-title">
        <h2 id="lineage-title">Lineage</h2>
        <p>From the photographs that the model was trained on, at the left, to this file, at the right.</p>
        <div class="scroll" role="region" aria-labelledby="lineage-title" tabindex="0">
        \(LineageDrawing(content: content).svg)
        </div>
        <details><summary>The same in words</summary>
        \(content.description.lineage.map(model))</details>
        </section>
        """
    }

    private func model(_ lineage: Lineage) -> HTML {
        let runs = content.description.runs.enumerated().filter { $0.element.model == lineage.model }
        let seen = lineage.imagesSeen.map { ", which saw \(NumberText.grouped($0)) training images" } ?? ""
        let made = runs.map { "run \($0.offset + 1) (\(NumberText.grouped($0.element.samples)) samples)" }
        return """
            <p>The model <code>\(lineage.model)</code>\(seen), made the samples of \
            \(made.isEmpty ? "no run of this file" : made.listed).</p>
            <ul>
            \(lineage.trainingSets.map { "<li>It was trained on \(LineageSection.words($0)).</li>\n" as HTML })\
            \(parents(lineage.parents))\
            \(lineage.parcels.map(parcel))</ul>

            """
    }

    /// The chain of parents, the nearest first.
    private func parents(_ digests: [String]) -> HTML {
        guard !digests.isEmpty else { return "" }
        return
            """
            <li>Its training began with the weights \
            \(digests.map { "<code>\($0)</code>" as HTML }.joined(", which came from ")).</li>\n
            """
    }

    private func parcel(_ parcel: Lineage.Parcel) -> HTML {
        let sets = (parcel.trainingSets ?? []).map(LineageSection.words)
        return """
            <li>\(parcel.name) <code>\(parcel.digest)</code> was \(parcel.relation)\
            \(sets.isEmpty ? "" : "; trained on \(sets.joined("; "))" as HTML).</li>

            """
    }

    private static func words(_ set: Lineage.TrainingSet) -> HTML {
        "the training set <code>\(set.digest)</code> of the site \(set.site) (\(details(set).joined(separator: ", ")))"
    }

    /// The number of patients, or that the pictures were drawn, and the licence.
    static func details(_ set: Lineage.TrainingSet) -> [String] {
        var details: [String] = []
        if set.synthetic == true {
            details.append("drawn pictures")
        } else if let patients = set.patients {
            details.append("about \(NumberText.grouped(patients)) patients")
        }
        return details + [set.licence.isEmpty ? "no licence stated" : set.licence]
    }
}

extension Sequence<HTML> {
    func joined(_ separator: HTML) -> HTML { HTML(verbatim: map(\.source).joined(separator: separator.source)) }
}
