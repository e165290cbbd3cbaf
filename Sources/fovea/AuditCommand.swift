import ArgumentParser
import Auditing
import CheckpointStore
import Datasets
import Files
import Foundation
import Models
import Verdicts

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Tests samples, and the model that made them, for memorised patients.",
        discussion: """
            SAMPLES and DATA are HDF5 files of Fovea or plain folders of pictures by anybody. Without SAMPLES the \
            audit draws its own from \
            --model. The folder public/ holds the verdict and aggregates; private/ shows patients and never leaves the \
            site. Exit code 0 for a \
            pass, 1 for fail and for no-power. A pass needs a positive control: an overfitted twin that the tests must \
            catch.

            Example: fovea audit s.h5 --train site.h5 --model run/best.safetensors --positive-control --key \
            officer.key --out audit
            """)

    @Argument(
        help: ArgumentHelp("A sample set, or a folder of pictures (default: drawn from --model).", valueName: "samples")
    )
    var samples: String?

    @Option(
        help: ArgumentHelp(
            "The photographs that the model may have learned from: the train split of a data set, or a folder.",
            valueName: "data"))
    var train: String

    @Option(
        help: ArgumentHelp(
            "Photographs of patients that it never saw (default: the data set's own holdout split).", valueName: "data")
    )
    var holdout: String?

    @Option(help: ArgumentHelp("The snapshot that made the samples; adds membership inference.", valueName: "snapshot"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "A snapshot that never saw these patients, such as the base; sharpens membership inference.",
            valueName: "snapshot"))
    var reference: String?

    @Option(
        name: .customLong("canary-model"),
        help: ArgumentHelp(
            "A model of the same recipe, of train --canaries: which canaries it remembers; goes with --canaries.",
            valueName: "snapshot"))
    var canaryModel: String?

    @Option(help: ArgumentHelp("The phantoms that --canary-model was trained with.", valueName: "phantoms.h5"))
    var canaries: String?

    @Option(
        name: .customLong("positive-control"), defaultAsFlag: "",
        help: ArgumentHelp(
            """
            Make a twin that copies a few training patients, or take one: a snapshot, or a sample set or folder of \
            its pictures.
            """,
            valueName: "twin"))
    var positiveControl: String?

    @Option(help: ArgumentHelp("Limits other than the usual ones.", valueName: "policy.yaml"))
    var policy: String?

    @Option(help: ArgumentHelp("The privacy officer's private key, which signs the audit.", valueName: "file"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "Pixels a side at which pictures are compared (default: the samples' own, 256 for folders).", valueName: "n"
        ))
    var size: Int?

    @Option(help: ArgumentHelp("The folder to write.", valueName: "folder"))
    var out: String

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if samples == nil, model == nil { throw ValidationError("expected samples, or --model to draw them from") }
        if (canaryModel == nil) != (canaries == nil) {
            throw ValidationError("--canary-model and --canaries go together")
        }
    }

    private struct Result: Encodable {
        let verdict: String
        let reasons: [String]
        let flagged: [FlaggedSample]
        let tests: [String: AuditSummary.Test]
        let output: String
        let samples: Int
        let seconds: Double
    }

    func run() async throws {
        common.apply()
        let folder = AuditFolder(out), console = common.console, started = ContinuousClock.now
        try folder.requireWritable(force: common.force)
        var inputs = AuditRun.Inputs(train: try await AuditCommand.source(train))
        inputs.policy = try policy.map { try AuditPolicy(contentsOf: $0) } ?? AuditPolicy()
        inputs.key = try key.map { try SigningKey(contentsOf: $0) }
        inputs.size = size
        if let samples { inputs.samples = try await AuditCommand.source(samples) }
        if let holdout { inputs.holdout = try await AuditCommand.source(holdout) }
        inputs.model = try model.map { try LoadedModel(contentsOf: $0) }
        if let canaryModel, let canaries {
            try FileProbe.check(canaries)
            inputs.canaries = (try LoadedModel(contentsOf: canaryModel), try await DatasetFile.open(canaries))
        }
        inputs.reference = try reference.map { try LoadedModel(contentsOf: $0) }
        if let positiveControl {
            if !positiveControl.isEmpty { try AuditCommand.check(positiveControl) }
            inputs.control = positiveControl.isEmpty ? .make : .given(positiveControl)
        }
        let work = out + ".work"
        try AuditCommand.makePrivate(work)
        // What an interrupted audit keeps there stays; an empty folder does not.
        defer { rmdir(work) }
        let progress = StageReporter(isQuiet: common.quiet)
        defer { progress.end() }
        let run = AuditRun(inputs, workFolder: work) { line in
            progress.end()
            console.say(line)
        } progress: {
            progress.update($0, $1)
        }
        let ledger = AuditLedger(for: train)
        let result = try await run.run(ledger: ledger)
        progress.end()
        let audit = try folder.write(result, date: Day.text(Date()), key: inputs.key)
        if try !ledger.append(audit) {
            console.say("\(ledger.path) could not be written: a later audit of this model will not list this one")
        }
        try? FileManager.default.removeItem(atPath: work)
        let summary = AuditSummary(audit)
        try console.finish(
            Result(
                verdict: audit.verdict.outcome.rawValue, reasons: audit.verdict.reasons, flagged: result.flagged,
                tests: summary.tests, output: out,
                samples: audit.figures.samples.count, seconds: (ContinuousClock.now - started) / .seconds(1)),
            ["\(audit.verdict.outcome.rawValue): \(audit.verdict.reasons.joined(separator: "; "))"] + summary.lines
                + [
                    """
                    \(out)/public/audit.html: the verdict and what it rests on; \(out)/private shows patients and \
                    stays here
                    """
                ])
        guard audit.verdict.outcome == .pass else {
            throw Failure(
                .checkFailed, out, "the verdict is \(audit.verdict.outcome.rawValue): \(audit.verdict.reasons[0])")
        }
    }

    /// Opens a file in a process of its own first, where it is one.
    static func source(_ path: String) async throws -> AuditSource {
        do {
            let isSampleSet = try check(path)
            return try await AuditSource(path, isSampleSet: isSampleSet)
        } catch let failure as Failure where failure.kind == .checkFailed {
            // A damaged file is no verdict, which alone ends with 1.
            throw Failure(.badData, failure.place, failure.sentence)
        }
    }

    /// - Returns: whether it is a sample set.
    @discardableResult
    private static func check(_ path: String) throws -> Bool {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(.noSuchInput, path, "does not exist")
        }
        if isFolder.boolValue { return false }
        switch try FileSort(contentsOf: path) {
        case .sampleSet:
            try FileProbe.check(path)
            return true
        case .hdf5:
            try FileProbe.check(path)
            return false
        case .weights: return false
        }
    }

    private static func makePrivate(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(.cannotCreateOutput, path, "could not be made: \((error as NSError).localizedDescription)")
        }
    }
}

/// One line for each stage of long work, with its share where it takes long.
private final class StageReporter: Sendable {
    private let isQuiet: Bool
    private let current: Locked

    /// The reporter of the stage that is under way.
    private final class Locked: @unchecked Sendable {
        private let lock = NSLock()
        private var name = "", reporter: ProgressReporter?

        func reporter(for stage: String, isQuiet: Bool) -> ProgressReporter {
            lock.withLock {
                if name == stage, let reporter { return reporter }
                reporter?.end()
                let made = ProgressReporter("audit: \(stage)", unit: "per mille", isQuiet: isQuiet)
                (name, reporter) = (stage, made)
                return made
            }
        }

        func end() { lock.withLock { reporter?.end() } }
    }

    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        current = Locked()
    }

    func update(_ stage: String, _ share: Double) {
        current.reporter(for: stage, isQuiet: isQuiet).update(Int(1000 * share), of: 1000)
    }
    func end() { current.end() }
}
