import Cohorts
import Files
import Foundation
import HDF5Files
import SampleStore
import Support
import Testing

@HDF5Actor
@Suite struct SampleRefusalTests {
    let folder: TemporaryFolder
    var path: String { folder.file("S.h5") }
    init() throws { folder = try TemporaryFolder() }

    private func writer() throws -> SampleSetWriter {
        try SampleSetWriter(
            path: path, width: 10, height: 8, run: SampleFixtures.run(), model: SampleFixtures.model,
            terms: SampleFixtures.terms)
    }

    @Test func everyFlippedByteIsFound() async throws {
        try await SampleFixtures.write(path)
        try UserBlock.verify(path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(whole.prefix(16) == Data("fovea.samples 1\n".utf8))
        #expect(whole[80] == 0x0a)
        #expect(whole[81..<512] == Data(count: 431))
        let copy = folder.file("flipped.h5")
        for offset in [0, 15, 16, 79, 80, 81, 511] + Array(stride(from: 512, to: whole.count, by: 101)) + [
            whole.count - 1
        ] {
            var bytes = whole
            bytes[offset] ^= 0x10
            try bytes.write(to: URL(fileURLWithPath: copy))
            // The first bytes say what the file is, and of which version.
            expectFailure(
                offset < 16 ? .badData : .checkFailed,
                offset == 0
                    ? "first block: expected fovea.samples 1"
                    : offset == 15 ? "of another version" : "has changed since",
                "byte \(offset)"
            ) { try UserBlock.verify(copy) }
        }
        try (whole + Data([0])).write(to: URL(fileURLWithPath: copy))
        let longer = #expect(throws: Failure.self) { try UserBlock.verify(copy) }
        #expect(longer?.kind == .checkFailed)
        try whole.prefix(300).write(to: URL(fileURLWithPath: copy))
        expectFailure(.badData, "is not a sample set: 300 bytes are less than its first block") {
            try UserBlock.verify(copy)
        }
        let absent = #expect(throws: Failure.self) { try UserBlock.verify(folder.file("absent.h5")) }
        #expect(absent?.kind == .noSuchInput)
    }

    @Test func cutFilesAndOtherKindsDoNotOpen() async throws {
        try await SampleFixtures.write(path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let copy = folder.file("cut.h5")
        for length in [0, 100, 512, 600, whole.count / 2, whole.count - 1] {
            try whole.prefix(length).write(to: URL(fileURLWithPath: copy))
            let unsealed = await #expect(throws: Failure.self) { try await SampleSetFile.open(copy) }
            #expect(unsealed?.kind == (length < 512 ? .badData : .checkFailed))
            let cut = await #expect(throws: Failure.self) { try await SampleSetFile.open(copy, verifying: false) }
            #expect(cut?.kind == .badData)
        }
        let dataset = try HDF5File.create(copy)
        try dataset.root.setAttribute("kind", "fovea.dataset")
        try dataset.close()
        await #expect(
            throws: Failure(
                .badData, copy, field: "attribute kind of /", expected: "fovea.samples", found: "fovea.dataset")
        ) { try await SampleSetFile.open(copy, verifying: false) }
    }

    @Test func oneFlippedByteIsRefusedBeforeTheLibrarySeesIt() async throws {
        try await SampleFixtures.write(path)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        // A length in the library's heap of strings: HDF5 1.10.8 copies that many bytes.
        let heap = try #require(bytes.firstRange(of: Data("GCOL".utf8)))
        bytes[heap.lowerBound + 26] ^= 0xff
        try bytes.write(to: URL(fileURLWithPath: path))
        let failure = await #expect(throws: Failure.self) { try await SampleSetFile.open(path) }
        #expect(failure?.kind == .checkFailed)
    }

    @Test func aSetThatIsNotCalledSyntheticDoesNotOpen() async throws {
        let file = try HDF5File.create(path)
        try file.root.setAttribute("kind", "fovea.samples")
        try file.root.setAttribute("version", 1)
        try file.root.setAttribute("synthetic", "NO")
        try file.close()
        await #expect(throws: Failure(.badData, path, field: "attribute synthetic of /", expected: "YES", found: "NO"))
        {
            try await SampleSetFile.open(path, verifying: false)
        }
    }

    @Test func requestsOutsideTheSchemaAreRefused() async throws {
        let path = path
        func append(_ cohort: [String: String], _ requests: [String: Float]) async throws {
            let writer = try SampleSetWriter(
                path: path, width: 10, height: 8, run: SampleFixtures.run(), model: SampleFixtures.model,
                terms: SampleFixtures.terms)
            try await writer.append([
                SampleRecord(
                    pixels: SampleFixtures.pixels(0), cohort: Cohort(cohort), requests: requests, seed: 0, index: 0)
            ])
        }
        await #expect(throws: Failure(.badData, path, field: "dr_icdr of row 0", expected: "0 to 4", found: "4.5")) {
            try await append([:], ["dr_icdr": 4.5])
        }
        await expectLaterFailure(.badData, "dr_icdr of row 0: expected 0 to 4, found nan") {
            try await append([:], ["dr_icdr": .nan])
        }
        await expectLaterFailure(.badData, "request of row 0: expected an ordinal attribute, found sex") {
            try await append([:], ["sex": 1])
        }
        await expectLaterFailure(.badData, "sex of row 0: expected ") { try await append(["sex": "F"], [:]) }
    }

    @Test func aSetWithoutSamplesIsNotWritten() async throws {
        let path = path
        await #expect(throws: Failure(.badData, path, "there is no sample to write")) {
            try await SampleSetWriter(
                path: path, width: 10, height: 8, run: SampleFixtures.run(), model: SampleFixtures.model,
                terms: SampleFixtures.terms
            ).finish()
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test func modelsWithoutJSONAreRefused() async throws {
        var model = SampleFixtures.model
        model.lineageJSON = "base: none"
        let failure = #expect(throws: Failure.self) {
            try SampleSetWriter(
                path: path, width: 10, height: 8, run: SampleFixtures.run(), model: model, terms: SampleFixtures.terms)
        }
        #expect(failure?.sentence == "lineage: expected JSON, found \"base: none\"")
    }

    @Test func nothingIsLeftOfAWriterThatWroteNothing() throws {
        do {
            let writer = try writer()
            #expect(writer.count == 0)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test func outputsThatCannotBeWrittenAreRefusedBeforeAnyWork() async throws {
        try Data("kept".utf8).write(to: URL(fileURLWithPath: path))
        let exists = #expect(throws: Failure.self) { try writer() }
        #expect(exists?.kind == .cannotCreateOutput)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("kept".utf8))
        // A read-only file system, also for root.
        let readOnly = #expect(throws: Failure.self) {
            try SampleSetWriter(
                path: "/proc/S.h5", width: 10, height: 8, run: SampleFixtures.run(), model: SampleFixtures.model,
                terms: SampleFixtures.terms)
        }
        #expect(readOnly?.kind == .cannotCreateOutput)
    }

    @Test func aFullDiskKeepsWhatIsFinished() async {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            let folder = try TemporaryFolder(), path = folder.file("S.h5")
            func limit(_ bytes: rlim_t) {
                var limit = rlimit(rlim_cur: bytes, rlim_max: .max)
                guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
            }
            var noise = SystemRandomNumberGenerator()
            let samples = (0..<10).map { index in
                SampleRecord(
                    pixels: (0..<100 * 100 * 3).map { _ in UInt8.random(in: 0...255, using: &noise) }, seed: 0,
                    index: UInt64(index))
            }
            func write(_ resume: Bool) async throws -> Int {
                let writer = try SampleSetWriter(
                    path: path, width: 100, height: 100, run: SampleFixtures.run(), model: SampleFixtures.model,
                    terms: SampleFixtures.terms, options: .init(resume: resume))
                let kept = writer.count
                for sample in samples.dropFirst(kept) { try await writer.append([sample]) }
                try await writer.finish()
                return kept
            }
            limit(100_000)
            do {
                _ = try await write(false)
                exit(3)
            } catch let failure as Failure {
                guard failure.kind == .readOrWriteFailed, failure.place == path,
                    failure.sentence.hasPrefix("could not be written")
                else {
                    print(failure)
                    exit(4)
                }
            }
            guard try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["S.h5.unfinished"] else {
                exit(5)
            }
            limit(rlim_t.max)
            guard try await write(true) == 3 else { exit(6) }
            let file = try await SampleSetFile.open(path)
            guard file.digests == samples.map({ Digest(of: $0.pixels) }), await file.rowsThatDiffer() == [] else {
                exit(7)
            }
            guard try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["S.h5"] else { exit(8) }
        }
    }
}
