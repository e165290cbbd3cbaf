import Auditing
import Cohorts
import Datasets
import Evaluating
import EvaluationPages
import Figures
import Files
import Foundation
import Phantoms
import Pictures
import Randomness
import Support
import Synchronization
import Testing
import Usefulness

/// Discs of 32 pixels with a bright spot where the grade is 4, and none where it is 0. The sex is in no pixel.
struct SpottedEyes {
    var train = 120, rare = 4, validation = 30, heldOut = 60
    /// Whether the spots of those that are trained on can be seen.
    var isVisible = true

    static func record(_ grade: String, _ number: Int, seed: UInt64, split: Split, shows: String? = nil)
        -> DatasetRecord
    {
        var random = Philox(seed: seed, stream: .tests, index: UInt64(number)), pixels: [UInt8] = []
        let light = 60 + 60 * random.nextUniform(), size = 32
        let spot = (8 + 16 * random.nextUniform(), 8 + 16 * random.nextUniform())
        for y in 0..<size {
            for x in 0..<size {
                let a = Double(x) - 15.5, b = Double(y) - 15.5, c = Double(x) - spot.0, d = Double(y) - spot.1
                var value = a * a + b * b < 240 ? light + 8 * random.nextNormal() : 0
                if (shows ?? grade) == "4", c * c + d * d < 9 { value += 45 }
                pixels += [UInt8](repeating: UInt8(min(255, max(0, value))), count: 3)
            }
        }
        return DatasetRecord(
            pixels: pixels,
            fieldOfView: FieldOfView(centerX: 16, centerY: 16, radius: 16, top: 0, bottom: 32),
            cohort: Cohort(["dr_icdr": grade, "sex": number % 2 == 0 ? "female" : "male"]),
            patient: "\(seed)-\(number)", split: split)
    }

    func site(seed: UInt64) -> [DatasetRecord] {
        (0..<train).map {
            SpottedEyes.record(
                $0 < rare ? "4" : "0", $0, seed: seed, split: .train, shows: isVisible ? nil : "0")
        }
            + (0..<validation).map {
                SpottedEyes.record($0 < 2 ? "4" : "0", 1000 + $0, seed: seed, split: .validation)
            }
            + (0..<heldOut).map {
                SpottedEyes.record($0 % 2 == 0 ? "4" : "0", 2000 + $0, seed: seed, split: .holdout)
            }
    }

    static func write(_ records: [DatasetRecord], _ path: String, isSynthetic: Bool = false) async throws {
        let writer = try await DatasetWriter(
            path: path, size: 32, info: DatasetInfo(site: "test", source: "test", synthetic: isSynthetic))
        try await writer.append(records)
        try await writer.finish()
    }

    /// Drawn pictures; half of them have grade 4. `shows` says what a picture shows for what it was asked.
    static func drawn(_ count: Int, seed: UInt64, shows: (Int) -> String?) -> [DatasetRecord] {
        (0..<count).map {
            record($0 % 2 == 0 ? "4" : "0", 5000 + $0, seed: seed, split: .train, shows: shows($0))
        }
    }
}

@Suite("An evaluation says what is true")
struct EvaluationRunTests {
    private let folder: TemporaryFolder
    private let site, good: String

    init() async throws {
        folder = try TemporaryFolder()
        (site, good) = (folder.file("site.h5"), folder.file("good.h5"))
        // From these photographs nobody can learn what grade 4 looks like.
        try await SpottedEyes.write(SpottedEyes(isVisible: false).site(seed: 1), site)
        try await SpottedEyes.write(SpottedEyes.drawn(120, seed: 2) { _ in nil }, good, isSynthetic: true)
    }

    private func inputs(_ samples: String, tests: [String] = []) async throws -> EvaluationInputs {
        var inputs = EvaluationInputs(
            samples: try await AuditSource(samples), train: try await AuditSource(site), tests: [],
            attribute: "dr_icdr")
        for test in tests { inputs.tests.append(try await AuditSource(test)) }
        inputs.by = ["sex"]
        inputs.positive = ["4"]
        (inputs.settings.size, inputs.settings.seeds, inputs.settings.steps) = (32, 2, 100)
        inputs.settings.parts = [.usefulness, .obedience]
        inputs.settings.arms = ["resampled", "added-120-resampled"]
        return inputs
    }

    private func record(
        _ inputs: EvaluationInputs, work: String = "work", resumes: Bool = false,
        progress: @escaping @Sendable (String, Double, String?) -> Void = { _, _, _ in }
    ) async throws -> EvaluationRecord {
        let path = folder.file(work)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return try await EvaluationRun(inputs, say: { _ in }, progress: progress).run(folder: path, resumes: resumes)
    }

    @Test("good pictures of a rare cohort help, wrong labels do not, and one picture again and again does not")
    func truth() async throws {
        func inputs(_ samples: String) async throws -> EvaluationInputs {
            var inputs = try await self.inputs(samples)
            (inputs.settings.seeds, inputs.settings.steps) = (3, 120)
            inputs.settings.parts = [.usefulness]
            return inputs
        }
        let found = try await record(inputs(good)).usefulness?.tests.first
        let helped = try #require(found)
        #expect(helped.verdict == .helps, "\(helped.comparisons)")
        #expect(helped.comparisons.first.map { $0.difference.low > 0 } == true)
        // The pictures show the opposite of what was asked for. Shuffled grades would still teach something here: no
        // photograph has a spot, and few have grade 4, so that spots would be commoner among the pictures of grade 4.
        let wrong = folder.file("wrong.h5")
        try await SpottedEyes.write(
            SpottedEyes.drawn(120, seed: 3) { $0 % 2 == 0 ? "0" : "4" }, wrong, isSynthetic: true)
        let opposite = try await record(inputs(wrong), work: "wrong").usefulness?.tests.first
        #expect(try #require(opposite).verdict != .helps)
        let one = SpottedEyes.record("0", 0, seed: 9, split: .train)
        let alike = SpottedEyes.drawn(120, seed: 4) { _ in nil }.map { record in
            var record = record
            record.pixels = one.pixels
            return record
        }
        let collapsed = folder.file("collapsed.h5")
        try await SpottedEyes.write(alike, collapsed, isSynthetic: true)
        let same = try await record(inputs(collapsed), work: "same").usefulness?.tests.first
        #expect(try #require(same).verdict != .helps)
    }

    @Test("samples that show what was asked are told from samples that do not")
    func obedience() async throws {
        var site = SpottedEyes()
        site.rare = 60
        let balanced = folder.file("balanced.h5")
        try await SpottedEyes.write(site.site(seed: 6), balanced)
        let wrong = folder.file("wrong.h5")
        try await SpottedEyes.write(
            SpottedEyes.drawn(120, seed: 3) { $0 / 2 % 2 == 0 ? "4" : "0" }, wrong, isSynthetic: true)
        func reading(_ samples: String) async throws -> ObedienceFigures {
            var inputs = try await inputs(samples)
            inputs.train = try await AuditSource(balanced)
            let all = try await record(inputs, work: "obedience-\(samples.hashValue)").obedience
            return try #require(all?.first { $0.attribute == "dr_icdr" })
        }
        let obeys = try await reading(good), ignores = try await reading(wrong)
        #expect(obeys.photographs.balancedAccuracy.value > 0.85)
        #expect(obeys.synthetic.balancedAccuracy.value > 0.85)
        #expect(ignores.synthetic.balancedAccuracy.value < 0.65)
        #expect(ignores.sentence.contains("do not show the dr_icdr"))
        #expect(obeys.synthetic.shares.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-9 })
        #expect(obeys.photographs.shares.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-9 })
    }

    @Test("an evaluation that is stopped goes on, to the same figures as one that is not")
    func resuming() async throws {
        let whole = try await record(inputs(good), work: "whole")
        let stop = folder.file("stopped"), inputs = try await inputs(good)
        try FileManager.default.createDirectory(atPath: stop, withIntermediateDirectories: true)
        // Half the trainings, as an earlier process would have left them.
        for name in ["inputs", "resampled-0.json", "resampled-1.json"] {
            try FileManager.default.copyItem(atPath: folder.file("whole/\(name)"), toPath: "\(stop)/\(name)")
        }
        let trained = Mutex<Set<String>>([])
        var resumed = try await record(inputs, work: "stopped", resumes: true) { _, _, detail in
            trained.withLock { _ = $0.insert(detail ?? "") }
        }
        resumed.date = whole.date
        #expect(resumed == whole)
        let details = trained.withLock { $0 }
        #expect(!details.contains { $0.hasPrefix("resampled") } && details.contains { $0.hasPrefix("added-120") })
        await expectLaterFailure(.cannotCreateOutput, "was begun") { try await record(inputs, work: "stopped") }
        var other = inputs
        other.settings.steps = 101
        await expectLaterFailure(.usage, "other files or settings") {
            try await record(other, work: "stopped", resumes: true)
        }
    }

    @Test("a test set that shares photographs with the training set is refused")
    func shared() async throws {
        let test = folder.file("test.h5")
        let known = SpottedEyes.record("0", 50, seed: 1, split: .train)
        try await SpottedEyes.write(
            (0..<20).map { SpottedEyes.record("0", $0, seed: 8, split: .train) } + [known], test)
        await expectLaterFailure(.badData, "1 of its photographs, pixel by pixel") {
            try await record(inputs(good, tests: [test]))
        }
    }

    @Test("second visits of patients who are trained on are found by their vessels; other patients are not")
    func secondVisits() async throws {
        // The second visits of eyes that are trained on: another pose, light and camera.
        let generator = try PhantomGenerator(patients: 30, size: 160, visits: 2, seed: 5)
        let eyes = generator.phantoms(0..<60, threads: 2)
        func write(_ visit: Int, _ numbers: Range<Int>, _ path: String) async throws {
            let writer = try await DatasetWriter(
                path: path, size: 160, info: DatasetInfo(site: "p", source: "p", synthetic: true))
            try await writer.append(
                numbers.map { eye in
                    var record = eyes[2 * eye + visit].record
                    record.split = eye % 5 == 4 ? .holdout : .train
                    record.patient = "\(path) \(eye)"
                    return record
                })
            try await writer.finish()
        }
        let (first, second, others) = (folder.file("first.h5"), folder.file("second.h5"), folder.file("others.h5"))
        try await write(0, 0..<20, first)
        try await write(1, 0..<4, second)
        try await write(0, 20..<30, others)
        func phantoms(_ test: String) async throws -> EvaluationInputs {
            var inputs = EvaluationInputs(
                samples: try await AuditSource(others), train: try await AuditSource(first),
                tests: [try await AuditSource(test)], attribute: "laterality")
            (inputs.settings.size, inputs.settings.seeds, inputs.settings.steps) = (32, 2, 10)
            inputs.settings.parts = [.usefulness]
            inputs.settings.arms = ["real", "synthetic-only"]
            return inputs
        }
        await expectLaterFailure(.badData, "by their vessels") { try await record(phantoms(second), work: "second") }
        let apart = try await record(phantoms(others), work: "others")
        #expect(apart.tests.count >= 1)
    }

    @Test("too little, one class, and wrong names get a sentence")
    func refused() async throws {
        func failure(_ part: String, _ kind: Failure.Kind, _ change: (inout EvaluationInputs) -> Void) async throws {
            var inputs = try await inputs(good)
            change(&inputs)
            let changed = inputs
            await expectLaterFailure(kind, part) { try await record(changed, work: "refused-\(part.hashValue)") }
        }
        try await failure("one class", .badData) {
            $0.attribute = "dr_icdr"; $0.positive = ["0", "4"]
        }
        try await failure("unknown everywhere", .badData) { ($0.attribute, $0.positive) = ("dme", []) }
        try await failure("expected dr_icdr", .usage) { $0.attribute = "grade" }
        try await failure("at least one with and one without", .usage) { $0.settings.arms = ["real"] }
        try await failure("added-120", .usage) { $0.settings.arms = ["added-7"] }
        let photographs = try await AuditSource(site)
        try await failure("drawn", .badData) { $0.samples = photographs }
        let few = folder.file("few.h5")
        try await SpottedEyes.write(SpottedEyes.drawn(4, seed: 2) { _ in nil }, few, isSynthetic: true)
        let samples = try await AuditSource(few)
        try await failure("at least 10 pictures", .badData) { $0.samples = samples }
    }

    @Test("the page says what the record says, shows no picture, and the record can be read again")
    func page() async throws {
        let record = try await record(inputs(good))
        let page = EvaluationPage(record).html.source
        let verdict = try #require(record.usefulness.map { $0.tests[0].sentence($0.task) })
        #expect(page.contains(HTML.escaped(verdict)) && !page.contains("<img"))
        #expect(page.contains("120 synthetic pictures") && page.contains("sex female"))
        let text = try JSONText.encoded(record)
        #expect(try EvaluationRecord.decode(text, place: "evaluation.json") == record)
        expectFailure(.badData, "kind") {
            try EvaluationRecord.decode(
                text.replacingOccurrences(of: EvaluationRecord.kind, with: "fovea.other"), place: "evaluation.json")
        }
    }
}
