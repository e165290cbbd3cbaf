import Files
import Reporting
import SampleStore
import Support
import Testing

/// How many pictures a page shows, which, and how large it becomes.
@Suite struct BudgetTests {
    @Test func aThousandPicturesOfNoiseFit() async throws {
        let folder = try TemporaryFolder()
        let samples = (0..<1000).map {
            ReportFixtures.sample(
                $0, ["dr_icdr": "\($0 % 5)", "sex": "female", "camera": "Topcon"], width: 64, height: 64)
        }
        let file = try await ReportFixtures.file(folder, samples: samples, width: 64, height: 64)
        let report = try await SampleReport(of: file, name: "samples.h5")
        #expect(report.shown == 1000)
        #expect(report.html.utf8.count <= SampleReport.byteLimit)
        #expect(report.width == 64 && report.height == 64)
        // The limit is used: better copies of noise would not fit.
        #expect(report.html.utf8.count > SampleReport.byteLimit * 7 / 10)
        #expect(report.html.contains("JPEG copies (quality \(report.quality));"))
    }

    @Test func qualityGoesDownThenSize() async throws {
        let folder = try TemporaryFolder()
        let samples = (0..<40).map { ReportFixtures.sample($0, [:], width: 64, height: 48) }
        let file = try await ReportFixtures.file(folder, samples: samples, width: 64, height: 48)
        var last = 101, sizes: [Int] = []
        for limit in [600_000, 300_000, 200_000, 150_000, 120_000, 100_000] {
            let report = try await SampleReport(of: file, name: "samples.h5", byteLimit: limit)
            #expect(report.html.utf8.count <= limit)
            #expect(report.width * 48 == report.height * 64)
            if report.width == 64 {
                #expect(report.quality <= last)
            } else {
                #expect(report.html.contains("made smaller to \(report.width) x \(report.height)"))
            }
            last = report.quality
            sizes.append(report.width)
        }
        #expect(sizes.first == 64 && sizes == sizes.sorted(by: >) && (sizes.last ?? 64) < 64)
        await #expect(
            throws: Failure(
                .usage, file.path, "40 pictures do not fit on the page, however small", remedy: .showFewer)
        ) {
            try await SampleReport(of: file, name: "samples.h5", byteLimit: 50_000)
        }
    }

    @Test func aSelectionIsSpreadOverTheCohorts() async throws {
        let folder = try TemporaryFolder()
        // 30 of grade 0, then 3 of grade 4.
        let samples = (0..<33).map { ReportFixtures.sample($0, ["dr_icdr": $0 < 30 ? "0" : "4"]) }
        let file = try await ReportFixtures.file(folder, samples: samples)
        let report = try await SampleReport(of: file, name: "samples.h5", most: 9)
        #expect(report.shown == 9)
        #expect(report.html.contains("9 of 33 samples are shown, spread evenly over the cohorts."))
        #expect(
            report.html.contains("<option value=\"0\">0 (6)</option>")
                && report.html.contains("<option value=\"1\">4 (3)</option>"))
    }

    @Test func selections() {
        #expect(Selection.rows(groups: [0, 0, 0], most: 3) == [0, 1, 2])
        #expect(Selection.rows(groups: [0, 0, 0], most: 1) == [1])
        #expect(Selection.rows(groups: [0, 0, 0, 0, 1, 1], most: 4) == [1, 3, 4, 5])
        // A small group gives all it has, and the others share the rest.
        #expect(Selection.rows(groups: [0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2], most: 7) == [0, 2, 4, 6, 8, 10, 12])
        // More groups than places.
        #expect(Selection.rows(groups: Array(0..<100), most: 5) == [10, 30, 50, 70, 90])
        for most in 1...40 {
            let groups = (0..<40).map { $0 % 7 == 0 ? 0 : $0 % 3 }
            let rows = Selection.rows(groups: groups, most: most)
            #expect(rows.count == most && Set(rows).count == most && rows == rows.sorted())
            let counts = (0..<3).map { group in rows.filter { groups[$0] == group }.count }
            let sizes = (0..<3).map { group in groups.filter { $0 == group }.count }
            for group in 0..<3 where counts[group] < sizes[group] {
                #expect((counts.max() ?? 0) - counts[group] <= 1, "\(most)")
            }
        }
    }
}
