import Cohorts
import Files
import Foundation
import SampleStore
import Support
import Testing

/// A writer that ends at any point leaves what is finished, and the next goes on to the same set.
@Suite struct JournalTests {
    let folder: TemporaryFolder
    var path: String { folder.file("S.h5") }
    var unfinished: String { path + ".unfinished" }
    init() throws { folder = try TemporaryFolder() }

    /// 9 samples in batches of two.
    private func samples() -> [SampleRecord] {
        (0..<9).map { index in
            SampleRecord(
                pixels: SampleFixtures.pixels(index),
                cohort: Cohort(index % 2 == 0 ? ["camera": "Aurora"] : ["sex": "male"]),
                requests: ["dr_icdr": Float(index) / 4], seed: 5, index: UInt64(index), siteWeights: [0.5, 0.5])
        }
    }

    private func append(_ samples: ArraySlice<SampleRecord>, to writer: SampleSetWriter) async throws {
        var rest = samples
        while !rest.isEmpty {
            try await writer.append(Array(rest.prefix(2)), finished: Date(timeIntervalSince1970: 1_800_000_060))
            rest = rest.dropFirst(2)
        }
    }

    private func whole(_ name: String, _ options: SampleSetWriter.Options = .init()) async throws -> String {
        let writer = try SampleFixtures.writer(folder.file(name), options: options)
        try await append(samples()[...], to: writer)
        try await writer.finish()
        return folder.file(name)
    }

    /// Leaves a journal of seven samples.
    private func stop(_ options: SampleSetWriter.Options = .init()) async throws {
        let writer = try SampleFixtures.writer(path, options: options)
        try await append(samples()[..<7], to: writer)
    }

    private func goOn(_ options: SampleSetWriter.Options = .init(resume: true)) async throws -> Int {
        let writer = try SampleFixtures.writer(path, options: options), kept = writer.count
        try await append(samples()[kept...], to: writer)
        try await writer.finish()
        return kept
    }

    @Test func theNextWriterGoesOn() async throws {
        let straight = try await SampleSetFile.contentDigest(try await whole("straight.h5"))
        try await stop()
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try await goOn() == 7)
        #expect(try await SampleSetFile.contentDigest(path) == straight)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["S.h5", "straight.h5"])
    }

    /// What a power cut can leave: either file ends anywhere, or holds other bytes from somewhere on.
    @Test(arguments: ["samples.journal", "pixels-0.journal"], [false, true])
    func whateverIsCutOffIsMadeAgain(name: String, isGarbled: Bool) async throws {
        let straight = try await SampleSetFile.contentDigest(try await whole("straight.h5"))
        try await stop()
        let journal = "\(unfinished)/\(name)", bytes = try Data(contentsOf: URL(fileURLWithPath: journal))
        let state = folder.file("state")
        try FileManager.default.copyItem(atPath: unfinished, toPath: state)
        var kept = Set<Int>()
        for position in Array(stride(from: 0, to: bytes.count, by: max(1, bytes.count / 40))) + [bytes.count] {
            try? FileManager.default.removeItem(atPath: unfinished)
            try? FileManager.default.removeItem(atPath: path)
            try FileManager.default.copyItem(atPath: state, toPath: unfinished)
            let rest = isGarbled ? Data(repeating: 0x5a, count: bytes.count - position) : Data()
            try (bytes.prefix(position) + rest).write(to: URL(fileURLWithPath: journal))
            kept.insert(try await goOn())
            #expect(try await SampleSetFile.contentDigest(path) == straight, "\(name) cut at \(position)")
        }
        // Whole batches of two, and the last of one.
        #expect(kept == [0, 2, 4, 6, 7])
    }

    @Test func anotherWriterIsToldWhoHoldsTheSet() async throws {
        let writer = try SampleFixtures.writer(path)
        try await writer.append(Array(samples().prefix(2)))
        let failure = #expect(throws: Failure.self) {
            try SampleFixtures.writer(path, options: .init(resume: true, force: true))
        }
        #expect(failure?.kind == .cannotCreateOutput)
        #expect(
            failure?.sentence.hasPrefix("is being made by process \(ProcessInfo.processInfo.processIdentifier) on ")
                == true)
        #expect(writer.count == 2)
    }

    @Test func anUnfinishedSetIsNeitherLostNorMixed() async throws {
        try await stop()
        let other = #expect(throws: Failure.self) { try SampleFixtures.writer(path) }
        #expect(other?.kind == .cannotCreateOutput)
        var run = SampleFixtures.run()
        run.guidance = 3
        let mixed = #expect(throws: Failure.self) {
            try SampleFixtures.writer(path, run: run, options: .init(resume: true))
        }
        #expect(mixed?.sentence == "guidance: expected 1.5, with which the run began, found 3.0")
        #expect(try SampleFixtures.writer(path, options: .init(resume: true)).count == 7)
        #expect(try SampleFixtures.writer(path, options: .init(force: true)).count == 0)
    }

    /// Samples of another machine are another run's.
    @Test func goingOnElsewhereIsAnotherRun() async throws {
        try await stop()
        var run = SampleFixtures.run()
        run.blasCore = "Haswell"
        let writer = try SampleFixtures.writer(path, run: run, options: .init(resume: true))
        try await append(samples()[7...], to: writer)
        try await writer.finish()
        let file = try await SampleSetFile.open(path)
        #expect(file.runOfSample == [0, 0, 0, 0, 0, 0, 0, 1, 1])
        #expect(file.runs.map(\.blasCore) == ["Zen", "Haswell"])
        #expect(file.runs.allSatisfy { $0.finished != nil })
    }

    @Test func shardsHoldTheSamePictures() async throws {
        let one = try await SampleSetFile.open(try await whole("one.h5"))
        try await stop(.init(shardRows: 4))
        #expect(try await goOn(.init(resume: true, shardRows: 4)) == 7)
        let set = try await SampleSetFile.open(path)
        #expect(try await set.images(rows: [8, 3, 4, 0]) == (try await one.images(rows: [8, 3, 4, 0])))
        #expect(set.digests == one.digests)
        #expect(try await SampleSetFile.contentDigest(path) == (try await SampleSetFile.contentDigest(one.path)))
        let names = try shardNames()
        #expect(names.map { $0.prefix(16) } == (0..<3).map { "S-0000\($0)-of-00003" })
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == names + ["S.h5", "one.h5"])
        let last = try await SampleSetFile.open(folder.file(names[2]))
        #expect(last.digests == Array(one.digests[8...]))
        #expect(await last.rowsThatDiffer() == [])
        // Another file under a shard's name, and none.
        try FileManager.default.removeItem(atPath: folder.file(names[1]))
        let missing = await #expect(throws: Failure.self) { try await SampleSetFile.open(path) }
        #expect(missing?.sentence == "the shard \(names[1]) is missing; its 4 samples cannot be read")
        try FileManager.default.copyItem(atPath: folder.file(names[0]), toPath: folder.file(names[1]))
        #expect(await (try SampleSetFile.open(path)).rowsThatDiffer() == [4, 5, 6, 7])
    }

    private func shardNames() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("S-") }.sorted()
    }

    /// Killed while the shards were being given their names, and gone on with more samples than there were: the last
    /// shard is not full.
    @Test func shardsThatHaveTheirNamesAlreadyComeBack() async throws {
        let straight = try await whole("straight.h5", .init(shardRows: 4))
        let options = SampleSetWriter.Options(resume: true, shardRows: 4)
        let state = folder.file("state")
        do {
            let writer = try SampleFixtures.writer(path, options: .init(shardRows: 4))
            try await append(samples()[..<7], to: writer)
            try FileManager.default.copyItem(atPath: unfinished, toPath: state)
            try await writer.finish()
        }
        let names = try shardNames()
        #expect(names.count == 2)
        // As it was before the last steps: the set has no name yet, both shards have.
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.copyItem(atPath: state, toPath: unfinished)
        try FileManager.default.removeItem(atPath: "\(unfinished)/shard-0.h5")
        let run = "\(unfinished)/run.json"
        var set = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: run))) as? [String: Any])
        set["named"] = names
        set["isFull"] = [true, false]
        try JSONSerialization.data(withJSONObject: set).write(to: URL(fileURLWithPath: run))
        #expect(try await goOn(options) == 7)
        #expect(try await SampleSetFile.open(path).digests == (try await SampleSetFile.open(straight)).digests)
        #expect(await (try SampleSetFile.open(path)).rowsThatDiffer() == [])
        #expect(try shardNames().count == 3)
    }

    /// Killed after the last, partial shard was packed; more samples come.
    @Test func aShardThatIsNotFullIsPackedAgain() async throws {
        try await stop(.init(shardRows: 4))
        for name in ["shard-1-part.h5", "packed.h5"] {
            try Data("half".utf8).write(to: URL(fileURLWithPath: "\(unfinished)/\(name)"))
        }
        #expect(try await goOn(.init(resume: true, shardRows: 4)) == 7)
        #expect(await SampleSetVerification.findingsInContent(path, samplers: ["heun"]) == [])
    }

    /// A set that is replaced is whole until the new one is, and its shards go with it.
    @Test func replacingShardsKeepsTheOldSetUntilTheEnd() async throws {
        _ = try await goOn(.init(shardRows: 4))
        let before = try await SampleSetFile.contentDigest(path), names = try shardNames()
        // The new set cannot be packed.
        let writer = try SampleFixtures.writer(path, options: .init(force: true, shardRows: 4))
        try await append(samples()[..<6], to: writer)
        try FileManager.default.createDirectory(
            atPath: "\(unfinished)/packed.h5.part", withIntermediateDirectories: false)
        do {
            try await writer.finish()
            Issue.record("finished without a place to pack")
        } catch {}
        #expect(try await SampleSetFile.contentDigest(path) == before)
        #expect(await (try SampleSetFile.open(path)).rowsThatDiffer() == [])
        try FileManager.default.removeItem(atPath: "\(unfinished)/packed.h5.part")
        try await writer.finish()
        #expect(try await SampleSetFile.open(path).count == 6)
        #expect(Set(try shardNames()).isDisjoint(with: names))
        #expect(try shardNames().count == 2)
    }

    @Test func foldersOfOthersStay() throws {
        try FileManager.default.createDirectory(atPath: unfinished, withIntermediateDirectories: false)
        try Data("kept".utf8).write(to: URL(fileURLWithPath: "\(unfinished)/thesis.txt"))
        for force in [false, true] {
            let failure = #expect(throws: Failure.self) {
                try SampleFixtures.writer(path, options: .init(force: force))
            }
            #expect(failure?.sentence.hasPrefix("holds thesis.txt, which is not part of this output") == true)
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(unfinished)/thesis.txt")) == Data("kept".utf8))
    }

    @Test func aDamagedRunIsDiscardedOnRequestAlone() async throws {
        try await stop()
        for text in [#"{"a""#, #"{"runs":[]}"#] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(unfinished)/run.json"))
            let failure = #expect(throws: Failure.self) {
                try SampleFixtures.writer(path, options: .init(resume: true))
            }
            #expect(failure?.kind == .badData)
            #expect(failure?.remedy == .discard)
        }
        #expect(try SampleFixtures.writer(path, options: .init(force: true)).count == 0)
    }
}
