import Files

/// A piece of HTML or SVG.
///
/// Text from outside enters only through interpolation, which escapes it for elements and for quoted attributes alike.
/// Names of sites, cameras and contacts come from other people's files, so their content is shown and never run.
package struct HTML: ExpressibleByStringInterpolation, Sendable {
    package private(set) var source: String

    /// A literal in our own source code: both `HTML("...")` and `"..."` are markup.
    package init(stringLiteral markup: String) { source = markup }

    /// Takes text that is known to be markup: base64, a digest, our own style and script.
    package init(verbatim markup: String) { source = markup }

    package init(stringInterpolation: StringInterpolation) { source = stringInterpolation.source }

    /// Escapes the texts that are interpolated. Pieces of HTML are inserted as they are.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var source: String

        package init(literalCapacity: Int, interpolationCount: Int) {
            source = ""
            source.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { source += literal }
        package mutating func appendInterpolation(_ text: String) { source += HTML.escaped(text) }
        package mutating func appendInterpolation(_ number: Int) { source += String(number) }
        package mutating func appendInterpolation(_ piece: HTML) { source += piece.source }
        package mutating func appendInterpolation(_ pieces: [HTML]) { pieces.forEach { source += $0.source } }
    }

    /// An element: `<name a="b">content</name>`, or `<name a="b"/>` if there is no content. Values are escaped.
    package static func element(
        _ name: String, _ attributes: KeyValuePairs<String, String>, _ content: HTML? = nil
    ) -> HTML {
        let pairs = attributes.map { " \($0)=\"\(escaped($1))\"" }.joined()
        return HTML(verbatim: content.map { "<\(name)\(pairs)>\($0.source)</\(name)>" } ?? "<\(name)\(pairs)/>")
    }

    /// Replaces characters that mean something in HTML by references, and characters that change the direction of
    /// writing or control a terminal by `?`.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.readable.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Sequence<HTML> {
    /// The pieces, joined without a separator.
    package var joined: HTML { HTML(verbatim: map(\.source).joined()) }
}

extension String {
    /// The same as `printable`, but line feeds stay.
    package var readable: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable }.joined(separator: "\n")
    }

    /// The text, or its start and `…` if it has more than `count` characters.
    package func shortened(to count: Int) -> String { self.count <= count ? self : prefix(count - 1) + "…" }
}

extension Sequence<String> {
    /// The pieces as a list for a person: `a, b and c`.
    package var listed: String {
        let all = Array(self)
        guard let last = all.last, all.count > 1 else { return all.first ?? "" }
        return all.dropLast().joined(separator: ", ") + " and " + last
    }
}
