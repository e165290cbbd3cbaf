import CheckpointStore
import Figures
import Files
import Foundation
import SampleStore

/// The README.md of a model, written from its manifest.
public enum ModelCard {
    /// The part of the architecture's description that a card mentions.
    private struct Outline: Codable, Sendable {
        struct Cohort: Codable, Sendable {
            let attributes: [String]?
        }

        let width, height: Int?
        let cohort: Cohort?
    }

    /// The card as Markdown.
    /// - Parameters:
    ///   - name: the model's name, for the title.
    ///   - place: the file that errors name.
    /// - Throws: `Failure(.badData)` naming the key that is missing or wrong in the manifest.
    public static func markdown(_ model: ModelRecord, name: String, place: String) throws -> String {
        let manifest = try JSONText.decode(
            Manifest<Outline>.self, Data(model.manifestJSON.utf8), place: "\(place): manifest of \(model.digest)")
        let terms = [["licence", manifest.licence], ["permitted uses", stated(manifest.permittedUses)]]
        return """
            ---
            \(CardText.licenceLines(manifest.licence))
            tags:
            - diffusion
            - medical
            - ophthalmology
            - fundus-photography
            - image-generation
            ---

            # \(CardText.markdown(name))

            A diffusion model that draws synthetic fundus photographs. \(audit(manifest))

            \(CardText.table(["", ""], facts(manifest, digest: model.digest)))

            ## Training data

            Patients and counts are rounded to 5.

            \(CardText.table(["site", "patients", "licence", "source", "digest"], manifest.trainingData.map(row)))

            \(CardText.table(["site", "attribute", "value", "patients"], manifest.trainingData.flatMap(cohorts)))

            ## Licence and attribution

            \(CardText.table(["", ""], terms))

            \(manifest.attributions.map { "- " + CardText.markdown($0) }.joined(separator: "\n"))

            ## Settings of the training

            \(fenced(manifest.configuration))

            Written by fovea \(ToolVersion.current) from the manifest.

            """
    }

    private static func audit(_ manifest: Manifest<Outline>) -> String {
        if let audit = manifest.audit {
            let passed = WeakerLimits.naming(manifest.auditLimits ?? [], "Passed a privacy audit")
            return "**\(CardText.markdown(passed))** before it left its site (`audit.json` with SHA-256 `\(audit)`)."
        }
        let reason = manifest.unaudited.map { " It left its site without one: \(CardText.markdown($0))." } ?? ""
        return
            "**No privacy audit:** whether it repeats photographs that it was trained on has not been tested.\(reason)"
    }

    private static func facts(_ manifest: Manifest<Outline>, digest: Digest) -> [[String]] {
        var facts = [["kind", manifest.kind.rawValue], ["SHA-256", digest.description]]
        if let width = manifest.model.width, let height = manifest.model.height {
            facts.append(["pixels", "\(width) x \(height)"])
        }
        facts.append(["conditioned on", stated(manifest.model.cohort?.attributes ?? [])])
        facts.append(["training images seen", NumberText.grouped(manifest.imagesSeen)])
        facts += manifest.parents.prefix(1).map { ["trained on the base", $0] }
        return facts + [["program", "fovea \(manifest.toolVersion)"]]
    }

    private static func row(_ data: TrainingData) -> [String] {
        let sampled =
            data.sampled.map { "; \(NumberText.grouped($0)) pictures of the data set were made by a model" } ?? ""
        return [
            data.site, data.synthetic == true ? "none: drawn pictures" : "about \(data.patients)\(sampled)",
            data.licence,
            data.source, NumberText.short(data.digest),
        ]
    }

    private static func cohorts(_ data: TrainingData) -> [[String]] {
        data.cohortCounts.sorted { $0.key < $1.key }.filter { $0.value.keys.contains { $0 != "unknown" } }.flatMap {
            attribute, counts in
            counts.sorted { $0.key < $1.key }.map { [data.site, attribute, $0.key, "\($0.value)"] }
        }
    }

    private static func stated(_ texts: [String]) -> String {
        texts.isEmpty ? "none stated" : texts.joined(separator: ", ")
    }

    /// A block of YAML between fences that are longer than any row of backticks in the text.
    private static func fenced(_ text: String) -> String {
        let longest = text.split { $0 != "`" }.map(\.count).max() ?? 0
        let fence = String(repeating: "`", count: max(3, longest + 1))
        return "\(fence)yaml\n\(text.readable.trimmingCharacters(in: .newlines))\n\(fence)"
    }
}
