import Files
import Foundation
import Support
import Synchronization
import Testing

/// A file that appears whole, or not at all.
@Suite struct StagedFileTests {
    @Test(arguments: [("a/s.h5", "a/s"), ("s.HDF5", "s"), ("s.he5", "s"), ("s.h5.png", "s.h5.png"), ("h5", "h5")])
    func `names of files beside an HDF5 file lack its suffix`(path: String, stem: String) {
        #expect(path.withoutHDF5Suffix == stem)
    }

    let folder: TemporaryFolder
    var path: String { folder.file("out.bin") }
    init() throws { folder = try TemporaryFolder() }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }
    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    /// The name under which the process `id` of `host`, or of this host, stages `out.bin`.
    private func stagingName(process id: Int32, host: String? = nil) throws -> String {
        let own = URL(fileURLWithPath: StagedFile.stagingPath(for: path)).lastPathComponent
        let prefix = ".out.bin.\(getpid()).", suffix = ".part"
        try #require(own.hasPrefix(prefix) && own.hasSuffix(suffix), "\(own)")
        return ".out.bin.\(id).\(host ?? String(own.dropFirst(prefix.count).dropLast(suffix.count))).part"
    }

    @Test func `a file has its name when it is whole, and no other is left`() throws {
        let staged = try StagedFile(path)
        try staged.write(Data("abc".utf8))
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try names().count == 1)
        try staged.commit()
        #expect(try names() == ["out.bin"] && text(path) == "abc")
    }

    @Test func `pieces are put one behind the other`() throws {
        let staged = try StagedFile(path)
        try staged.write { append in
            for piece in ["ab", "", "cde"] { try Array(piece.utf8).withUnsafeBytes(append) }
        }
        try staged.commit()
        #expect(try text(path) == "abcde")
    }

    @Test func `a file that exists is replaced with force alone`() throws {
        try folder.write("old".utf8, "out.bin")
        expectFailure(.cannotCreateOutput, "exists already") { try StagedFile(path) }
        #expect(try names() == ["out.bin"] && text(path) == "old")
        let staged = try StagedFile(path, force: true)
        try staged.write(Data("new".utf8))
        #expect(try text(path) == "old")
        try staged.commit()
        #expect(try names() == ["out.bin"] && text(path) == "new")
    }

    @Test func `whoever comes second is told where nothing may be replaced`() throws {
        let staged = try folder.write("mine".utf8, "staged")
        try folder.write("theirs".utf8, "out.bin")
        let failure = expectFailure(.cannotCreateOutput, "was written by another process in the meantime") {
            try StagedFile.move(staged, to: path, replacing: false)
        }
        #expect(failure?.place == path)
        #expect(try text(path) == "theirs")
        try StagedFile.move(staged, to: folder.file("free.bin"), replacing: false)
        #expect(try names() == ["free.bin", "out.bin"] && text(folder.file("free.bin")) == "mine")
    }

    @Test func `nothing is left of a file that is never finished`() throws {
        struct Stop: Error {}
        try folder.write("old".utf8, "out.bin")
        do {
            let staged = try StagedFile(path, force: true)
            #expect(throws: Stop.self) {
                try staged.write { append in
                    try Array("half".utf8).withUnsafeBytes(append)
                    throw Stop()
                }
            }
            #expect(try names().count == 2)
        }
        #expect(try names() == ["out.bin"] && text(path) == "old")
    }

    /// Whoever has the old file open goes on reading it; whoever opens the name finds one of the two, whole.
    @Test func `readers see the old file or the new one, whole`() throws {
        let size = 1 << 18
        try Data(repeating: 0, count: size).write(to: URL(fileURLWithPath: path))
        let old = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        let isWriting = Atomic<Bool>(true), torn = Mutex<[String]>([]), opened = Atomic<Int>(0)
        let path = path
        DispatchQueue.concurrentPerform(iterations: 2) { part in
            if part == 0 {
                defer { isWriting.store(false, ordering: .releasing) }
                for round in 1...40 {
                    do {
                        let staged = try StagedFile(path, force: true), half = size / 2
                        try staged.write { append in
                            let piece = [UInt8](repeating: UInt8(round), count: half)
                            for _ in 0..<2 { try piece.withUnsafeBytes(append) }
                        }
                        try staged.commit()
                    } catch { torn.withLock { $0.append("\(error)") } }
                }
            } else {
                while isWriting.load(ordering: .acquiring) || opened.load(ordering: .relaxed) == 0 {
                    let bytes = FileManager.default.contents(atPath: path)
                    opened.add(1, ordering: .relaxed)
                    let isWhole = bytes.map { $0.count == size && Set($0).count == 1 } ?? false
                    if !isWhole { torn.withLock { $0.append("\(bytes?.count ?? -1) bytes") } }
                }
            }
        }
        let found = torn.withLock { $0 }
        #expect(found == [])
        #expect(opened.load(ordering: .relaxed) > 0)
        let before = try #require(try old.readToEnd())
        #expect(before.count == size && Set(before) == [0])
    }

    @Test func `a file has the rights of any new file`() throws {
        let descriptor = open(folder.file("plain"), O_WRONLY | O_CREAT, 0o666)
        try #require(descriptor >= 0)
        close(descriptor)
        let whole = try StagedFile(folder.file("whole")), pieces = try StagedFile(folder.file("pieces"))
        try whole.write(Data([1]))
        try pieces.write { append in try [UInt8(1)].withUnsafeBytes(append) }
        for staged in [whole, pieces] {
            try staged.commit()
            #expect(try mode(staged.destination) == mode(folder.file("plain")), "\(staged.destination)")
        }
    }

    @Test func `what is no place for a file is said before any work`() throws {
        let file = try folder.write([], "file"), link = folder.file("link"), pipe = folder.file("pipe")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
        try #require(mkfifo(pipe, 0o600) == 0)
        for (place, part) in [
            (folder.path, "is a folder, and a file is to be written there"),
            (link, "is a link, which would be replaced; name the file itself"),
            (pipe, "is a pipe or a device, which is not replaced"),
            ("/dev/null", "is a pipe or a device, which is not replaced"),
            (folder.file("absent/x"), "the folder \(folder.file("absent")) does not exist"),
            (folder.file("file/x"), "the folder \(folder.file("file")) does not exist"),
        ] {
            let failure = expectFailure(.cannotCreateOutput, part, "\(place)") {
                try StagedFile.requireWritable(place, force: true)
            }
            #expect(failure?.place == place)
        }
        expectFailure(.usage, "output: expected a name, found none") { try StagedFile.requireWritable("", force: true) }
    }

    @Test func `a folder that is not writable is named, with the system's reason`() throws {
        let path = path, folder = folder.path
        try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder)
        defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder) }
        let failure = Mutex<Failure?>(nil)
        let wasRun = withoutRights {
            do { _ = try StagedFile(path) } catch { failure.withLock { $0 = error as? Failure } }
        }
        if !wasRun { return }
        #expect(
            failure.withLock { $0 }
                == Failure(.cannotCreateOutput, path, "the folder \(folder) is not writable (Permission denied)"))
        #expect(try names() == [])
    }

    @Test func `a failed write names the destination and the system's reason`() throws {
        let inner = folder.file("inner")
        try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
        let whole = try StagedFile(inner + "/whole"), pieces = try StagedFile(inner + "/pieces"),
            moved = try StagedFile(inner + "/moved")
        try moved.write(Data([1]))
        try FileManager.default.removeItem(atPath: inner)
        let sentence = "could not be written: No such file or directory"
        for (staged, body) in [
            (pieces, { try pieces.write { _ in } }), (moved, moved.commit),
        ] as [(StagedFile, () throws -> Void)] {
            let failure = expectFailure(.readOrWriteFailed, sentence) { try body() }
            #expect(failure?.place == staged.destination)
        }
        expectFailure(.readOrWriteFailed, sentence) { try whole.write(Data([1])) }
    }

    @Test func `a name that became a folder is not replaced, and nothing is left`() throws {
        do {
            let staged = try StagedFile(path)
            try staged.write(Data([1]))
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            expectFailure(.readOrWriteFailed, "could not be written: Is a directory") { try staged.commit() }
        }
        #expect(try names() == ["out.bin"])
    }

    @Test func `leftovers of processes that are gone are removed, and no others`() throws {
        let ended = Process()
        ended.executableURL = URL(fileURLWithPath: "/bin/true")
        try ended.run()
        ended.waitUntilExit()
        let dead = try stagingName(process: ended.processIdentifier), alive = try stagingName(process: getppid())
        let kept = [
            alive, try stagingName(process: ended.processIdentifier, host: "elsewhere.example"), ".out.bin.part",
        ]
        for name in kept + [dead] { try folder.write([1], name) }
        _ = StagedFile.stagingPath(for: path)
        #expect(try names() == kept.sorted())
    }
}
