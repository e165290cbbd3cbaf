import Files
import Foundation
import Support
import Testing

/// What the system says: reasons, locks, limits.
@Suite struct SystemTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test func `a reason is the system's own, however deep it lies`() throws {
        #expect(SystemReason.text(EFBIG) == "File too large")
        #expect(SystemReason.text(EMFILE) == "Too many open files; raise the limit on open files (ulimit -n)")
        #expect(SystemReason.text(POSIXError(.EROFS)) == "Read-only file system")
        let wrapped = NSError(
            domain: NSCocoaErrorDomain, code: 512, userInfo: [NSUnderlyingErrorKey: POSIXError(.EFBIG)])
        #expect(SystemReason.text(wrapped) == "File too large")
        #expect(SystemReason.text(CocoaError(.fileWriteOutOfSpace)) == "No space left on device")
        #expect(SystemReason.text(NSError(domain: "other", code: 640)) == "the system gave no reason")
        #expect(SystemReason.text(Failure(.badData, "x", "is wrong")) == "is wrong")
        for attempt in [
            { try Data([1]).write(to: URL(fileURLWithPath: folder.path)) },
            { _ = try Data(contentsOf: URL(fileURLWithPath: folder.path)) },
            { _ = try FileHandle(forUpdating: URL(fileURLWithPath: folder.path)) },
        ] as [() throws -> Void] {
            let error = #expect(throws: (any Error).self) { try attempt() }
            #expect(error.map { SystemReason.text($0) } == "Is a directory")
        }
    }

    @Test func `a file that another program has locked for writing is not read`() throws {
        let file = try folder.write([1], "file"), other = open(file, O_RDWR)
        defer { close(other) }
        try #require(flock(other, LOCK_SH | LOCK_NB) == 0)
        #expect(try SystemLock.requireNoWriter(file))
        try #require(flock(other, LOCK_EX | LOCK_NB) == 0)
        let failure = expectFailure(.readOrWriteFailed, "is open for writing in another program") {
            try SystemLock.requireNoWriter(file)
        }
        #expect(failure?.place == file)
        #expect(try SystemLock.requireNoWriter(folder.file("absent")))
    }

    @Test func `paths that lead to one file have one identity`() throws {
        let file = try folder.write([1], "file"), other = try folder.write([1], "other")
        try FileManager.default.linkItem(atPath: file, toPath: folder.file("hard"))
        try FileManager.default.createSymbolicLink(atPath: folder.file("soft"), withDestinationPath: file)
        let identity = try #require(RegularFile.Identity(file))
        for name in ["hard", "soft", "./file"] { #expect(RegularFile.Identity(folder.file(name)) == identity) }
        #expect(RegularFile.Identity(other) != identity && RegularFile.Identity(folder.file("absent")) == nil)
    }

    @Test func `room that is not there is refused with what is there`() {
        let failure = expectFailure(.usage, "memory: expected about 1073741824 MiB for pictures, found ") {
            try MemoryFigures.requireRoom(1 << 50, for: "pictures", place: "p.h5", advice: "take fewer")
        }
        #expect(failure?.sentence.hasSuffix(" MiB that it may use; take fewer") == true && failure?.place == "p.h5")
        #expect(throws: Never.self) {
            try MemoryFigures.requireRoom(1, for: "a byte", place: nil, advice: "none")
        }
    }

    @Test func `a limit of the process itself counts`() async {
        await #expect(processExitsWith: .success) {
            let before = MemoryFigures.available
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit)
            let held = try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n")
                .first { $0.hasPrefix("VmData:") }?.split(whereSeparator: { " \t".contains($0) })[1]
            limit.rlim_cur = try rlim_t(#require(held.flatMap { UInt($0) })) * 1024 + 64 << 20
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0)
            let after = MemoryFigures.available
            try #require(after <= 64 << 20 && after < before)
        }
    }
}
