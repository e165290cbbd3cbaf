import Figures
import Files
import Foundation
import Reporting
import SampleStore
import Support
import Testing

/// The whole page, as text.
@Suite struct PageTests {
    private func page(_ folder: TemporaryFolder, _ change: (inout Settings) -> Void = { _ in }) async throws -> String {
        var settings = Settings()
        change(&settings)
        let file = try await ReportFixtures.file(
            folder, samples: settings.samples, lineage: settings.lineage, terms: settings.terms,
            siteNames: settings.siteNames,
            sampler: settings.sampler)
        return try await SampleReport(of: file, name: settings.name).html
    }

    private struct Settings {
        var samples = ReportFixtures.samples
        var lineage = ReportFixtures.lineage
        var terms = ReportFixtures.terms
        var siteNames = ["aachen", "bonn"]
        var sampler = "heun"
        var name = "samples.h5"
    }

    private func escaped(_ text: String) -> String {
        [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;")].reduce(text.readable) {
            $0.replacingOccurrences(of: $1.0, with: $1.1)
        }
    }

    /// What `pattern` finds, its first group.
    private func found(_ pattern: String, in text: String) throws -> [String] {
        let expression = try NSRegularExpression(pattern: pattern, options: .dotMatchesLineSeparators)
        return expression.matches(in: text, range: NSRange(text.startIndex..., in: text)).compactMap { match in
            Range(match.range(at: 1), in: text).map { String(text[$0]) }
        }
    }

    @Test func policyNamesTheDigestsOfStyleAndScript() async throws {
        let page = try await page(try TemporaryFolder())
        let policy = try #require(try found("Content-Security-Policy\" content=\"([^\"]*)\"", in: page).first)
        for (kind, pattern) in [("style-src", "<style>(.*?)</style>"), ("script-src", "<script>(.*?)</script>")] {
            let contents = try found(pattern, in: page)
            #expect(contents.count == 1)
            let digest = Data(Digest(of: Array((contents.first ?? "").utf8)).bytes).base64EncodedString()
            #expect(policy.contains("\(kind) 'sha256-\(digest)';"))
        }
        #expect(policy.hasPrefix("default-src 'none'; img-src data:; "))
        #expect(!page.contains(" style=") && !page.contains(" onclick="))
    }

    @Test func nothingIsLoaded() async throws {
        let page = try await page(try TemporaryFolder())
        for reference in try found("(?:src|href|srcset|action|data|poster)=\"([^\"]*)\"", in: page) {
            #expect(reference.hasPrefix("data:") || reference.hasPrefix("#"), "\(reference.prefix(60))")
        }
        #expect(!page.contains("url(http") && !page.contains("@import"))
        #expect(try found("(https?://[^\\s<\"]*)", in: page) == [SampleSet.digitalSourceType])
    }

    @Test func everyPictureHasAText() async throws {
        let page = try await page(try TemporaryFolder())
        #expect(
            try found("<li><figure><img [^>]*alt=\"([^\"]*)\">", in: page) == [
                "Synthetic fundus photograph 0: dr_icdr 3, sex female, camera Topcon",
                "Synthetic fundus photograph 1: dr_icdr 2.5, sex male, camera Topcon",
                "Synthetic fundus photograph 2: dr_icdr unknown, age_band between 0-9 and 10-19 (0.5)",
                "Synthetic fundus photograph 3: nothing in particular asked for",
            ])
        #expect(try found("(<img )", in: page).count == 5)
    }

    @Test func filtersCount() async throws {
        let page = try await page(try TemporaryFolder())
        let first = try #require(try found("<label><span>dr_icdr</span> <select>(.*?)</select>", in: page).first)
        #expect(
            try found("<option value=\"[0-9]*\">([^<]*)</option>", in: first) == [
                "all (4)", "2.5 (1)", "3 (1)", "unknown (1)", "left open (1)",
            ])
        #expect(try found("<label><span>([^<]*)</span>", in: page) == ["dr_icdr", "age_band", "sex", "camera"])
    }

    @Test func dataIsWhatTheFileSays() async throws {
        let page = try await page(try TemporaryFolder())
        let json = try #require(
            try found("<script type=\"application/json\" id=\"data\">(.*?)</script>", in: page).first)
        struct Contents: Decodable {
            struct Sample: Decodable {
                let facts: [String]
                let filters: [Int]
                let run: Int
            }
            let labels: [String]
            let samples: [Sample]
            let runs: [[[String]]]
        }
        let contents = try JSONDecoder().decode(Contents.self, from: Data(json.utf8))
        #expect(contents.samples.count == 4)
        let second = try #require(contents.samples.dropFirst().first)
        let digest = Digest(of: ReportFixtures.samples[1].pixels).description
        #expect(
            second.facts == [
                "1", "dr_icdr 2.5, sex male, camera Topcon", "\(UInt64.max)", "1", digest, "aachen 0.75, bonn 0.25",
            ])
        #expect(contents.labels.count == second.facts.count)
        #expect(second.filters == [0, 1, 1, 0] && second.run == 0)
        #expect(
            contents.runs.count == 1 && contents.runs[0].contains(["Sampler", "heun"])
                && contents.runs[0].contains(["Schedule: sigma_max", "20"]))
    }

    @Test(arguments: [
        ReportFixtures.script, ReportFixtures.attribute, "--><!--", "'; alert(1); '", "${alert(1)}",
        "a\u{202E}b\u{1B}[31m",
    ])
    func namesFromOutsideStayText(_ hostile: String) async throws {
        func page(_ name: String) async throws -> String {
            try await self.page(try TemporaryFolder()) { settings in
                settings.siteNames = [name, "bonn"]
                settings.sampler = name
                settings.name = name
                settings.terms = Terms(licence: name, attribution: name, permittedUses: name, contact: name)
                settings.samples[0].cohort["camera"] = name
                settings.samples[1].cohort["site"] = name
                settings.lineage.sites = [name]
                settings.lineage.parents = [name]
                settings.lineage.trainingSets[0].site = name
                settings.lineage.trainingSets[0].licence = name
                settings.lineage.parcels[0].name = name
                settings.lineage.parcels[0].digest = name
            }
        }
        let plain = try await page("plain"), page = try await page(hostile)
        if hostile.contains(where: { "<>\u{202E}".contains($0) }) {
            // Neither as markup nor inside of the script's data; a name in the data has escape sequences.
            #expect(!page.contains(hostile))
        }
        #expect(page.contains(escaped(hostile)))
        // The markup is the same as without hostility.
        for tag in ["<script", "</script", "<img", "<svg", "<!--", "-->", "<style", "<dialog", "<li><figure>"] {
            #expect(page.components(separatedBy: tag).count == plain.components(separatedBy: tag).count, "\(tag)")
        }
        #expect(!page.contains("\u{1B}") && !page.contains("\u{202E}"))
        let json = try #require(
            try found("<script type=\"application/json\" id=\"data\">(.*?)</script>", in: page).first)
        #expect(!json.contains("<") && !json.contains(">") && !json.contains("&"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        let runs = try #require(object["runs"] as? [[[String]]])
        #expect(runs[0].contains(["Sampler", hostile.readable]))
    }

    @Test func lineageIsDrawnAndTold() async throws {
        let page = try await page(try TemporaryFolder())
        let svg = try #require(try found("(<svg class=\"lineage\".*?</svg>)", in: page).first)
        // Two training sets, two parents, one parcel, the model, a run, the file.
        #expect(try found("(<rect class=\"box\")", in: svg).count == 8)
        #expect(try found("(<path class=\"edge\")", in: svg).count == 7)
        for text in [
            "Site aachen", "Site bonn", "drawn pictures, CC BY 4.0", "mixed in with 0.25", "Run 1: 4 samples",
            "saw 1,200 images",
        ] {
            #expect(svg.contains(text), "\(text)")
        }
        let words = try #require(try found("<details>(.*?)</details>", in: page).first)
        for parent in ReportFixtures.lineage.parents { #expect(words.contains(parent)) }
        #expect(words.contains("about 40 patients, CC0-1.0"))
    }

    @Test func aHundredSitesAreOneBoxMore() async throws {
        let page = try await page(try TemporaryFolder()) { settings in
            settings.lineage.parents = []
            settings.lineage.parcels = []
            settings.lineage.trainingSets = (0..<100).map {
                Lineage.TrainingSet(digest: Digest(of: [UInt8($0)]).description, site: "site-\($0)", licence: "CC0-1.0")
            }
        }
        let svg = try #require(try found("(<svg class=\"lineage\".*?</svg>)", in: page).first)
        #expect(try found("(<rect class=\"box\")", in: svg).count == 12 + 3)
        #expect(svg.contains("and 89 more"))
        #expect(page.contains("the site site-99 "))
    }

    @Test(arguments: ["light", "dark"]) func coloursCanBeRead(_ scheme: String) throws {
        let blocks = try found(":root \\{(.*?)\\}", in: ReportStyle.source)
        #expect(blocks.count == 2)
        let block = blocks[scheme == "light" ? 0 : 1]
        func luminance(_ name: String) throws -> Double {
            let digits = try #require(try found("--\(name): #([0-9a-f]{6})", in: block).first)
            let number = try #require(Int(digits, radix: 16))
            let linear = [16, 8, 0].map { shift in
                let value = Double((number >> shift) & 255) / 255
                return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
            }
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        }
        for (front, behind) in [
            ("text", "page"), ("text", "surface"), ("muted", "page"), ("muted", "surface"), ("accent", "page"),
            ("accent", "surface"),
            ("on-accent", "accent"), ("warning", "warning-surface"), ("text", "warning-surface"), ("good", "surface"),
        ] {
            let pair = [try luminance(front), try luminance(behind)].sorted()
            // WCAG 2.2, 1.4.3.
            #expect((pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, "\(front) on \(behind)")
        }
    }
}
