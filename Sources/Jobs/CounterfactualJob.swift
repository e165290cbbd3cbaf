import Auditing
import CheckpointStore
import Consortium
import Counterfactuals
import Evaluating
import Files
import Foundation
import Models
import PictureFiles
import Releasing
import SampleStore
import Sampling

/// Draws samples of a set again as they would look in another cohort: the same eyes, with what is changed.
///
/// Writes a sample set with the originals and their counterfactuals, a contact sheet, a page with a slider, and the
/// figures of the page.
public struct CounterfactualJob: Job {
    /// A sample set.
    public var samples: String
    /// The model that drew the samples.
    public var model: ModelSource
    /// What is changed, each a text such as `dr_icdr=3` or `dr_icdr=0..4`.
    public var changes: [String]
    /// The rows whose samples are changed; nil for all rows up to `most`.
    public var rows: [Int]?
    /// How many originals are taken where no rows are named.
    public var most = 16
    /// The noise level on pixels at and below which the changed cohort holds. A lower level keeps more of the eye.
    public var level = usualLevel
    /// How strongly the change is shown; 1 is as strongly as the model would.
    public var scale = usualScale
    /// Whether the vessels of the original are kept.
    public var keepsVessels = true
    /// A data set on whose photographs classifiers are trained that read the changed attribute; nil for none.
    public var train: String?
    /// The purpose of the samples, as a code of the Data Use Ontology.
    public var purpose: String?
    /// A list of trust: a model of a site that the list marks as withdrawn is refused.
    public var trust: String?
    /// Also draw cohorts of which the model saw fewer than five patients. The file then names them.
    public var allowsUnseen = false
    /// The number of originals that are drawn together. The samples do not depend on it.
    public var batch = 8
    public var output: String
    /// Go on with a run that was stopped or killed.
    public var resumes = false
    /// Whether an output that exists may be replaced.
    public var replaces = false
    /// The number of threads that compress.
    public var threads = Machine.availableCores

    /// The defaults of `level` and `scale`.
    public static let usualLevel = CounterfactualRun.usualLevel, usualScale = CounterfactualRun.usualScale
    static let levels: ClosedRange<Float> = 0.01...100, scales: ClosedRange<Float> = 1...10

    public init(_ samples: String, model: ModelSource, changes: [String], to output: String) {
        (self.samples, self.model, self.changes, self.output) = (samples, model, changes, output)
    }

    public var inputs: [JobInput] {
        [JobInput(samples, .sampleSet, setting: nil), JobInput(model.snapshot, .model, setting: "model")]
            + (train.map { [JobInput($0, .dataset, setting: "train")] } ?? [])
            + (trust.map { [JobInput($0, .trustList, setting: "trust")] } ?? [])
    }
    public var outputs: [JobOutput] { resumes ? [] : [JobOutput(output, .hdf5)] }

    public struct Outcome: JobOutcome {
        public let originals, counterfactuals: Int
        public let output, page, figures, contactSheet: String
        /// The median agreement of the vessels, -1 to 1; nil where it was measured nowhere.
        public let vessels: Double?
        /// What classifiers read, one sentence each.
        public let reading: [String]
        public let seconds: Double

        private enum CodingKeys: String, CodingKey {
            case originals, counterfactuals, output, page, figures, vessels, reading, seconds
            case contactSheet = "contact_sheet"
        }

        public var lines: [String] {
            let agreement = vessels.map { ", vessels agree by \(String(format: "%.2f", $0)) (median)" } ?? ""
            return [
                """
                \(output): \(counterfactuals) counterfactuals of \(originals) originals in \(seconds.short) s\
                \(agreement)
                """
            ] + reading + [
                "page: \(page), contact sheet: \(contactSheet)", "\(output): not audited, so not for release",
            ]
        }
    }

    public func validate() throws {
        try model.validate()
        guard !changes.isEmpty else {
            throw Failure(.usage, option: "change", expected: "what to change, such as dr_icdr=3", found: "nothing")
        }
        for (name, value, range) in [
            ("below", level, CounterfactualJob.levels), ("scale", scale, CounterfactualJob.scales),
        ] where !range.contains(value) {
            throw Failure(
                .usage, option: name, expected: "\(range.lowerBound) to \(range.upperBound)", found: "\(value)")
        }
        for (name, value) in [("count", most), ("batch", batch)] where !(1...1024).contains(value) {
            throw Failure(.usage, option: name, expected: "1 to 1024", found: "\(value)")
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let started = ContinuousClock.now
        try FileSort.requireSampleSet(samples, "only samples can be drawn in another cohort")
        try OutputPath.requireOther(output, than: [model.snapshot, samples])
        let side = output.withoutHDF5Suffix
        for path in [output, side + ".pairs.html", side + ".pairs.json", side + ".contact-sheet.png"] {
            try StagedFile.requireWritable(path, force: replaces || resumes)
        }
        let source = try await SampleSetFile.open(samples), changes = try changes.map { try CohortRequest($0) }
        try ReleaseChain.requireReplayable(source)
        let reader = try await reader(of: changes), loaded = try model.load()
        try WithdrawnSites.refuse(
            model.snapshot, sites: loaded.manifest.sites.union(loaded.mixture.flatMap(\.sites)), trust: trust)
        let run = try CounterfactualRun(
            of: source, loaded, rows: try chosen(source), changes: changes, level: level, scale: scale,
            keepsVessels: keepsVessels, batch: batch, path: output,
            options: SampleSetWriter.Options(resume: resumes, force: replaces, threads: threads))
        if !(resumes && FileManager.default.fileExists(atPath: output)) {
            let done = try await run.run(purpose: purpose, allowsUnseen: allowsUnseen) {
                report.progress("counterfactual", "samples", $0, of: run.count)
            }
            guard done == run.count else {
                throw Failure(
                    .interrupted, output,
                    "stopped; \(done) of \(run.count) samples are kept in \(UnfinishedFolder.path(for: output))",
                    remedy: .resume)
            }
        }
        let file = try await SampleSetFile.open(output, verifying: false)
        try run.require(file)
        var figures = try await PairFigures(
            of: file, name: URL(fileURLWithPath: output).lastPathComponent,
            content: try await SampleSetFile.contentDigest(output).description)
        if let reader {
            figures.reading = try await CohortReading(of: file, attribute: reader.attribute, train: reader.source) {
                report.progress("reading", "%", Int(100 * $0), of: 100)
                try Cancellation.check("\(output) is complete; its page was not written")
            }
        }
        let page = try await PairsPage(file, figures).html()
        let texts = [(".pairs.json", Data(try JSONText.encoded(figures).utf8)), (".pairs.html", Data(page.utf8))]
        for (suffix, data) in texts + [(".contact-sheet.png", try await SampleSheet.png(of: file))] {
            let staged = try StagedFile(side + suffix, force: true)
            try staged.write(data)
            try staged.commit()
        }
        return Outcome(
            originals: file.count - figures.pairs.count, counterfactuals: figures.pairs.count, output: output,
            page: side + ".pairs.html", figures: side + ".pairs.json", contactSheet: side + ".contact-sheet.png",
            vessels: figures.vessels, reading: figures.reading?.sentences ?? [],
            seconds: (ContinuousClock.now - started) / .seconds(1))
    }

    /// The rows whose samples are changed.
    private func chosen(_ source: SampleSetFile) throws -> [Int] {
        guard let rows else {
            return Array((0..<source.count).filter { source.original(row: $0) == nil }.prefix(most))
        }
        for (number, row) in rows.enumerated() {
            guard (0..<source.count).contains(row), !rows[..<number].contains(row) else {
                throw Failure(
                    .usage, samples, option: "row", expected: "rows from 0 to \(source.count - 1), each once",
                    found: "\(row)")
            }
        }
        return rows
    }

    /// The attribute that classifiers read, and their photographs; nil where none is asked for.
    private func reader(of changes: [CohortRequest]) async throws -> (attribute: String, source: AuditSource)? {
        guard let train else { return nil }
        let names = Set(changes.flatMap(\.attributes))
        guard names.count == 1, let name = names.first else {
            throw Failure(
                .usage, option: "train", expected: "changes of one attribute, which classifiers can read",
                found: names.sorted().joined(separator: ", "))
        }
        return (name, try await AuditSource(train))
    }
}
