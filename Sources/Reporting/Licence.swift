/// A licence as a file states it. A known licence also has its public names.
package struct Licence: Hashable, Sendable {
    /// What the file states.
    package let text: String
    /// The SPDX identifier, such as `CC-BY-4.0`; nil for a licence that is not known.
    package let identifier: String?
    /// The address of the licence's text; nil for a licence that is not known.
    package let url: String?

    package init(_ text: String) {
        self.text = text
        let name = text.uppercased().split { $0 == " " || $0 == "-" || $0 == "_" }.joined(separator: "-")
        let version = name.split(separator: "-").last.map(String.init) ?? ""
        let kind = name.dropFirst(3).dropLast(version.count + 1)
        if name == "CC0-1.0" || name == "CC0" {
            (identifier, url) = ("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/")
        } else if name.hasPrefix("CC-"), ["BY", "BY-SA", "BY-NC", "BY-NC-SA", "BY-ND", "BY-NC-ND"].contains(kind),
            ["2.0", "2.5", "3.0", "4.0"].contains(version)
        {
            (identifier, url) = (name, "https://creativecommons.org/licenses/\(kind.lowercased())/\(version)/")
        } else {
            (identifier, url) = (nil, nil)
        }
    }
}
