import Files
import Foundation
import HDF5Files
import Support
import Testing

@HDF5Actor
@Suite struct DamageTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func failure(opening path: String) -> Failure? {
        #expect(throws: Failure.self) { try HDF5File.open(path) }
    }

    @Test func filesThatAreNotHDF5SaySo() throws {
        #expect(failure(opening: folder.file("absent.h5"))?.kind == .noSuchInput)
        #expect(failure(opening: folder.path) == Failure(.badData, folder.path, "is a folder, not an HDF5 file"))
        let text = folder.file("text.h5")
        try Data("grade,sex\n3,female\n".utf8).write(to: URL(fileURLWithPath: text))
        #expect(failure(opening: text) == Failure(.badData, text, "is not an HDF5 file"))
        let empty = folder.file("empty.h5")
        try Data().write(to: URL(fileURLWithPath: empty))
        #expect(failure(opening: empty) == Failure(.badData, empty, "is not an HDF5 file"))
    }

    @Test func truncatedFilesAreRefused() throws {
        let path = folder.file("whole.h5")
        let file = try HDF5File.create(path)
        try file.root.write("x", [Int64](0..<1000), shape: [1000])
        try file.close()
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let cut = folder.file("cut.h5")
        try whole.prefix(whole.count - 100).write(to: URL(fileURLWithPath: cut))
        let found = failure(opening: cut)
        #expect(found?.kind == .badData)
        #expect(found?.sentence.contains("truncated file") == true, "\(found?.sentence ?? "")")
    }

    @Test func aDamagedChunkIsFoundByItsChecksum() throws {
        let path = folder.file("chunk.h5")
        let file = try HDF5File.create(path)
        let storage = HDF5Storage(chunkRows: 1, fletcher32: true)
        try file.root.write("x", [UInt8](repeating: 0xab, count: 4000), shape: [2, 2000], storage: storage)
        try file.close()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let first = try #require(bytes.firstRange(of: Data(repeating: 0xab, count: 2000)))
        bytes[first.lowerBound + 5] = 0
        try bytes.write(to: URL(fileURLWithPath: path))
        let dataset = try HDF5File.open(path).root.dataset("x")
        let found = #expect(throws: Failure.self) { try dataset.readAll(UInt8.self) }
        #expect(found?.kind == .badData)
        #expect(found?.sentence == "/x could not be read: data error detected by Fletcher32 checksum")
    }

    @Test func aDatasetThatClaimsMoreThanTheFileHoldsIsRefusedBeforeItIsAllocated() throws {
        let path = folder.file("claims.h5")
        let file = try HDF5File.create(path)
        // Declared, never written: nothing is stored.
        _ = try file.root.create(
            "x", Int64.self, shape: [1 << 40], storage: HDF5Storage(chunkRows: 1024, isExtendible: true))
        try file.close()
        let dataset = try HDF5File.open(path).root.dataset("x")
        let found = #expect(throws: Failure.self) { try dataset.readAll(Int64.self) }
        #expect(found?.sentence.contains("claims [1099511627776] elements") == true)
    }

    @Test func fullDiskIsAFailureAndTheLibraryGoesOn() async {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 1_000_000, rlim_max: 1_000_000)
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
            let path = FileManager.default.temporaryDirectory.appendingPathComponent("fovea-full-\(getpid()).h5").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            let reason = await Task { @HDF5Actor in
                do {
                    let file = try HDF5File.create(path)
                    try file.root.write("x", [UInt8](repeating: 1, count: 3_000_000), shape: [3_000_000])
                    try file.close()
                    return "no failure"
                } catch {
                    return "\(error)"
                }
            }.value
            guard reason.contains("File too large") else {
                print(reason)
                exit(3)
            }
            // The next file is not harmed by the one that failed.
            try await Task { @HDF5Actor in
                let file = try HDF5File.create(path)
                try file.root.write("x", [UInt8](repeating: 1, count: 3000), shape: [3000])
                try file.close()
                guard try HDF5File.open(path).root.dataset("x").readAll(UInt8.self).count == 3000 else { exit(4) }
            }.value
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// Whatever part of a file finds no room: the library crashed on closing some of them.
    @Test func aFileThatPassesItsLimitIsAFailureWhereverThatHappens() async {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fovea-limits-\(getpid())").path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            @HDF5Actor func make(_ path: String) throws {
                let file = try HDF5File.create(path)
                let storage = HDF5Storage(chunkRows: 1, deflate: 1, fletcher32: true, isExtendible: true)
                let images = try file.root.create("images", UInt8.self, shape: [0, 1000], storage: storage)
                for row in 0..<40 {
                    try images.extend(rows: row + 1)
                    let noise = (0..<1000).map { UInt8(truncatingIfNeeded: ($0 + 1000 * row) &* 2_654_435_761 >> 13) }
                    try images.write(noise, rows: row..<row + 1)
                }
                let group = try file.root.createGroup("cohort")
                for number in 0..<20 {
                    try group.write("column-\(number)", [Int16](repeating: 1, count: 100), shape: [100])
                        .setAttribute("note", String(repeating: "x", count: 500))
                }
                try file.root.write("names", strings: (0..<100).map { "patient \($0)" })
                try file.close()
            }
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            var refused = 0, isDone = false
            for bytes in stride(from: 2000, through: 200_000, by: 3000) where !isDone {
                limit.rlim_cur = rlim_t(bytes)
                guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
                let path = "\(folder)/file.h5"
                do {
                    try await make(path)
                    isDone = true
                } catch let failure as Failure {
                    guard failure.kind == .readOrWriteFailed, failure.sentence.hasSuffix("File too large") else {
                        print(bytes, failure)
                        exit(3)
                    }
                    refused += 1
                }
                unlink(path)
            }
            guard isDone, refused > 10 else {
                print("\(refused) refused")
                exit(4)
            }
        }
    }

    @Test func aFileThatAnotherProgramWritesIsNotDamaged() throws {
        let path = folder.file("held.h5"), file = try HDF5File.create(path)
        try file.root.write("x", [UInt8](repeating: 1, count: 3), shape: [3])
        try file.close()
        let other = open(path, O_RDWR)
        try #require(flock(other, LOCK_EX | LOCK_NB) == 0)
        let found = #expect(throws: Failure.self) { try HDF5File.open(path) }
        #expect(found?.kind == .readOrWriteFailed && found?.place == path)
        #expect(found?.sentence == "is open for writing in another program; close it there first")
        close(other)
        #expect(try HDF5File.open(path).root.dataset("x").readAll(UInt8.self) == [1, 1, 1])
    }

    @Test func aFolderThatIsMissingCannotHoldAnOutput() {
        let found = #expect(throws: Failure.self) { try HDF5File.create(folder.file("absent/x.h5")) }
        #expect(found?.kind == .cannotCreateOutput)
        #expect(found?.sentence == "could not be created: No such file or directory")
    }
}
