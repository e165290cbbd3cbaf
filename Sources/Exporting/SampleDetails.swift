import Cohorts
import Files
import Foundation
import SampleStore

/// What an export says about each picture: cohort, requests and provenance.
struct SampleDetails: Codable, Hashable {
    var row: Int
    var cohort: [String: String]
    var requests: [String: Float]
    /// The joined request that the sample was drawn for; nil where `cohort` is all that was asked for.
    var asked: String?
    /// The row of the sample that this one shows in another cohort; nil where it is no counterfactual.
    var original: Int?
    var seed: ExportedSeed
    var index: UInt64
    /// SHA-256 of the pixels, hexadecimal.
    var digest: String
    var model: String
    var run: Int
    var siteWeights: [String: Float]
    var synthetic: Bool
    var digitalSourceType: String
    var licence: String

    /// - Parameter seedsAreTexts: see `ExportedSeed.needsText`.
    init(_ set: SampleSetFile, row: Int, seedsAreTexts: Bool) {
        self.row = row
        cohort = set.cohort(row: row).values
        requests = set.requests.compactMapValues { $0[row].isNaN ? nil : $0[row] }
        asked = set.asked(row: row)
        original = set.original(row: row)
        seed = ExportedSeed(set.seeds[row], isText: seedsAreTexts)
        index = set.indices[row]
        digest = set.digests[row].description
        run = Int(set.runOfSample[row])
        model = set.runs[run].modelDigest.description
        let sites = set.siteNames.count
        siteWeights = Dictionary(
            uniqueKeysWithValues: set.siteNames.enumerated().map { ($1, set.siteWeights[row * sites + $0]) })
        synthetic = true
        digitalSourceType = SampleSet.digitalSourceType
        licence = set.terms.licence
    }

    enum CodingKeys: String, CodingKey {
        case row, cohort, requests, asked, original, seed, index, digest, model, run, synthetic, licence
        case siteWeights = "site_weights"
        case digitalSourceType = "digital_source_type"
    }

    var label: LabelledPNG.Label {
        LabelledPNG.Label(digitalSourceType: digitalSourceType, provenanceDigest: digest, modelDigest: model)
    }

    /// The details as JSON on one line with sorted keys. Numbers that can have a fraction are written with one, such as
    /// `3.0`: readers that make columns of many files take the type of a number from how it is written.
    /// - Throws: the encoder's error.
    func json() throws -> String {
        func numbers(_ values: [String: Float]) throws -> String {
            let pairs = try values.sorted { $0.key < $1.key }.map { "\(try JSONText.encoded($0.key)):\($0.value)" }
            return "{\(pairs.joined(separator: ","))}"
        }
        var rest = self
        (rest.requests, rest.siteWeights) = ([:], [:])
        // A quotation mark within a text is escaped, so what is replaced can only be these two keys.
        return try JSONText.encoded(rest)
            .replacingOccurrences(of: "\"requests\":{}", with: "\"requests\":" + numbers(requests))
            .replacingOccurrences(of: "\"site_weights\":{}", with: "\"site_weights\":" + numbers(siteWeights))
    }

    // MARK: - A table

    /// The columns of `metadata.csv`.
    static func columns(_ set: SampleSetFile) -> [String] {
        ["file_name", "file", "row"] + asked(set) + (set.joinedRequests.isEmpty ? [] : ["asked"])
            + (set.hasCounterfactuals ? ["original"] : []) + [
                "seed", "index", "run", "model", "digest", "synthetic", "digital_source_type",
            ]
    }

    /// The attributes for which anything was asked.
    static func asked(_ set: SampleSetFile) -> [String] {
        CohortSchema.attributes.map(\.name).filter { name in
            set.cohorts[name]?.codes.contains { $0 != Attribute.unspecified } == true
                || set.requests[name]?.contains { !$0.isNaN } == true
        }
    }

    /// The line of `metadata.csv`. An attribute that was left open has an empty cell.
    /// - Parameters:
    ///   - file: the picture's file without its folder.
    ///   - folder: its folder in the export, such as `images/`.
    ///   - attributes: the attributes for which anything was asked in the set.
    ///   - set: which columns there are depends on what it holds.
    func line(file: String, in folder: String, asked attributes: [String], of set: SampleSetFile) -> String {
        let cohort = attributes.map { name in
            self.cohort[name] ?? requests[name].map { "\($0)" } ?? ""
        }
        let cells =
            [folder + file, file, "\(row)"] + cohort + (set.joinedRequests.isEmpty ? [] : [asked ?? ""])
            + (set.hasCounterfactuals ? [original.map { "\($0)" } ?? ""] : []) + [
                seed.text, "\(index)", "\(run)", model, digest, "YES", digitalSourceType,
            ]
        return cells.map(SampleDetails.cell).joined(separator: ",")
    }

    /// A cell as RFC 4180 writes it. A text that a spreadsheet would take for a formula begins with an apostrophe.
    private static func cell(_ text: String) -> String {
        let isFormula = text.first.map { "=+-@\t\r".contains($0) } == true
        let safe = isFormula ? "'" + text : text
        return safe.contains { ",\"\n\r".contains($0) }
            ? "\"\(safe.replacingOccurrences(of: "\"", with: "\"\""))\"" : safe
    }

    /// What a column of `metadata.csv` or a key of the JSON beside a picture holds, in one sentence.
    static func meaning(_ name: String) -> String {
        switch name {
        case "file_name": "The PNG file with its folder, as Hugging Face's imagefolder reads it."
        case "file": "The PNG file without its folder."
        case "row": "Row of the sample set."
        case "asked": "The request for one of several cohorts, such as age_band=70-79|80+; empty where there was none."
        case "original": "Row of the sample that this one shows in another cohort; empty where it is no counterfactual."
        case "seed":
            "Seed of the noise; hexadecimal, such as 0x00000000000000ff, where a seed of the set is 2^63 or more."
        case "index": "The sample's number under its seed."
        case "run": "Run of the sampler."
        case "model": "SHA-256 of the model."
        case "digest": "SHA-256 of the pixels."
        case "synthetic": "Whether a trained model made the picture; always so."
        case "digital_source_type": "The IPTC's digital source type."
        case "licence": "Licence of the samples."
        default: "What was asked for of the attribute \(name); empty where nothing was."
        }
    }
}
