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

    @Test func aFolderThatIsMissingCannotHoldAnOutput() {
        let found = #expect(throws: Failure.self) { try HDF5File.create(folder.file("absent/x.h5")) }
        #expect(found?.kind == .cannotCreateOutput)
        #expect(found?.sentence == "could not be created: No such file or directory")
    }
}
