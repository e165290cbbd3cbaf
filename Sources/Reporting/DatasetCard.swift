import Figures
import Files
import SampleStore

/// The README.md of a sample set or of an export of it, with the front matter that Hugging Face's hub reads.
public enum DatasetCard {
    /// The card as Markdown.
    /// - Parameters:
    ///   - name: the dataset's name, for the title.
    ///   - files: the files beside the card that the card lists.
    ///   - content: SHA-256 of the sample set's content, if it is known.
    ///   - shards: a pattern of the files that hold the samples, where readers would take other files beside them for
    ///     samples, too; nil where they would not.
    /// - Throws: `Failure(.badData)` where a lineage in the file is not valid.
    public static func markdown(
        of file: SampleSetFile, name: String, files: [PackagedFile] = [], content: Digest? = nil,
        shards: String? = nil
    ) throws -> String {
        let description = try file.description(), terms = description.terms
        let runColumns = ["run", "samples", "model", "sampler", "steps", "guidance", "program", "started"]
        let fileRows = files.map { [$0.name, "\($0.byteCount)", $0.digest.description] }
        let termRows = [
            ["licence", terms.licence], ["permitted uses", terms.permittedUses], ["contact", terms.contact],
        ]
        let attributions = terms.attribution.split(separator: "\n").map { "- " + CardText.markdown(String($0)) }
            .joined(separator: "\n")
        let loading = shards.map { "\nconfigs:\n- config_name: default\n  data_files: \(CardText.yaml($0))" } ?? ""
        return """
            ---
            pretty_name: \(CardText.yaml(name))
            \(CardText.licenceLines(terms.licence))
            annotations_creators:
            - machine-generated
            task_categories:
            - image-classification
            size_categories:
            - \(sizeCategory(description.samples))
            tags:
            - synthetic
            - medical
            - ophthalmology
            - fundus-photography\(loading)
            ---

            # \(CardText.markdown(name))\(description.releasable ? "" : " (not for release)")

            **Synthetic: made by a trained model.** \(CardText.summary(description))
            \(CardText.making) Digital source type: `\(SampleSet.digitalSourceType)`.

            **\(CardText.privacy(description))**

            \(CardText.warnings(description))\(CardText.table(["", ""], facts(description, content: content)))

            ## Cohorts

            What was asked for; `unknown` is a value of its own.

            \(CardText.table(["attribute", "value", "samples"], cohorts(file)))

            ## Where the samples come from

            \(CardText.table(["model", "training set", "site", "patients", "licence"], training(description)))

            \(CardText.table(runColumns, runs(description)))
            \(files.isEmpty ? "" : "\n## Files\n\n" + CardText.table(["file", "bytes", "SHA-256"], fileRows) + "\n")
            ## Limits

            \(CardText.limits)

            ## Licence and attribution

            \(CardText.table(["", ""], termRows))

            \(attributions)

            Written by fovea \(ToolVersion.current) from what the file says of itself.

            """
    }

    private static func facts(_ description: SampleSetDescription, content: Digest?) -> [[String]] {
        [
            ["samples", NumberText.grouped(description.samples)],
            ["pixels", "\(description.width) x \(description.height), RGB"],
            ["created", description.created], ["sites", description.sites.joined(separator: ", ")],
        ] + (content.map { [["SHA-256 of the content", $0.description]] } ?? [])
    }

    /// The size category, as the hub names it.
    private static func sizeCategory(_ count: Int) -> String {
        switch count {
        case ..<1000: "n<1K"
        case ..<10_000: "1K<n<10K"
        case ..<100_000: "10K<n<100K"
        case ..<1_000_000: "100K<n<1M"
        default: "1M<n<10M"
        }
    }

    private static func cohorts(_ file: SampleSetFile) -> [[String]] {
        file.facets.flatMap { facet in
            zip(facet.texts, facet.counts()).map { [facet.name, $0, NumberText.grouped($1)] }
        }
    }

    private static func training(_ description: SampleSetDescription) -> [[String]] {
        description.lineage.flatMap { lineage in
            (lineage.trainingSets + lineage.parcels.flatMap { $0.trainingSets ?? [] }).map { set in
                let patients = set.synthetic == true ? "none: drawn pictures" : set.patients.map { "about \($0)" } ?? ""
                return [NumberText.short(lineage.model), NumberText.short(set.digest), set.site, patients, set.licence]
            }
        }
    }

    private static func runs(_ description: SampleSetDescription) -> [[String]] {
        description.runs.enumerated().map { number, run in
            [
                "\(number + 1)", NumberText.grouped(run.samples), run.model, run.sampler, "\(run.steps)",
                NumberText.number(Double(run.guidance)), "fovea \(run.toolVersion)",
                run.started,
            ]
        }
    }
}
