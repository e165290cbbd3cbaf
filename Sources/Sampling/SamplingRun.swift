import Anatomy
import CheckpointStore
import Diffusion
import Files
import Foundation
import Models
import Pictures
import SampleStore
import TensorCore

/// Draws samples into a sample set with their provenance, and writes a contact sheet beside it.
public struct SamplingRun {
    private let model: LoadedModel
    private let settings: SamplerSettings
    private let plan: SamplingPlan
    private let seen: SeenCohorts
    /// The seed of all samples; nil draws a seed for each sample.
    private let seed: UInt64?
    private let firstIndex: UInt64
    private let path: String
    private let options: SampleSetWriter.Options
    private let allowsUnseen: Bool
    private let use: Use

    /// The use of the samples, which decides whether the sites' permissions are checked.
    public enum Use: Sendable {
        /// For the person who asked; the purpose is a code of the Data Use Ontology, or nil.
        case purpose(String?)
        /// For an audit. It does not pass the samples on, so the sites' permissions are not checked.
        case audit
    }

    /// - Parameters:
    ///   - seed: nil gives each sample a random seed of its own, for sets that are to be released.
    ///   - options: whether to go on with a run that was not finished, and how the set is written.
    ///   - use: the use that the sites must permit; it is checked when the run begins.
    ///   - allowsUnseen: whether to draw cohorts, too, that the model saw with fewer than five patients.
    public init(
        _ model: LoadedModel, _ settings: SamplerSettings, plan: SamplingPlan, seed: UInt64?, firstIndex: UInt64,
        path: String, options: SampleSetWriter.Options, use: Use = .purpose(nil), allowsUnseen: Bool = false
    ) {
        self.model = model
        let description = model.manifest.model,
            levels = model.sampledLevels
        var settings = settings.limited(to: levels.range)
        if case .dct = description.space { settings.sigmaMin = levels.range.lowerBound }
        settings.sigmaStart = levels.start
        // This is done for models that were trained to know the surround. Models of version 0.1 keep giving the same
        // bytes.
        settings.blackensSurround = description.preconditioning.gatesSurround
        // The levels above the fine network decide what depends on the cohort. Guidance at the fine network's levels
        // would take twice as long and only make grain sharper.
        let handover = (description.fine?.highestNoise ?? 0) * description.space.noiseScale
        if handover > 0, settings.guidanceScale != 1, settings.guidanceInterval == nil, handover < settings.sigmaMax {
            settings.guidanceInterval = handover.nextUp...(settings.sigmaStart ?? settings.sigmaMax)
        }
        self.settings = settings
        self.plan = plan
        seen = SeenCohorts(model)
        self.seed = seed
        self.firstIndex = firstIndex
        self.path = path
        self.options = options
        self.allowsUnseen = allowsUnseen
        self.use = use
    }

    /// The number of network evaluations for each sample.
    public var evaluations: Int { settings.evaluations }

    /// The path of the contact sheet: `S.contact-sheet.png` for `S.h5`.
    public var sheetPath: String {
        path.withoutHDF5Suffix + ".contact-sheet.png"
    }

    /// Draws the samples that the set does not have yet.
    ///
    /// - Parameter firstStep: called when everything is ready, before the network is evaluated for the first time.
    /// - Returns: the number of samples in the set. It is less than planned where the task was cancelled; the samples
    ///   are kept for a run with `resume`.
    /// - Throws: `Failure`: `.notPermitted` where a site does not permit the use; `.cannotCreateOutput` where the
    ///   output exists or another process writes it; `.usage` for a request that the model does not know or saw too
    ///   rarely, or that differs from the run that is resumed; `.badData` where the model gives numbers that are not
    ///   finite; `.readOrWriteFailed` where the output cannot be written.
    public func run(
        contact: String, firstStep: () -> Void = {}, progress: (Int) -> Void = { _ in }
    ) async throws -> Int {
        if case .purpose(let purpose) = use { try model.requirePermission(purpose: purpose, at: Date()) }
        try StagedFile.requireWritable(sheetPath, force: options.force || options.resume)
        let single = plan.resolved(seen, firstIndex: seed == nil ? 0 : firstIndex)
        var samples =
            try seed.map { try single.samples(seed: $0, firstIndex: firstIndex) } ?? single.independentSamples()
        _ = try Sampler(model, settings, samples: samples)
        try requireDiscs(samples)
        try settings.requireReadableStructure(model.manifest.model, path: model.path)
        let run = try record(smallCohorts: try smallCohorts())
        if options.resume, try await isFinished(samples, run) {
            try SampleSetWriter.removeLeftovers(of: try await SampleSetFile.open(path, verifying: false))
        } else {
            try Sampler(model, settings, samples: samples).requireRoom()
            let writer = try writer(run, contact: contact)
            if seed == nil { try takeSeeds(of: writer, into: &samples) }
            try requirePrefix(of: samples, in: writer)
            let rest = try Sampler(model, settings, samples: Array(samples.dropFirst(writer.count)))
            progress(writer.count)
            firstStep()
            do {
                try await draw(rest, of: samples, into: writer, progress: progress)
                guard writer.count == samples.count else { return writer.count }
                try await writer.finish()
            } catch let failure as Failure where failure.kind == .readOrWriteFailed && writer.count > 0 {
                throw Failure(
                    failure.kind, failure.place,
                    """
                    \(failure.sentence); \(writer.count) of \(samples.count) samples are kept in \
                    \(UnfinishedFolder.path(for: path))
                    """, remedy: .resume)
            }
        }
        try await writeSheet()
        return samples.count
    }

    /// The requests that the model saw with fewer than five patients.
    /// - Throws: `Failure(.usage)` for the first of them where they are not allowed.
    private func smallCohorts() throws -> [String] {
        try Set(plan.requests).sorted { $0.text < $1.text }.compactMap { request in
            guard let refusal = seen.refusal(of: request) else { return nil }
            if !allowsUnseen { throw Failure(.usage, model.path, refusal, remedy: .drawUnseen) }
            return request.text
        }
    }

    private func writer(_ run: RunRecord, contact: String) throws -> SampleSetWriter {
        let description = model.manifest.model
        return try SampleSetWriter(
            path: path, width: description.width, height: description.height, run: run, model: try modelRecord(),
            terms: Terms(
                licence: model.manifest.licence, attribution: model.manifest.attributions.joined(separator: "\n"),
                permittedUses: SamplingRun.stated(
                    try model.permissions()?.text ?? model.manifest.permittedUses.joined(separator: ", ")),
                contact: SamplingRun.stated(contact)),
            siteNames: model.siteShares.map(\.name), structures: settings.structures(of: description),
            options: options)
    }

    private func draw(
        _ sampler: Sampler, of samples: [PlannedSample], into writer: SampleSetWriter, progress: (Int) -> Void
    ) async throws {
        let weights = model.siteShares.map { Float($0.weight) }
        for drawn in sampler {
            let (batch, rows) = try withOneDisc(drawn, Array(samples[writer.count...].prefix(drawn.count)))
            guard batch.isFinite else {
                throw Failure(
                    .badData, model.path,
                    "gives numbers that are not finite, in sample \(rows.first?.index ?? 0) or in the samples after it")
            }
            let size = batch.pixels.count / batch.count, area = size / 3
            try await writer.append(
                rows.enumerated().map { place, sample in
                    SampleRecord(
                        pixels: Array(batch.pixels[place * size..<(place + 1) * size]), cohort: sample.request.cohort,
                        requests: sample.request.positions, asked: sample.request.asked, seed: sample.seed,
                        index: sample.index, siteWeights: weights,
                        maps: batch.maps.map { Array($0.values[place * area..<(place + 1) * area]) })
                })
            progress(writer.count)
            if Task.isCancelled { return }
        }
    }

    /// The batch, in which samples without exactly one optic disc were drawn again where that is wanted.
    private func withOneDisc(
        _ batch: Sampler.Batch, _ samples: [PlannedSample]
    ) throws -> (Sampler.Batch, [PlannedSample]) {
        guard settings.wantsOneDisc, batch.isFinite else { return (batch, samples) }
        var batch = batch, samples = samples, places = Array(samples.indices)
        for attempt in 1...DiscCheck.attempts {
            places = DiscCheck.failures(batch.pixels, among: places, side: model.manifest.model.width)
            let again = places.map { DiscCheck.again(samples[$0], attempt: attempt) }
            var sampler = try Sampler(model, settings, samples: again)
            guard let drawn = sampler.next() else { break }
            for (from, place) in places.enumerated() {
                batch.take(from, of: drawn, at: place)
                samples[place] = again[from]
            }
        }
        return (batch, samples)
    }

    /// Checks that discs can be looked for, and that there are numbers for samples that are drawn again.
    private func requireDiscs(_ samples: [PlannedSample]) throws {
        guard settings.wantsOneDisc else { return }
        let (width, height) = (model.manifest.model.width, model.manifest.model.height)
        guard width == height, width >= EyeAnatomy.leastSide else {
            throw Failure(
                .usage, model.path, option: "oneDisc",
                expected: "square pictures of \(EyeAnatomy.leastSide) pixels and more, in which discs can be found",
                found: "\(width) x \(height)")
        }
        if let last = samples.last, DiscCheck.planned(last).index != last.index {
            throw Failure(.usage, option: "first", expected: "a number below 2^48", found: "\(last.index)")
        }
    }

    /// Whether two samples are the same, as they were planned.
    private func isSame(_ one: PlannedSample, _ other: PlannedSample) -> Bool {
        settings.wantsOneDisc ? DiscCheck.planned(one) == DiscCheck.planned(other) : one == other
    }

    /// Replaces the seeds of samples by those that were drawn when the run began.
    private func takeSeeds(of writer: SampleSetWriter, into samples: inout [PlannedSample]) throws {
        let planned = samples
        var kept = samples
        try writer.forEachSample { row, _, _, seed, index, _ in
            if row < kept.count { kept[row] = PlannedSample(request: planned[row].request, seed: seed, index: index) }
        }
        samples = kept
    }

    /// Checks that the samples in the set are those that this run would have drawn.
    private func requirePrefix(of samples: [PlannedSample], in writer: SampleSetWriter) throws {
        guard writer.count <= samples.count else {
            throw Failure(
                .usage, path, option: "count", expected: "at least the \(writer.count) samples that are there",
                found: "\(samples.count)")
        }
        try writer.forEachSample { row, cohort, requests, seed, index, asked in
            let sample = samples[row]
            let known = PlannedSample(
                request: CohortRequest(cohort: cohort, positions: requests, asked: asked), seed: seed, index: index)
            guard isSame(sample, known) else {
                throw Failure(
                    .usage, path,
                    "sample \(row) of the run that was begun has another seed, number or cohort than is asked for now")
            }
        }
    }

    /// Whether the output exists already and is complete.
    private func isFinished(_ samples: [PlannedSample], _ run: RunRecord) async throws -> Bool {
        guard FileManager.default.fileExists(atPath: path) else { return false }
        let file = try await SampleSetFile.open(path)
        let isSame =
            seed == nil
            ? file.planned.map(\.request) == samples.map(\.request)
            : file.planned.count == samples.count && zip(file.planned, samples).allSatisfy(isSame)
        return isSame
            && file.runs.allSatisfy {
                $0.modelDigest == run.modelDigest && $0.sampler == run.sampler && $0.schedule == run.schedule
                    && $0.guidance == run.guidance
            }
    }

    private func writeSheet() async throws {
        let file = try await SampleSetFile.open(path, verifying: false)
        let staged = try StagedFile(sheetPath, force: true)
        try staged.write(try await SampleSheet.png(of: file))
        try staged.commit()
    }

    /// The text, or `unspecified` where nothing was stated.
    private static func stated(_ text: String) -> String { text.isEmpty ? "unspecified" : text }

    private func record(smallCohorts: [String]) throws -> RunRecord {
        let schedule = RecordedSchedule(
            steps: settings.steps, sigmaMin: settings.sigmaMin, sigmaMax: settings.sigmaMax, rho: settings.rho,
            evaluations: settings.evaluations, guidanceInterval: settings.guidanceInterval,
            guidedAttributes: settings.guidedAttributes,
            surround: settings.blackensSurround ? RecordedSchedule.blackSurround : nil, sigmaStart: settings.sigmaStart,
            noiseGain: settings.sampler == .dpmppSDE ? settings.noiseGain.map { [$0.factor, $0.below] } : nil,
            autoguidance: settings.autoguidance.map { [$0.scale, $0.levels.lowerBound, $0.levels.upperBound] },
            redrawn: settings.wantsOneDisc ? RecordedSchedule.oneDisc : nil,
            structure: settings.readsStructure ? RecordedSchedule.readStructure : nil)
        return RunRecord(
            modelDigest: model.digest, sampler: settings.sampler.rawValue, schedule: try JSONText.encoded(schedule),
            steps: settings.steps,
            guidance: settings.guidanceScale,
            warnings: RunWarnings(guidanceScale: settings.guidanceScale, smallCohorts: smallCohorts),
            openBLASVersion: ComputeEnvironment.blasVersion,
            blasCore: ComputeEnvironment.blasCore, kernelISA: ComputeEnvironment.instructionSet, started: Date())
    }

    private func modelRecord() throws -> ModelRecord {
        func sets(_ data: [TrainingData]) -> [Lineage.TrainingSet] {
            data.map {
                Lineage.TrainingSet(
                    digest: $0.digest, site: $0.site, licence: $0.licence, patients: $0.patients,
                    synthetic: $0.synthetic)
            }
        }
        let lineage = Lineage(
            model: model.digest.description, imagesSeen: model.manifest.imagesSeen, parents: model.manifest.parents,
            sites: model.siteShares.map(\.name),
            parcels: model.mixture.map {
                Lineage.Parcel(
                    name: $0.name, digest: $0.digest.description, weight: $0.weight, trainingSets: sets($0.trainingData)
                )
            }
                + (model.manifest.merges ?? []).flatMap { merge in
                    merge.parts.map {
                        Lineage.Parcel(
                            name: $0.site, digest: $0.parcel.description, weight: $0.weight, trainingSets: nil,
                            round: merge.round, rule: merge.settings.rule.rawValue)
                    }
                },
            trainingSets: sets(model.manifest.trainingData))
        return ModelRecord(
            digest: model.digest, manifestJSON: try model.manifest.json(), lineageJSON: try lineage.json(),
            provJSON: try lineage.prov())
    }
}
