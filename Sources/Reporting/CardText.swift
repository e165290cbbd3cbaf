import Figures
import Files
import Foundation
import SampleStore

/// The sentences that all cards share, and functions that write Markdown and YAML.
enum CardText {
    static let making =
        "No picture was taken of a person. A diffusion model drew each of them for a cohort that was asked for; the "
        + "cohort, the seed, the settings and the model stand beside it."

    static func summary(_ description: SampleSetDescription) -> String {
        """
        \(NumberText.grouped(description.samples)) synthetic fundus photographs of \(description.width) x \
        \(description.height) pixels, made by a trained 
        """
            + "model (IPTC digital source type trainedAlgorithmicMedia). None is a photograph of an eye."
    }

    static let limits =
        """
        Labels are what was asked for, not what somebody saw in the picture. Fidelity, anatomy and usefulness have \
        not been 
        """
        + "measured for this set."

    static func privacy(_ description: SampleSetDescription) -> String {
        description.releasable
            ? WeakerLimits.naming(
                description.weakerLimits ?? [], "May be released", ": the set passed a privacy audit.")
            : """
            Not to be released: there is no privacy audit; whether the model repeats a photograph that it was \
            trained on has not been tested.
            """
    }

    /// The warnings of a set, a paragraph each, each followed by an empty line.
    static func warnings(_ description: SampleSetDescription) -> String {
        description.warnings.map { "**Warning: \(markdown($0))**\n\n" }.joined()
    }

    /// The text as Markdown on one line, with every character escaped that would be markup or HTML.
    static func markdown(_ text: String) -> String {
        var result = ""
        for scalar in text.readable.replacingOccurrences(of: "\n", with: "; ").unicodeScalars {
            switch scalar {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\\", "`", "*", "_", "[", "]", "|", "#", "!", "~", "$": result += "\\\(scalar)"
            default: result.unicodeScalars.append(scalar)
            }
        }
        // Without this, a web address would become a link.
        return result.replacingOccurrences(of: "://", with: ":&#47;&#47;")
    }

    /// A Markdown table.
    /// - Parameter rows: the cells, which are escaped here.
    static func table(_ head: [String], _ rows: [[String]]) -> String {
        ([head, head.map { _ in "---" }] + rows.map { $0.map(markdown) }).map {
            "| " + $0.joined(separator: " | ") + " |"
        }
        .joined(separator: "\n")
    }

    /// A quoted YAML scalar. YAML understands JSON's escapes.
    static func yaml(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let data = try? encoder.encode(text.readable) else { fatalError("a text has a JSON form") }
        return String(decoding: data, as: UTF8.self)
    }

    /// The `license` lines of the front matter. A licence that the hub does not know is `other` with its name.
    static func licenceLines(_ text: String) -> String {
        let licence = Licence(text)
        guard let identifier = licence.identifier, let url = licence.url else {
            return "license: other\nlicense_name: \(yaml(text))"
        }
        return "license: \(identifier.lowercased())\nlicense_link: \(url)"
    }
}
