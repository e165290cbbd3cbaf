import Figures
import Files
import Foundation
import Reporting
import SampleStore
import Support
import Testing

/// Cards are compared whole with `Fixtures/`; `Tools/reference/croissant-check` reads the same files with mlcroissant.
/// With `FOVEA_WRITE_FIXTURES=1` the fixtures are written anew.
@Suite struct CardTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "Fixtures")

    private func compare(_ text: String, with name: String) throws {
        let url = CardTests.folder.appendingPathComponent(name)
        if ProcessInfo.processInfo.environment["FOVEA_WRITE_FIXTURES"] == "1" { try Data(text.utf8).write(to: url) }
        #expect(text == String(decoding: try Data(contentsOf: url), as: UTF8.self), "\(name)")
    }

    private func file(_ name: String) -> PackagedFile {
        PackagedFile(name: name, digest: Digest(of: Array(name.utf8)), byteCount: 1234)
    }

    static let columns = [
        Croissant.Column("file_name", .text, "The picture's file."),
        Croissant.Column("row", .integer, "The sample's row in the sample set."),
        Croissant.Column("dr_icdr", .text, "The grade that was asked for."),
        Croissant.Column("guidance", .number, "1 means none."),
    ]

    private var layouts: [(String, Croissant.Layout)] {
        [
            ("sample-set", .sampleSet(file("samples.h5"))),
            (
                "pictures",
                .pictures(
                    table: file("metadata.csv"), columns: CardTests.columns, fileColumn: "file_name",
                    pattern: "images/*.png")
            ),
            ("arrays", .arrays(file("samples.npz"))),
            (
                "shards",
                .shards(
                    [file("samples-000000.tar"), file("samples-000001.tar")], keys: Array(CardTests.columns.dropFirst())
                )
            ),
        ]
    }

    @Test func croissants() async throws {
        let description = try await ReportFixtures.file(try TemporaryFolder()).description()
        for (name, layout) in layouts {
            let json = try Croissant(description, name: "samples", layout: layout, content: Digest(of: [7])).json()
            try compare(json, with: "croissant-\(name).json")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect(
                object["@type"] as? String == "sc:Dataset"
                    && object["conformsTo"] as? String == "http://mlcommons.org/croissant/1.0")
            #expect(object["license"] as? String == "https://creativecommons.org/licenses/by/4.0/")
            #expect((object["digitalSourceType"] as? [String: String])?["@id"] == SampleSet.digitalSourceType)
            #expect(object["identifier"] as? String == "urn:fovea:sha256:\(Digest(of: [7]))")
            let distribution = try #require(object["distribution"] as? [[String: Any]])
            for file in distribution where file["@type"] as? String == "cr:FileObject" {
                #expect((file["sha256"] as? String)?.count == 64 && file["contentSize"] as? String == "1234 B")
            }
        }
    }

    @Test func datasetCard() async throws {
        let samples = try await ReportFixtures.file(try TemporaryFolder())
        let card = try DatasetCard.markdown(
            of: samples, name: "samples", files: [file("samples.h5")], content: Digest(of: [7]))
        try compare(card, with: "dataset-card.md")
    }

    @Test func modelCard() throws {
        try compare(
            try ModelCard.markdown(try ReportFixtures.model(), name: "Open model", place: "samples.h5"),
            with: "model-card.md")
        var model = try ReportFixtures.model()
        let audit =
            #"{"audit":"\#(String(repeating: "ab", count: 32))","auditLimits":["leastPower is 0.5, by default 0.8"],"#
        model.manifestJSON = audit + model.manifestJSON.dropFirst()
        #expect(
            try ModelCard.markdown(model, name: "Open model", place: "samples.h5").contains(
                "**Passed a privacy audit, by weaker limits than the usual ones (leastPower is 0.5, by default 0.8)**"))
        model.manifestJSON = #"{"kind":"fovea.snapshot"}"#
        #expect(throws: Failure(.badData, "samples.h5: manifest of \(model.digest)", "version is missing")) {
            try ModelCard.markdown(model, name: "Open model", place: "samples.h5")
        }
    }

    @Test(arguments: [
        ReportFixtures.script, "a | b\n# c", "---\nlicense: cc0-1.0", "[x](http://example.org)", "\"\\ '",
    ])
    func namesFromOutsideStayText(_ hostile: String) async throws {
        let file = try await ReportFixtures.file(
            try TemporaryFolder(),
            terms: Terms(licence: hostile, attribution: hostile, permittedUses: hostile, contact: hostile),
            siteNames: [hostile, "bonn"])
        let description = try file.description()
        let quoted = String(
            decoding: try JSONSerialization.data(
                withJSONObject: hostile, options: [.fragmentsAllowed, .withoutEscapingSlashes]), as: UTF8.self)
        let card = try DatasetCard.markdown(of: file, name: hostile)
        let plain = try DatasetCard.markdown(of: try await ReportFixtures.file(try TemporaryFolder()), name: "plain")
        // Front matter: quoted. The rest: neither markup nor HTML.
        let parts = card.components(separatedBy: "\n---\n")
        #expect(
            parts.count == 2 && !parts[1].contains("<") && !parts[1].contains("[x](") && !parts[1].contains("http://e"))
        #expect(
            card.components(separatedBy: "\n").filter { $0.hasPrefix("#") }.count
                == plain.components(separatedBy: "\n").filter { $0.hasPrefix("#") }.count)
        #expect(card.contains("\nlicense: other\nlicense_name: \(quoted)\n"))
        let json = try Croissant(description, name: hostile, layout: .sampleSet(self.file("samples.h5"))).json()
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(object["license"] as? String == hostile && object["name"] as? String == hostile)
    }

    @Test(arguments: [
        ("CC BY 4.0", "CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
        ("CC0-1.0", "CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("CC BY 9.0", nil, nil), ("CC BY 4.0, CC0-1.0", nil, nil), ("CC 4.0", nil, nil), ("", nil, nil),
        ("CC", nil, nil),
    ])
    func licences(_ text: String, _ identifier: String?, _ url: String?) {
        let licence = Licence(text)
        #expect(licence.identifier == identifier && licence.url == url && licence.text == text)
    }
}
