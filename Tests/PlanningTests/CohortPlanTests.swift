import CheckpointStore
import Cohorts
import Datasets
import Files
import Pictures
import Planning
import Sampling
import Support
import Testing
import Training

@Suite("A plan of what to draw")
struct CohortPlanTests {
    /// Photographs of the train split, one for each patient, unless `each` says otherwise; `heldOut` in the holdout.
    private func photographs(
        _ counts: [(cohort: [String: String], patients: Int)], each: Int = 1, heldOut: Int = 0
    ) -> [PatientTable.Photograph] {
        counts.enumerated().flatMap { cell, entry in
            (0..<entry.patients).flatMap { patient in
                (0..<each).map { _ in
                    PatientTable.Photograph(
                        patient: "\(cell)-\(patient)", split: .train, cohort: Cohort(entry.cohort))
                }
            }
                + (0..<heldOut).map {
                    .init(patient: "held \(cell)-\($0)", split: .holdout, cohort: Cohort(entry.cohort))
                }
        }
    }

    private func plan(
        _ counts: [(cohort: [String: String], patients: Int)], each: Int = 1, heldOut: Int = 0, by: [String],
        _ target: CohortTarget = .equal, dose: Double? = nil, joins: Bool = false
    ) throws -> CohortPlan {
        try CohortPlan(
            photographs(counts, each: each, heldOut: heldOut), by: by, target: target, dose: dose,
            joinsSmallCells: joins, place: "site.h5")
    }

    @Test("every cell gets what it lacks to the largest; too few patients are refused, and few are named")
    func equal() throws {
        let plan = try plan(
            [
                (["dr_icdr": "0"], 50), (["dr_icdr": "1"], 10), (["dr_icdr": "3"], 25), (["dr_icdr": "4"], 4),
                ([:], 3),
            ], each: 2, by: ["dr_icdr"])
        #expect(plan.cells.map(\.text) == ["dr_icdr=0", "dr_icdr=1", "dr_icdr=3", "dr_icdr=4"])
        #expect(plan.cells.map(\.patients) == [50, 10, 25, 4])
        #expect(plan.cells.map(\.photographs) == [100, 20, 50, 8])
        #expect(plan.cells.map(\.toSample) == [0, 80, 50, 0])
        #expect(plan.cells.map(\.isRefused) == [false, false, false, true])
        #expect(plan.cells.map(\.restsOnFew) == [false, true, false, false])
        #expect(plan.unknownPhotographs == 6 && plan.unknownPatients == 3)
        #expect(plan.toSample == 130 && plan.wanted == 130 && abs(plan.dose - 130.0 / 178) < 1e-12)
        #expect(plan.table == "count,dr_icdr\n80,1\n50,3\n")
        #expect(plan.notes.contains { $0.contains("dr_icdr=4 (4)") && $0.hasPrefix("refused") })
        #expect(plan.notes.contains { $0.contains("dr_icdr=1 (80 pictures from 10 patients)") })
        #expect(plan.notes.contains { $0.hasPrefix("in no cell: 6 photographs of 3 patients") })
    }

    @Test("a largest cell of too few patients is no target")
    func refusedLargest() throws {
        var counts = photographs([(["sex": "female"], 20)])
        for _ in 0..<90 { counts.append(.init(patient: "one", split: .train, cohort: Cohort(["sex": "male"]))) }
        let plan = try CohortPlan(counts, by: ["sex"], target: .equal, place: "site.h5")
        #expect(plan.cells.map(\.target) == [20, 20] && plan.toSample == 0)
        #expect(plan.summary == "nothing is to be drawn: each cell that is not refused has reached its target")
    }

    @Test("the dose takes the same part of every cell, and no picture is lost by rounding")
    func dose() throws {
        let counts: [([String: String], Int)] = [
            (["dr_icdr": "0"], 100), (["dr_icdr": "1"], 71), (["dr_icdr": "2"], 41), (["dr_icdr": "3"], 7),
        ]
        let whole = try plan(counts, by: ["dr_icdr"]), half = try plan(counts, by: ["dr_icdr"], dose: 0.5)
        // Steps of five, of which none goes beyond the target or the dose.
        #expect(whole.cells.map(\.toSample) == [0, 25, 55, 90])
        #expect(whole.wanted == 181 && half.wanted == 181)
        #expect(half.cells.map(\.toSample) == [0, 15, 35, 55])
        let fraction = try plan([(["dr_icdr": "0"], 85), (["dr_icdr": "1"], 15)], by: ["dr_icdr"], dose: 0.3)
        #expect(fraction.toSample == 30)
        // Never more than four pictures for each photograph.
        let least = try plan([(["dr_icdr": "0"], 10), (["dr_icdr": "1"], 10)], by: ["dr_icdr"], .interval(0.05))
        #expect(least.toSample == 80 && least.wanted > 80)
    }

    @Test("shares are reached without taking photographs away")
    func shares() throws {
        let target = CohortTarget.shares([["0"]: 0.5, ["1"]: 0.3, ["2"]: 0.2, ["4"]: 0])
        let counts: [([String: String], Int)] = [
            (["dr_icdr": "0"], 60), (["dr_icdr": "1"], 45), (["dr_icdr": "2"], 6), (["dr_icdr": "4"], 9),
        ]
        let plan = try plan(counts, by: ["dr_icdr"], target)
        // 45 are three tenths of 150.
        #expect(plan.cells.map(\.target) == [75, 45, 30, 0] && plan.cells.map(\.toSample) == [15, 0, 20, 0])
        let absent = try self.plan([(["dr_icdr": "0"], 60)], by: ["dr_icdr"], target)
        #expect(absent.cells.map(\.text) == ["dr_icdr=0", "dr_icdr=1", "dr_icdr=2", "dr_icdr=4"])
        #expect(absent.cells.map(\.isRefused) == [false, true, true, true] && absent.toSample == 0)
    }

    @Test("small cells are joined with a neighbour along the attribute whose values have an order")
    func joined() throws {
        let counts: [([String: String], Int)] = [
            (["sex": "female", "age_band": "50-59"], 30), (["sex": "female", "age_band": "60-69"], 9),
            (["sex": "female", "age_band": "70-79"], 4), (["sex": "female", "age_band": "80+"], 3),
            (["sex": "male", "age_band": "50-59"], 20), (["sex": "male", "age_band": "80+"], 4),
            (["sex": "other", "age_band": "70-79"], 3), (["sex": "other", "age_band": "80+"], 2),
        ]
        let plan = try plan(counts, by: ["sex", "age_band"], joins: true)
        #expect(
            plan.cells.map(\.text) == [
                "sex=female, age_band=50-59", "sex=female, age_band=60-69", "sex=female, age_band=70-79|80+",
                "sex=male, age_band=50-59|80+", "sex=other, age_band=70-79|80+",
            ])
        #expect(plan.cells.map(\.patients) == [30, 9, 7, 24, 5])
        // Of 3 and 2 patients, counts that are rounded to 5 do not show that there are five together.
        #expect(plan.cells.map(\.isRefused) == [false, false, false, false, true])
        #expect(plan.table.contains("20,female,70-79|80+\n"))
        // Grades without an order among them stay alone.
        let grades = try self.plan(
            [(["dr_icdr": "4"], 9), (["dr_icdr": "ungradable"], 2)], by: ["dr_icdr"], joins: true)
        #expect(grades.cells.map(\.text) == ["dr_icdr=4", "dr_icdr=ungradable"])
        // What only a table names stands at its place in the order, too.
        let shares = CohortTarget.shares([["0"]: 0.2, ["1"]: 0.2, ["2"]: 0.2, ["3"]: 0.2, ["4"]: 0.2])
        let gaps = try self.plan(
            [(["dr_icdr": "0"], 60), (["dr_icdr": "2"], 6), (["dr_icdr": "4"], 9)], by: ["dr_icdr"], shares, joins: true
        )
        #expect(gaps.cells.map(\.text) == ["dr_icdr=0", "dr_icdr=1|2|3", "dr_icdr=4"])
    }

    @Test("what is joined or drawn alone, a model of these photographs draws")
    func drawable() async throws {
        let folder = try TemporaryFolder()
        let counts: [([String: String], Int)] = [
            (["sex": "female", "age_band": "40-49"], 30), (["sex": "female", "age_band": "60-69"], 4),
            (["sex": "female", "age_band": "70-79"], 2), (["sex": "female", "age_band": "80+"], 3),
            (["sex": "male", "age_band": "50-59"], 7), (["sex": "male", "age_band": "80+"], 1),
            (["sex": "other", "age_band": "0-9"], 3), (["sex": "other", "age_band": "10-19"], 2),
        ]
        let photographs = photographs(counts)
        let writer = try await DatasetWriter(
            path: folder.file("site.h5"), size: 16, info: DatasetInfo(site: "a", source: "t"))
        try await writer.append(
            photographs.map {
                DatasetRecord(
                    pixels: [UInt8](repeating: 0, count: 16 * 16 * 3),
                    fieldOfView: FieldOfView(centerX: 8, centerY: 8, radius: 8, top: 0, bottom: 16), cohort: $0.cohort,
                    patient: $0.patient, split: $0.split)
            })
        try await writer.finish()
        let dataset = try await DatasetFile.open(folder.file("site.h5"))
        let seen = SeenCohorts([TrainingData(dataset, attributes: ["sex", "age_band"])])
        let plan = try CohortPlan(
            photographs, by: ["sex", "age_band"], target: .equal, joinsSmallCells: true, place: "site.h5")
        let requests = try SamplingPlan(contentsOf: folder.write(Array(plan.table.utf8), "plan.csv")).requests
        try #require(Set(requests).count == 2)
        let refused = Set(requests).compactMap { seen.refusal(of: $0) }
        #expect(refused.isEmpty, "\(refused)")
        // And what is refused here is refused there.
        for cell in plan.cells where cell.isRefused {
            let text = cell.cohort.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
            let request = try CohortRequest(text)
            #expect(seen.refusal(of: request) != nil, "\(text)")
        }
        #expect(plan.cells.count { $0.isRefused } > 0)
    }

    @Test("sampling takes the table, quotes and joined values included")
    func table() throws {
        let folder = try TemporaryFolder()
        let plan = try plan(
            [
                (["camera": "Maker, \"model\" 1", "age_band": "0-9"], 40), (["camera": "B", "age_band": "0-9"], 5),
                (["camera": "B", "age_band": "10-19"], 3), (["camera": "B", "age_band": "20-29"], 4),
                (["camera": "Maker, \"model\" 1", "age_band": "10-19"], 6),
            ], by: ["camera", "age_band"], joins: true)
        let path = try folder.write(Array(plan.table.utf8), "plan.csv")
        let read = try SamplingPlan(contentsOf: path)
        #expect(read.count == plan.toSample && plan.toSample > 0)
        func text(_ cohort: [String: String]) -> String {
            cohort.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: ", ")
        }
        let asked = Set(read.requests.map(\.text))
        #expect(asked == Set(plan.cells.filter { $0.toSample > 0 }.map { text($0.cohort) }), "\(asked)")
    }

    @Test("what cannot be planned is said")
    func refusals() throws {
        expectFailure(.badData, "no photograph of the train split has a known value of sex and of dme") {
            try plan([(["sex": "female"], 9)], by: ["sex", "dme"])
        }
        expectFailure(.badData, "camera=A|B has a |, which stands between several values in a plan; rename the value") {
            try plan([(["camera": "A|B"], 9), (["camera": "C"], 9)], by: ["camera"])
        }
        expectFailure(.badData, "expected at most 500; name fewer attributes, found 501") {
            try plan((0...500).map { (["camera": "C\($0)"], 1) }, by: ["camera"])
        }
    }
}

@Suite("How exactly a sensitivity can be told")
struct SensitivityIntervalTests {
    /// scipy 1.17.1: `binomtest(round(0.8 * n), n).proportion_ci(0.95, "exact")`, half of high - low.
    @Test(
        "half-widths of exact intervals",
        arguments: [(1, 0.4875), (5, 0.355684), (20, 0.18964), (75, 0.095922), (100, 0.082594), (400, 0.040357)])
    func halfWidths(_ patients: Int, _ width: Double) throws {
        #expect(abs(try #require(SensitivityInterval.halfWidth(patients: patients)) - width) < 1e-5)
    }

    @Test("the fewest patients for a half-width")
    func fewest() throws {
        #expect(SensitivityInterval.halfWidth(patients: 0) == nil)
        for width in [0.4, 0.1, 0.05] {
            let patients = SensitivityInterval.patients(for: width)
            #expect(try #require(SensitivityInterval.halfWidth(patients: patients)) <= width)
            if patients > 5 { #expect(try #require(SensitivityInterval.halfWidth(patients: patients - 5)) > width) }
        }
    }
}

@Suite("The table of shares")
struct CohortTargetTests {
    private func target(_ text: String, by attributes: [String] = ["dr_icdr"]) throws -> CohortTarget {
        let folder = try TemporaryFolder()
        return try CohortTarget(shares: folder.write(Array(text.utf8), "shares.csv"), by: attributes)
    }

    @Test("shares and percentages are read, in any order of the columns")
    func read() throws {
        #expect(try target("dr_icdr,share\n0,0.75\n4,0.25\n") == .shares([["0"]: 0.75, ["4"]: 0.25]))
        #expect(
            try target("share,sex,dr_icdr\n25,male,0\n75,female,1\n", by: ["dr_icdr", "sex"])
                == .shares([["0", "male"]: 0.25, ["1", "female"]: 0.75]))
    }

    @Test(
        "what is wrong is said with the line",
        arguments: [
            ("dr_icdr\n0\n", "columns: expected dr_icdr, share, found dr_icdr"),
            ("dr_icdr,share\n7,1\n", "line 2 dr_icdr: expected 0, 1, 2, 3, 4, ungradable, found \"7\""),
            ("dr_icdr,share\n0,-1\n", "line 2 share: expected 0, or a number from 1e-05 on, found \"-1\""),
            (
                "dr_icdr,share\n0,1\n1,5.55e-17\n",
                "line 3 share: expected 0, or a number from 1e-05 on, found \"5.55e-17\""
            ),
            ("dr_icdr,share\n0,0.5\n0,0.5\n", "line 3 names 0 a second time"),
            ("dr_icdr,share\n0,0.5\n1,0.4\n", "share: expected a sum of 1, or of 100 for percentages, found 0.9"),
        ])
    func wrong(_ text: String, _ sentence: String) {
        let problem = #expect(throws: Failure.self) { try target(text) }
        #expect(problem?.kind == .badData)
        #expect(problem.map { "\($0.place ?? "") \($0.sentence)" }?.contains(sentence) == true, "\(problem as Any)")
    }
}
