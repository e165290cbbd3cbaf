import CheckpointStore
import Cohorts
import Datasets
import Diffusion
import Files
import Pictures
import Support
import Testing
import Training

@Suite struct CohortSupportTests {
    /// A data set of one grey pixel a photograph; `rows` are patient, grade, sex, camera.
    private func dataset(_ rows: [(String, String, String, String)], split: Split = .train) async throws -> (
        TemporaryFolder, DatasetFile
    ) {
        let folder = try TemporaryFolder()
        let path = folder.file("data.h5")
        let writer = try await DatasetWriter(path: path, size: 8, info: DatasetInfo(site: "here", source: "made"))
        let records = rows.map { patient, grade, sex, camera in
            DatasetRecord(
                pixels: [UInt8](repeating: 100, count: 192),
                fieldOfView: FieldOfView(centerX: 4, centerY: 4, radius: 4, top: 0, bottom: 8),
                cohort: Cohort(["dr_icdr": grade, "sex": sex, "camera": camera]), patient: patient, split: split)
        }
        try await writer.append(records)
        try await writer.finish()
        return (folder, try await DatasetFile.open(path))
    }

    private func rows(_ count: Int, _ first: Int, _ grade: String, _ sex: String, _ camera: String) -> [(
        String, String, String, String
    )] {
        (0..<count).map { ("p\(first + $0)", grade, sex, camera) }
    }

    @Test func combinationsAreTheLargestThatFivePatientsHave() async throws {
        let (_, data) = try await dataset(
            rows(5, 0, "0", "female", "a") + rows(4, 10, "0", "male", "a") + rows(3, 20, "1", "male", "b")
                + rows(2, 30, "1", "unknown", "b"))
        let support = CohortSupport([data], attributes: ["dr_icdr", "sex", "camera"])
        #expect(support.names(of: "dr_icdr") == ["0", "1"])
        #expect(support.names(of: "sex") == ["female", "male"])
        let found = Set(support.combinations())
        // Seven men, but grade 0 in four and grade 1 in three; five of camera b, of whom three are men.
        #expect(
            found == [
                ["dr_icdr": "0", "sex": "female", "camera": "a"], ["sex": "male"], ["dr_icdr": "1", "camera": "b"],
            ])
    }

    /// Five photographs of one patient are one patient.
    @Test func photographsOfOnePatientCountOnce() async throws {
        let (_, data) = try await dataset(
            (0..<9).map { _ in ("one", "4", "female", "a") } + rows(4, 0, "4", "female", "a")
                + rows(4, 10, "0", "female", "a"))
        let support = CohortSupport([data], attributes: ["dr_icdr", "sex", "camera"])
        #expect(support.names(of: "dr_icdr") == ["4"])
        let (_, held) = try await dataset(rows(9, 0, "4", "female", "a"), split: .holdout)
        #expect(CohortSupport([held], attributes: ["dr_icdr"]).combinations().isEmpty)
    }

    /// All subsets that five patients have are parts of a combination, and no others: against counting each of them.
    @Test func combinationsSayAllAndNoMore() async throws {
        var random = SystemLikeGenerator(state: 7)
        let rows = (0..<60).map { number in
            (
                "p\(number % 40)", "\(random.next(3))", ["female", "male", "unknown"][random.next(3)],
                ["a", "b"][random.next(2)]
            )
        }
        // A patient lies in one split, whatever the photograph says.
        let (_, data) = try await dataset(rows)
        let names = ["dr_icdr", "sex", "camera"]
        let combinations = CohortSupport([data], attributes: names).combinations()
        for grade in [nil, "0", "1", "2"] {
            for sex in [nil, "female", "male", "unknown"] {
                for camera in [nil, "a", "b"] {
                    let asked = zip(names, [grade, sex, camera]).compactMap { name, value in value.map { (name, $0) } }
                    if asked.isEmpty { continue }
                    let patients = Set(
                        rows.filter { row in
                            (grade == nil || row.1 == grade) && (sex == nil || row.2 == sex)
                                && (camera == nil || row.3 == camera)
                        }.map(\.0))
                    let isSupported = combinations.contains { combination in
                        asked.allSatisfy { combination[$0.0] == $0.1 }
                    }
                    #expect(isSupported == (patients.count >= 5), "\(asked): \(patients.count)")
                }
            }
        }
    }

    /// Each patient is in one count: that of most photographs. Counts of fewer than three are left out.
    @Test func jointCountsHaveEachPatientOnce() async throws {
        let (_, data) = try await dataset(
            rows(6, 0, "0", "female", "a") + rows(2, 10, "1", "female", "a")
                // Six patients of whom two photographs show grade 3 and one shows grade 4.
                + rows(6, 20, "3", "male", "a") + rows(6, 20, "4", "male", "b") + rows(6, 20, "3", "male", "b"))
        let counts = CohortSupport([data], attributes: ["dr_icdr", "sex"]).jointCounts()
        let found = Dictionary(uniqueKeysWithValues: counts.map { ($0.values, $0.patients) })
        #expect(
            found == [
                ["dr_icdr": "0"]: 5, ["dr_icdr": "3"]: 5, ["sex": "female"]: 10, ["sex": "male"]: 5,
                ["dr_icdr": "0", "sex": "female"]: 5, ["dr_icdr": "3", "sex": "male"]: 5,
            ])
        #expect(TrainingData(data, attributes: ["dr_icdr", "sex"]).jointCounts == counts)
    }

    private struct SystemLikeGenerator {
        var state: UInt64

        mutating func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
    }
}
