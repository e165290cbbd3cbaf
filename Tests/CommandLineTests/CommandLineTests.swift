import ArgumentParser
import Files
import Foundation
import Fovea
import Testing
import fovea

@Suite struct CommandLineTests {
    @Test(arguments: [
        (0, 0.0, false, "import 0/412 photographs"),
        (206, 14.5, false, "import 206/412 photographs, 14/s, 0:15 left"),
        (206, 14.5, true, "import [############............] 206/412 photographs, 14/s, 0:15 left"),
        (4, 40.0, false, "import 4/412 photographs, 0.10/s, 1:08:00 left"),
        (412, 20.0, true, "import [########################] 412/412 photographs, 21/s, 0:00 left"),
    ])
    func `progress as a line`(done: Int, seconds: Double, hasBar: Bool, line: String) {
        let progress = JobProgress(stage: "import", unit: "photographs", done: done, total: 412)
        #expect(ProgressDisplay.line(progress, seconds: seconds, hasBar: hasBar) == line)
    }

    @Test func `work that goes on in the middle is told by what was done since`() {
        let progress = JobProgress(stage: "usefulness", unit: "%", done: 60, total: 100, detail: "real, training 1")
        // 10 % took 20 s, and 40 % are left; from the beginning on it would be 13 s.
        #expect(
            ProgressDisplay.line(progress, seconds: 20, since: 50, hasBar: false)
                == "usefulness 60 %, real, training 1, 1:20 left")
    }

    @Test func `what is to be seen beside the count stands behind it`() {
        let progress = JobProgress(stage: "train", unit: "images", done: 64, total: 640, detail: "loss 0.25")
        #expect(
            ProgressDisplay.line(progress, seconds: 4, hasBar: false)
                == "train 64/640 images, loss 0.25, 16/s, 0:36 left")
    }

    @Test func `a share is shown as a share, without a rate`() {
        let progress = JobProgress(stage: "audit: membership", unit: "%", done: 48, total: 100)
        #expect(ProgressDisplay.line(progress, seconds: 24, hasBar: false) == "audit: membership 48 %, 0:26 left")
    }

    @Test(arguments: [
        (["smaple"], "fovea has no command smaple; did you mean fovea sample?"),
        (["Train", "--data", "x"], "fovea has no command Train; did you mean fovea train?"),
        (["inpsect", "x.h5"], "fovea has no command inpsect; did you mean fovea inspect?"),
        (["seal", "x"], "fovea has no command seal; did you mean fovea parcel seal?"),
        (["version"], "fovea has no command version; did you mean fovea --version?"),
        (["parcel", "seel", "x"], "fovea parcel has no command seel; did you mean fovea parcel seal?"),
        (["round", "begin"], "fovea round has no command begin; there are init, status, close"),
    ])
    func `a command that there is not is answered with the nearest`(arguments: [String], sentence: String) {
        let failure = #expect(throws: Failure.self) { try CommandNames.requireKnown(arguments) }
        #expect(failure?.kind == .usage && failure?.sentence == sentence)
    }

    @Test(arguments: [
        [], ["--help"], ["help", "smaple"], ["train", "smaple"], ["audit", "s.h5"], ["audit", "sign", "x"],
        ["parcel", "--help"], ["parcel", "seal", "seel"], ["probe", "x"], ["--version"],
    ])
    func `a command that there is passes`(arguments: [String]) throws { try CommandNames.requireKnown(arguments) }

    @Test func `the overview names commands that exist, each with options that exist`() throws {
        var named = 0
        for line in FoveaCommand.overview.split(separator: "\n").map({ $0.trimmingCharacters(in: .whitespaces) })
        where line.hasPrefix("fovea ") && !line.contains("...") && !line.hasPrefix("fovea help")
            && !line.hasPrefix("fovea trains")
        {
            let words = line.replacing("\"CC BY 4.0\"", with: "CC0-1.0").split(separator: " ").dropFirst().map(
                String.init)
            #expect(throws: Never.self, "\(line)") { _ = try FoveaCommand.parseAsRoot(words) }
            named += 1
        }
        #expect(named == 6)
    }

    @Test func `completions name files`() {
        let script = FoveaCommand.completionScript(for: .bash)
        #expect(script.contains("add_completions -f"))
    }

    @Test func `a setting is named as its option, and the remedy as the option that helps`() {
        let setting = Failure(.usage, option: "onePatientPerPhoto", expected: "a map", found: "none")
        #expect(setting.commandLine == "--one-patient-per-photo: expected a map, found none")
        #expect(Failure(.badData, "a.h5", "is empty").commandLine == "a.h5: is empty")
        let output = Failure(.cannotCreateOutput, "a.h5", "exists already", remedy: .replace)
        #expect(output.commandLine == "a.h5: exists already; give --force to replace it")
        #expect(output.description == "a.h5: exists already")
    }

    /// The options of all commands, as their help names them.
    private static let options: Set<String> = {
        func all(_ command: any ParsableCommand.Type) -> Set<String> {
            let own = FoveaCommand.helpMessage(for: command, columns: 400).matches(of: /--[a-z][a-z-]*/)
            return command.configuration.subcommands.reduce(into: Set(own.map { String($0.output) })) {
                $0.formUnion(all($1))
            }
        }
        return all(FoveaCommand.self)
    }()

    @Test(
        arguments: [
            .replace, .resume, .resumeOrEnd(3), .resumeOrReplace, .resumeOrDiscard, .discard, .drawUnseen,
            .excludeRefused,
            .closeEarly, .closeEarlyWithoutRefused, .markOnly, .replaceParcel, .auditOrReason, .auditModel, .signAudit,
            .trust, .onePatientPerPhoto, .holdout, .canaries,
            .classes, .size, .showFewer, .noGuidance, .exchange("labels", "map"),
        ] as [Failure.Remedy])
    func `a remedy names an option that some command has`(remedy: Failure.Remedy) {
        let named = Failure(.usage, nil, "", remedy: remedy).commandLine.matches(of: /--[a-z][a-z-]*/)
        #expect(!named.isEmpty)
        for option in named { #expect(Self.options.contains(String(option.output)), "\(option.output)") }
    }
}
