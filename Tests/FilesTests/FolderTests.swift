import Files
import Foundation
import Support
import Testing

/// Folders that one process at a time holds.
@Suite struct FolderTests {
    let folder: TemporaryFolder
    var output: String { folder.file("out") }
    init() throws { folder = try TemporaryFolder() }

    private func names(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    @Test func `a folder has one holder, and the next comes when it is let go`() throws {
        var first: FolderLock? = try FolderLock(folder.path)
        let failure = expectFailure(.cannotCreateOutput, "process \(getpid()) on ") {
            try FolderLock(folder.path)
        }
        #expect(failure?.place == folder.path && first != nil)
        #expect(failure?.sentence.hasSuffix(" is writing into this folder; wait for it or stop it") == true)
        #expect(try names(folder.path) == [".lock"])
        first = nil
        _ = try FolderLock(folder.path)
        #expect(try names(folder.path) == [])
    }

    @Test func `a holder that is killed lets go`() throws {
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        holder.arguments = ["--no-fork", folder.file(".lock"), "sleep", "60"]
        try holder.run()
        defer { if holder.isRunning { kill(holder.processIdentifier, SIGKILL) } }
        let path = folder.path, end = ContinuousClock.now + .seconds(20)
        func isHeld() -> Bool { (try? FolderLock(path)) == nil }
        while !isHeld(), holder.isRunning, ContinuousClock.now < end { usleep(5000) }
        try #require(isHeld() && holder.isRunning)
        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        #expect(!isHeld())
    }

    @Test func `what is no folder cannot be held`() throws {
        expectFailure(.cannotCreateOutput, "the folder could not be opened: No such file or directory") {
            try FolderLock(folder.file("absent"))
        }
        let file = try folder.write([], "file")
        expectFailure(.cannotCreateOutput, "the folder could not be opened: Not a directory") { try FolderLock(file) }
    }

    @Test func `an unfinished folder stands beside its output, and goes when it is empty`() throws {
        #expect(UnfinishedFolder.path(for: "a/b//") == "a/b.unfinished")
        do {
            let unfinished = try UnfinishedFolder(for: output + "/")
            #expect(unfinished.path == output + ".unfinished" && unfinished.file("x") == output + ".unfinished/x")
            #expect(try names(folder.path) == ["out.unfinished"])
        }
        #expect(try names(folder.path) == [])
    }

    @Test func `what was finished stays for whoever goes on`() throws {
        do {
            let unfinished = try UnfinishedFolder(for: output)
            try Data([7]).write(to: URL(fileURLWithPath: unfinished.file("part-1")))
        }
        let next = try UnfinishedFolder(for: output)
        #expect(FileManager.default.contents(atPath: next.file("part-1")) == Data([7]))
        try next.remove { $0 == "part-1" }
        #expect(try names(folder.path) == [])
    }

    @Test func `the second is told who holds an unfinished folder`() throws {
        let holder = try UnfinishedFolder(for: output)
        var failure = expectFailure(.cannotCreateOutput, "is being made by process \(getpid()) on ") {
            try UnfinishedFolder(for: output)
        }
        #expect(failure?.place == output)
        #expect(failure?.sentence.contains(#/ since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ; wait for it or stop it$/#) == true)
        // The lock counts; what is written in it is for people.
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: holder.file("lock")))
        failure = expectFailure(.cannotCreateOutput, "is being made by another process; wait") {
            try UnfinishedFolder(for: output)
        }
        withExtendedLifetime(holder) {}
    }

    @Test func `names of others are left alone, and said`() throws {
        let unfinished = try UnfinishedFolder(for: output)
        for name in ["own-1", "own-2", "thes\u{1b}is.doc", ".own-3.17.host.part"] {
            try Data([1]).write(to: URL(fileURLWithPath: unfinished.file(name)))
        }
        let before = try names(unfinished.path)
        expectFailure(.cannotCreateOutput, "holds thes?is.doc, which is not part of this output; move it away") {
            try unfinished.clear { $0.hasPrefix("own") }
        }
        #expect(try names(unfinished.path) == before && before.count == 5)
        try FileManager.default.removeItem(atPath: unfinished.file("thes\u{1b}is.doc"))
        try unfinished.clear(first: "own-2") { $0.hasPrefix("own") }
        #expect(try names(unfinished.path) == ["lock"])
    }

    @Test func `an unfinished folder that cannot be made is named`() throws {
        expectFailure(.cannotCreateOutput, "could not be made: No such file or directory") {
            try UnfinishedFolder(for: folder.file("absent/out"))
        }
        try folder.write([1], "out.unfinished")
        let failure = expectFailure(.cannotCreateOutput, "could not be made: Not a directory") {
            try UnfinishedFolder(for: output)
        }
        #expect(failure?.place == output + ".unfinished/lock")
        #expect(try names(folder.path) == ["out.unfinished"])
    }
}
