import Counterfactuals
import Files
import Foundation
import Phantoms
import SampleStore
import Support
import TestFigures
import Testing

@Suite struct PairFiguresTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    /// A phantom, the same one darker, and another one.
    private func phantoms() async throws -> SampleSetFile {
        let drawn = try PhantomGenerator(patients: 8, size: 128, seed: 5).phantoms(0..<8, threads: 1)
        let own = drawn[0].pixels, other = try #require(drawn.last).pixels
        return try await MadeSamples.write(
            folder.file("p.h5"), side: 128,
            [
                (own, nil, nil), (own.map { UInt8(Double($0) * 0.9) }, "3", 0), (other, "4", 0), (other, "0", nil),
                (other, "0", 3),
            ])
    }

    @Test func `vessels that stay agree, and those of another eye do not`() async throws {
        let file = try await phantoms()
        let figures = try await PairFigures(of: file, name: "p.h5", content: "abc")
        #expect(figures.pairs.map(\.row) == [1, 2, 4] && figures.pairs.map(\.original) == [0, 0, 3])
        #expect(figures.pairs.map(\.changed) == [["dr_icdr"], ["dr_icdr"], []])
        let vessels = figures.pairs.compactMap(\.vessels)
        #expect(vessels[0] > 0.95 && vessels[1] < 0.5 && abs(vessels[2] - 1) < 1e-9, "\(vessels)")
        #expect(figures.vessels == vessels[0])
        #expect(figures.pairs[2].difference == 0 && figures.pairs[1].difference > figures.pairs[0].difference)
    }

    @Test func `the page shows every pair, and loads and runs nothing that it does not name`() async throws {
        let file = try await phantoms(), figures = try await PairFigures(of: file, name: "p<q.h5", content: "abc")
        let page = try await PairsPage(file, figures).html()
        #expect(page.contains("p&lt;q.h5: 3 counterfactuals of 2 originals."))
        #expect(page.components(separatedBy: "<section class=\"eye\">").count == 3)
        #expect(page.components(separatedBy: "class=\"other\"").count == 4)
        #expect(page.components(separatedBy: "type=\"range\"").count == 3)
        #expect(page.contains("dr_icdr 3") && page.contains("nothing changed"))
        let script = try #require(
            page.components(separatedBy: "<script>").last?.components(separatedBy: "</script>").first)
        let digest = Data(Digest(of: Array(script.utf8)).bytes).base64EncodedString()
        #expect(page.contains("script-src 'sha256-\(digest)'") && !page.contains("://"))
    }
}
