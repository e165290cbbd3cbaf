import Files
import Foundation
import SampleStore

/// A Croissant 1.0 description of a sample set or of what was exported from it: JSON-LD that loaders and catalogues of
/// datasets read (Akhtar et al. 2024, https://docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html).
///
/// The description depends on the values given here alone; it reads no file.
public struct Croissant: Sendable {
    /// What a table's column or an object's key holds.
    public struct Column: Hashable, Sendable {
        /// The type of the values, as schema.org names it.
        public enum Kind: String, Sendable {
            case text = "sc:Text"
            case integer = "sc:Integer"
            case number = "sc:Float"
        }

        public let name: String
        public let kind: Kind
        /// What the column holds, in one sentence.
        public let meaning: String

        public init(_ name: String, _ kind: Kind, _ meaning: String) {
            self.name = name
            self.kind = kind
            self.meaning = meaning
        }
    }

    /// The form of the files that are described.
    public enum Layout: Sendable {
        /// The sample set itself.
        case sampleSet(PackagedFile)
        /// A folder of PNG files and a CSV table with a row for each.
        /// - Parameters:
        ///   - pattern: matches the PNG files, such as `images/*.png`.
        ///   - fileColumn: the column of `table` that names the PNG file without its folder.
        case pictures(table: PackagedFile, columns: [Column], fileColumn: String, pattern: String)
        /// One NPZ file.
        case arrays(PackagedFile)
        /// WebDataset shards: tar files with `KEY.png` and `KEY.json`.
        /// - Parameter keys: the keys of the JSON objects.
        case shards([PackagedFile], keys: [Column])
    }

    private typealias Object = [String: Any]

    public let description: SampleSetDescription
    public let name: String
    public let layout: Layout
    /// SHA-256 of the sample set's content (`SampleSetFile.contentDigest`), if it is known.
    public let content: Digest?
    /// A page about the dataset, if there is one.
    public let url: String?

    public init(
        _ description: SampleSetDescription, name: String, layout: Layout, content: Digest? = nil, url: String? = nil
    ) {
        self.description = description
        self.name = name
        self.layout = layout
        self.content = content
        self.url = url
    }

    /// JSON with sorted keys, so that the same values give the same bytes. It ends with a line feed.
    /// - Throws: the error of `JSONSerialization`, which no description causes.
    public func json() throws -> String {
        let (distribution, records) = CroissantFiles(layout: layout).objects
        let licence = Licence(description.terms.licence)
        var root: Object = [
            "@context": Croissant.context, "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0",
            "name": name,
            "description": CardText.summary(description), "license": licence.url ?? licence.text, "version": "1.0.0",
            "datePublished": description.created, "dateCreated": description.created, "creator": creators,
            "citeAs": citation,
            "creditText": description.terms.attribution,
            "usageInfo": "Permitted uses: \(description.terms.permittedUses)",
            "maintainer": ["@type": "sc:Organization", "name": description.terms.contact],
            "keywords": ["synthetic", "fundus photography", "ophthalmology", "diffusion model"],
            "digitalSourceType": ["@id": SampleSet.digitalSourceType],
            "isBasedOn": description.lineage.map(Croissant.model),
            "isLiveDataset": false, "distribution": distribution,
            "rai:dataCollection": CardText.making, "rai:dataCollectionType": ["Synthetic: made by a trained model"],
            "rai:dataLimitations": CardText.limits, "rai:personalSensitiveInformation": CardText.privacy(description),
        ]
        if !records.isEmpty { root["recordSet"] = records }
        if let content { root["identifier"] = "urn:fovea:sha256:\(content)" }
        if let url { root["url"] = url }
        let data = try JSONSerialization.data(
            withJSONObject: root, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    /// The sites whose photographs the model was trained on, or the contact where no site is named.
    private var creators: [Object] {
        let names = description.sites.isEmpty ? [description.terms.contact] : description.sites
        return names.map { ["@type": "sc:Organization", "name": $0] }
    }

    /// A BibTeX entry. Braces are removed from the names because they would end a field.
    private var citation: String {
        func plain(_ text: String) -> String { text.printable.filter { $0 != "{" && $0 != "}" } }
        let key = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
        return
            """
            @misc{\(key), title = {\(plain(name)): synthetic fundus photographs}, author = \
            {\(plain(creators.compactMap { $0["name"] as? String }.joined(separator: " and ")))}, 
            """
                + "year = {\(description.created.prefix(4))}, note = {Synthetic: made by a trained model}}"
    }

    private static func model(_ lineage: Lineage) -> Object {
        [
            "@type": "sc:CreativeWork", "name": "Model \(lineage.model)",
            "identifier": "urn:fovea:sha256:\(lineage.model)",
            "isBasedOn": (lineage.parents + lineage.parcels.map(\.digest) + lineage.trainingSets.map(\.digest)).map {
                "urn:fovea:sha256:\($0)"
            },
        ]
    }

    /// The context of Croissant 1.0, as its specification gives it.
    private static var context: Object {
        var context: Object = [
            "@language": "en", "@vocab": "https://schema.org/", "cr": "http://mlcommons.org/croissant/",
            "rai": "http://mlcommons.org/croissant/RAI/", "dct": "http://purl.org/dc/terms/",
            "sc": "https://schema.org/",
            "conformsTo": "dct:conformsTo", "data": ["@id": "cr:data", "@type": "@json"],
            "dataType": ["@id": "cr:dataType", "@type": "@vocab"],
            "examples": ["@id": "cr:examples", "@type": "@json"],
        ]
        for name in [
            "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet",
            "format", "includes",
            "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
            "repeated", "replace",
            "samplingRate", "separator", "source", "subField", "transform",
        ] { context[name] = "cr:\(name)" }
        return context
    }
}
