import CheckpointStore
import Cohorts
import Diffusion
import Files
import Foundation
import Models
import SampleStore
import TensorCore

/// Draws samples of a set again and, after each, the same eye in other cohorts, into a new sample set.
///
/// The set holds for each original its row and then a row for each change. A counterfactual names the row of its
/// original, and has a map of the difference to it. The originals are drawn again, and must be those of the source.
public struct CounterfactualRun: Sendable {
    private let source: SampleSetFile
    private let model: LoadedModel
    private let rows: [Int]
    private let changes: [CohortRequest]
    private let change: CohortChange
    private let settings: SamplerSettings
    private let schedule: RecordedSchedule
    private let path: String
    private let options: SampleSetWriter.Options

    /// How the changes are drawn where nothing else is asked for: the noise level on pixels at which the cohort
    /// changes, and how strongly the change is shown. See docs/counterfactuals.md.
    public static let usualLevel: Float = 0.8, usualScale: Float = 5

    /// - Parameters:
    ///   - source: the set whose samples are changed.
    ///   - model: the model that drew them.
    ///   - rows: rows of the source that are no counterfactuals.
    ///   - changes: what is changed, such as `dr_icdr=3`. A change that names several values of an attribute stands for
    ///     one change for each.
    ///   - level: the noise level on pixels at and below which the changed cohort holds.
    ///   - options: how the set is written; it is one file.
    /// - Throws: `Failure(.usage)` for a row that is a counterfactual, rows that were drawn with different settings,
    ///   and a change that is asked for twice; `Failure(.badData)` where another model drew the rows or their settings
    ///   are not known.
    public init(
        of source: SampleSetFile, _ model: LoadedModel, rows: [Int], changes: [CohortRequest], level: Float,
        scale: Float, keepsVessels: Bool, batch: Int, path: String, options: SampleSetWriter.Options
    ) throws {
        self.source = source
        self.model = model
        self.rows = rows
        self.changes = changes.flatMap(\.members).map { CohortRequest(cohort: $0.cohort, positions: $0.positions) }
        change = CohortChange(
            below: level * model.manifest.model.space.noiseScale, scale: scale, keepsVessels: keepsVessels)
        self.path = path
        self.options = options
        if let row = rows.first(where: { source.original(row: $0) != nil }) {
            throw Failure(.usage, source.path, option: "row", expected: "no counterfactual", found: "row \(row)")
        }
        for (number, change) in self.changes.enumerated() where self.changes[..<number].contains(change) {
            throw Failure(.usage, option: "change", expected: "each once", found: "\(change.text) twice")
        }
        let runs = rows.map { source.runs[Int(source.runOfSample[$0])] }
        guard let run = runs.first else { fatalError("CounterfactualRun: no rows") }
        guard run.modelDigest == model.digest else {
            throw Failure(
                .badData, source.path, field: "model of row \(rows[0])", expected: run.modelDigest.description,
                found: "\(model.digest) (\(model.path))")
        }
        for (row, other) in zip(rows, runs) where !other.hasSettings(of: run) {
            throw Failure(
                .usage, source.path, option: "row", expected: "rows that were drawn with the same model and settings",
                found: "rows \(rows[0]) and \(row)")
        }
        settings = try SamplerSettings(of: run, in: source.path, batchSize: batch)
        var schedule = try RecordedSchedule(of: run, in: source.path)
        schedule.counterfactual = RecordedChange(
            below: change.below, scale: scale, kept: keepsVessels ? RecordedChange.vessels : nil)
        self.schedule = schedule
    }

    /// The number of rows of the new set.
    public var count: Int { rows.count * eachCount }

    /// The rows of an original and its counterfactuals.
    private var eachCount: Int { 1 + changes.count }

    /// The original in `rows[number]` and its counterfactuals, as they are planned.
    private func planned(_ number: Int) -> [PlannedSample] {
        let original = source.planned(row: rows[number])
        return [original]
            + changes.map {
                PlannedSample(
                    request: original.request.changed(by: $0), seed: original.seed, index: original.index)
            }
    }

    /// Draws the rows that the new set does not have yet.
    /// - Returns: the number of rows in the set. It is less than `count` where the task was cancelled; the rows are
    ///   kept for a run that resumes.
    /// - Throws: `Failure`: `.notPermitted` where a site does not permit the purpose; `.usage` for a cohort that the
    ///   model does not know or saw too rarely; `.checkFailed` where an original is not what its provenance says;
    ///   `.badData` where the model gives numbers that are not finite; the failures of the writer.
    public func run(purpose: String?, allowsUnseen: Bool, progress: (Int) -> Void) async throws -> Int {
        try model.requirePermission(purpose: purpose, at: Date())
        let requests = Set(rows.indices.flatMap { planned($0).map(\.request) })
        let sampler = try CounterfactualSampler(model, settings, change: change, requests: requests)
        let small = try smallCohorts(requests, allowsUnseen: allowsUnseen)
        try Sampler(model, settings, samples: rows.map { source.planned(row: $0) }).requireRoom()
        let writer = try writer(small)
        try requirePrefix(in: writer)
        progress(writer.count)
        while writer.count < count {
            let first = writer.count / eachCount
            try await draw(first..<min(rows.count, first + settings.batchSize), sampler, into: writer)
            progress(writer.count)
            if Task.isCancelled, writer.count < count { return writer.count }
        }
        try await writer.finish()
        return count
    }

    /// The cohorts that the model saw with fewer than five patients.
    /// - Throws: `Failure(.usage)` for the first of them where they are not allowed.
    private func smallCohorts(_ requests: Set<CohortRequest>, allowsUnseen: Bool) throws -> [String] {
        let seen = SeenCohorts(model)
        return try requests.sorted { $0.text < $1.text }.compactMap { request in
            guard let refusal = seen.refusal(of: request) else { return nil }
            if !allowsUnseen { throw Failure(.usage, model.path, refusal, remedy: .drawUnseen) }
            return request.text
        }
    }

    private func writer(_ smallCohorts: [String]) throws -> SampleSetWriter {
        guard let record = source.models.first(where: { $0.digest == model.digest }) else {
            fatalError("CounterfactualRun: a set without the model of its runs")
        }
        let maps = settings.structures(of: model.manifest.model)
        let run = RunRecord(
            modelDigest: model.digest, sampler: settings.sampler.rawValue, schedule: try JSONText.encoded(schedule),
            steps: settings.steps, guidance: settings.guidanceScale,
            warnings: RunWarnings(guidanceScale: settings.guidanceScale, smallCohorts: smallCohorts),
            openBLASVersion: ComputeEnvironment.blasVersion, blasCore: ComputeEnvironment.blasCore,
            kernelISA: ComputeEnvironment.instructionSet, started: Date())
        return try SampleSetWriter(
            path: path, width: source.width, height: source.height, run: run, model: record, terms: source.terms,
            siteNames: source.siteNames, structures: maps + [SampleSet.difference], options: options)
    }

    /// Checks that the rows that an earlier run has written are those that this run would have drawn.
    private func requirePrefix(in writer: SampleSetWriter) throws {
        let most = count
        guard writer.count <= most else {
            throw Failure(
                .usage, path, option: "row", expected: "at least the \(writer.count) samples that are there",
                found: "\(most)")
        }
        try writer.forEachSample { row, cohort, requests, seed, index, asked in
            let wanted = planned(row / eachCount)[row % eachCount]
            let known = PlannedSample(
                request: CohortRequest(cohort: cohort, positions: requests, asked: asked), seed: seed, index: index)
            guard wanted == known else {
                throw Failure(
                    .usage, path,
                    "row \(row) of the run that was begun has another seed, number or cohort than is asked for now")
            }
        }
    }

    /// Checks that a finished set is the one that this run would have written.
    /// - Throws: `Failure(.usage)` where it is another one.
    public func require(_ file: SampleSetFile) throws {
        let text = try JSONText.encoded(schedule)
        let isSame =
            file.count == count
            && file.runs.allSatisfy { $0.modelDigest == model.digest && $0.schedule == text }
            && (0..<count).allSatisfy { row in
                let (number, kind) = row.quotientAndRemainder(dividingBy: eachCount)
                return file.planned(row: row) == planned(number)[kind]
                    && file.original(row: row) == (kind == 0 ? nil : number * eachCount)
            }
        guard isSame else {
            throw Failure(.usage, file.path, "is complete, and was drawn of other rows, changes or settings")
        }
    }

    /// Draws some originals with their counterfactuals, and appends those rows that are not there yet.
    private func draw(
        _ numbers: Range<Int>, _ sampler: CounterfactualSampler, into writer: SampleSetWriter
    ) async throws {
        let planned = numbers.map { self.planned($0) }, originals = planned.map { $0[0] }
        let own = try await drawnOriginals(numbers, originals)
        let changed = changes.indices.map { number in
            sampler.drawn(planned.map { $0[1 + number] }, originals: originals.map(\.request), pixels: own.pixels)
        }
        let batches = [own] + changed, before = writer.count
        if let wrong = batches.firstIndex(where: { !$0.isFinite }) {
            throw Failure(
                .badData, model.path,
                """
                gives numbers that are not finite, in \(wrong == 0 ? "an original" : changes[wrong - 1].text) of rows \
                \(rows[numbers.lowerBound]) and after
                """)
        }
        let samples = planned.enumerated().flatMap { place, group in
            let number = numbers.lowerBound + place
            return group.enumerated().map { kind, sample in
                record(
                    sample, batches[kind], own, place: place, row: rows[number],
                    original: kind == 0 ? nil : number * eachCount)
            }
        }
        try await writer.append(Array(samples.dropFirst(before - numbers.lowerBound * eachCount)))
    }

    private func record(
        _ sample: PlannedSample, _ batch: Sampler.Batch, _ own: Sampler.Batch, place: Int, row: Int, original: Int?
    ) -> SampleRecord {
        let size = batch.pixels.count / batch.count, range = place * size..<(place + 1) * size
        let area = size / 3, mapRange = place * area..<(place + 1) * area
        let pixels = Array(batch.pixels[range]), sites = source.siteNames.count
        return SampleRecord(
            pixels: pixels, cohort: sample.request.cohort, requests: sample.request.positions,
            asked: sample.request.asked, seed: sample.seed, index: sample.index,
            siteWeights: Array(source.siteWeights[row * sites..<(row + 1) * sites]),
            maps: batch.maps.map { Array($0.values[mapRange]) } + [difference(pixels, Array(own.pixels[range]))],
            original: original)
    }

    /// Draws originals again, and checks that they are those of the source.
    private func drawnOriginals(_ numbers: Range<Int>, _ samples: [PlannedSample]) async throws -> Sampler.Batch {
        var sampler = try Sampler(model, settings, samples: samples)
        guard let drawn = sampler.next() else { fatalError("CounterfactualRun: no originals") }
        let own = Array(rows[numbers]), stored = try await source.images(rows: own), size = stored.count / own.count
        for (place, row) in own.enumerated() {
            let range = place * size..<(place + 1) * size
            let isSame = source.runs[Int(source.runOfSample[row])].isOfThisMachine
            let ratio = Replay.ratio(Array(drawn.pixels[range]), Array(stored[range]))
            guard ratio >= (isSame ? .infinity : Replay.requiredRatio) else {
                throw Failure(
                    .checkFailed, source.path,
                    "row \(row) is not what its provenance says, so it cannot be drawn in another cohort")
            }
        }
        return drawn
    }
}

/// The mean over the colours of how much pictures differ, in levels of 0 to 255; a third as many numbers as they have.
func difference(_ one: [UInt8], _ other: [UInt8]) -> [UInt8] {
    stride(from: 0, to: one.count, by: 3).map { place in
        let sum = (place..<place + 3).reduce(0) { $0 + abs(Int(one[$1]) - Int(other[$1])) }
        return UInt8((sum + 1) / 3)
    }
}

extension CohortRequest {
    /// This request with the values of another one in place of its own.
    func changed(by other: CohortRequest) -> CohortRequest {
        let names = other.attributes
        return CohortRequest(
            cohort: Cohort(cohort.values.filter { !names.contains($0.key) }.merging(other.cohort.values) { $1 }),
            positions: positions.filter { !names.contains($0.key) }.merging(other.positions) { $1 })
    }
}

extension RunRecord {
    /// Whether the samples of both runs were drawn in the same way by the same model.
    fileprivate func hasSettings(of other: RunRecord) -> Bool {
        modelDigest == other.modelDigest && sampler == other.sampler && schedule == other.schedule
            && guidance == other.guidance
    }
}
