import Datasets
import Files
import Foundation
import Phantoms
import PictureFiles
import Support
import Testing

/// Each in a process of its own: the program is the process's.
@Suite struct FileProbeTests {
    /// A program that writes its arguments down and then does what `script` says.
    private static func program(_ folder: TemporaryFolder, _ script: String) throws -> String {
        let path = folder.file("program")
        try "#!/bin/sh\necho \"$@\" >> '\(folder.file("asked"))'\n\(script)\n".write(
            toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    private static func asked(_ folder: TemporaryFolder) -> [String] {
        ((try? String(contentsOfFile: folder.file("asked"), encoding: .utf8)) ?? "").split(separator: "\n")
            .map(String.init)
    }

    private static func dataset(_ path: String) async throws {
        let generator = try PhantomGenerator(patients: 4, size: 32, seed: 1)
        _ = try await PhantomDataset(generator, path: path, site: nil, force: true).write(threads: 1) { _, _ in }
    }

    @Test func `a file of others is read by a child once, and again after it has changed`() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder(), path = folder.file("data.h5"), copy = folder.file("copy.h5")
            try await FileProbeTests.dataset(path)
            FileProbe.program = try FileProbeTests.program(folder, "exit 0")
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            for _ in 0..<3 { _ = try await DatasetFile.open(copy) }
            try #require(FileProbeTests.asked(folder) == ["probe \(copy)"])
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: copy)
            _ = try await DatasetFile.open(copy)
            try #require(FileProbeTests.asked(folder).count == 2)
        }
    }

    @Test func `a file that this process wrote is not read by a child`() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder(), path = folder.file("data.h5")
            FileProbe.program = try FileProbeTests.program(folder, "exit 65")
            try await FileProbeTests.dataset(path)
            _ = try await DatasetFile.open(path)
            try #require(FileProbeTests.asked(folder).isEmpty)
        }
    }

    @Test func `a child that crashes is a damaged file, and its own sentence is passed on`() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder(), path = folder.file("data.h5"), copy = folder.file("copy.h5")
            try await FileProbeTests.dataset(path)
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            for (script, kind, sentence) in [
                ("kill -SEGV $$", Failure.Kind.badData, "is damaged: HDF5 crashed on reading it (signal 11)"),
                ("echo 'fovea: \(copy): is no data set' >&2; exit 66", .noSuchInput, "is no data set"),
                // Threads of a test hold the signal back, and a child inherits that.
                (
                    "exec perl -MPOSIX -e 'sigprocmask(SIG_UNBLOCK, POSIX::SigSet->new(SIGTERM)); kill TERM => $$'",
                    .interrupted, "interrupted: \(copy) was being read"
                ),
            ] {
                FileProbe.program = try FileProbeTests.program(folder, script)
                do {
                    _ = try await DatasetFile.open(copy)
                    Issue.record("the file was opened after: \(script)")
                } catch let failure as Failure {
                    try #require(failure.kind == kind)
                    try #require(failure.sentence == sentence)
                }
            }
        }
    }

    @Test func `what the system refuses a child says nothing about the file`() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder(), path = folder.file("data.h5"), copy = folder.file("copy.h5")
            try await FileProbeTests.dataset(path)
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            FileProbe.program = try FileProbeTests.program(folder, "echo 'fovea: no threads' >&2; exit 74")
            do {
                _ = try FileProbe.findings(copy)
                Issue.record("a finding about the file")
            } catch let failure as Failure {
                try #require(failure == Failure(.readOrWriteFailed, copy, "no threads"))
            }
            FileProbe.program = try FileProbeTests.program(folder, "echo 'fovea: \(copy): is no set' >&2; exit 65")
            try #require(FileProbe.findings(copy) == [Finding("structure", "is no set")])
        }
    }

    @Test func `a low limit on open files is no obstacle, and one that is too low is named`() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder(), path = folder.file("data.h5"), copy = folder.file("copy.h5")
            try await FileProbeTests.dataset(path)
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            FileProbe.program = try FileProbeTests.program(folder, "echo '[]'")
            var limit = rlimit(rlim_cur: 64, rlim_max: 160)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            try #require(FileProbe.findings(copy) == [])
            limit.rlim_cur = 3
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            do {
                _ = try FileProbe.findings(copy)
                Issue.record("a child without files")
            } catch let failure as Failure {
                try #require(failure.kind == .readOrWriteFailed)
                try #require(
                    failure.sentence.hasSuffix("Too many open files; raise the limit on open files (ulimit -n)"))
            }
        }
    }

    @Test func `without a program the file is opened here`() async throws {
        let folder = try TemporaryFolder(), path = folder.file("data.h5"), copy = folder.file("copy.h5")
        try await FileProbeTests.dataset(path)
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        #expect(FileProbe.program == nil)
        #expect(try await DatasetFile.open(copy).count == 4)
    }
}
