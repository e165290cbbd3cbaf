import CheckpointStore
import Files
import Foundation
import Pictures
import SampleStore
import TensorCore
import Training

/// Samples into a sample set, with provenance, and a contact sheet beside it.
public struct SamplingRun {
    private let model: LoadedModel
    private let settings: SamplerSettings
    private let plan: SamplingPlan
    private let seed: UInt64
    private let firstIndex: UInt64
    private let path: String
    private let force: Bool
    private let allowsUnseen: Bool

    /// Samples on the contact sheet, at most.
    private static let sheetCount = 64

    /// - Parameters:
    ///   - force: replace outputs that exist.
    ///   - allowsUnseen: draw cohorts, too, that the model saw with fewer than five patients.
    public init(
        _ model: LoadedModel, _ settings: SamplerSettings, plan: SamplingPlan, seed: UInt64, firstIndex: UInt64,
        path: String, force: Bool, allowsUnseen: Bool = false
    ) {
        self.model = model
        self.settings = settings.limited(to: model.manifest.model.sampledSigmas)
        self.plan = plan
        self.seed = seed
        self.firstIndex = firstIndex
        self.path = path
        self.force = force
        self.allowsUnseen = allowsUnseen
    }

    /// Where the contact sheet goes: `S.h5` -> `S.contact-sheet.png`.
    public var sheetPath: String {
        (path.hasSuffix(".h5") ? String(path.dropLast(3)) : path) + ".contact-sheet.png"
    }

    /// Draws all samples.
    ///
    /// - Parameter firstStep: called when all is ready, before the network is evaluated for the first time.
    /// - Returns: how many were drawn and written: fewer than planned where the user asked to stop.
    /// - Throws: `Failure`: an output that exists or cannot be written, a request that the model does not know, a model
    ///   that gives numbers which are not finite.
    public func run(
        contact: String, firstStep: () -> Void = {}, progress: (Int) -> Void = { _ in }
    ) async throws -> Int {
        try StagedFile.requireWritable(sheetPath, force: force)
        let sampler = try Sampler(model, settings, plan: plan, seed: seed, firstIndex: firstIndex)
        if !allowsUnseen {
            let seen = SeenCohorts(model)
            for request in Set(plan.requests) {
                if let refusal = seen.refusal(of: request) {
                    throw Failure(.usage, model.path, "\(refusal); --force draws it nevertheless")
                }
            }
        }
        let description = model.manifest.model
        let writer = try await SampleSetWriter(
            path: path, width: description.width, height: description.height, run: try record(), model: try modelRecord(),
            terms: Terms(
                licence: model.manifest.licence, attribution: model.manifest.attributions.joined(separator: "\n"),
                permittedUses: SamplingRun.stated(model.manifest.permittedUses.joined(separator: ", ")),
                contact: SamplingRun.stated(contact)),
            siteNames: sites.map(\.name), force: force)
        let bytes = description.height * description.width * 3
        var sheet: [UInt8] = []
        var done = 0
        firstStep()
        for batch in sampler {
            guard batch.isFinite else {
                throw Failure(
                    .badData, model.path,
                    "gives numbers that are not finite among samples \(firstIndex + UInt64(batch.start)) and following; nothing is written")
            }
            let records = (0..<batch.pixels.count / bytes).map { row in
                let request = plan.requests[batch.start + row]
                return SampleRecord(
                    pixels: Array(batch.pixels[row * bytes..<(row + 1) * bytes]), cohort: request.cohort,
                    requests: request.positions, seed: seed, index: firstIndex + UInt64(batch.start + row),
                    siteWeights: sites.map(\.weight))
            }
            try await writer.append(records)
            sheet += batch.pixels.prefix(max(0, SamplingRun.sheetCount * bytes - sheet.count))
            done += records.count
            progress(done)
            if Interruption.isRequested { break }
        }
        try await writer.finish(finished: Date())
        let staged = try StagedFile(sheetPath, force: force)
        try staged.write(try ContactSheet(pixels: sheet, width: description.width, height: description.height).png)
        try staged.commit()
        return done
    }

    /// What was not stated says so.
    private static func stated(_ text: String) -> String { text.isEmpty ? "unspecified" : text }

    /// How much of the model each site is, as far as that can be said, by site in order: of a mixture its adapters' weights, shared
    /// evenly by an adapter's sites, and the rest to the base's; of a model of one training, evenly.
    private var sites: [(name: String, weight: Float)] {
        var weights: [String: Double] = [:]
        func share(_ weight: Double, _ sites: [String]) {
            for site in Set(sites) { weights[site, default: 0] += weight / Double(Set(sites).count) }
        }
        for adapter in model.mixture { share(adapter.weight, adapter.sites) }
        share(max(0, 1 - model.mixture.reduce(0) { $0 + $1.weight }), model.manifest.trainingData.map(\.site))
        return weights.sorted { $0.key < $1.key }.map { ($0.key, Float($0.value)) }
    }

    private func record() throws -> RunRecord {
        var schedule: [String: Any] = [
            "kind": "karras", "steps": settings.steps, "sigma_min": settings.sigmaMin, "sigma_max": settings.sigmaMax,
            "rho": settings.rho, "evaluations": settings.evaluations,
        ]
        if let interval = settings.guidanceInterval {
            schedule["guidance_interval"] = [interval.lowerBound, interval.upperBound]
        }
        if let guided = settings.guidedAttributes { schedule["guided_attributes"] = guided }
        return RunRecord(
            modelDigest: model.digest, sampler: settings.sampler.rawValue, schedule: try SamplingRun.json(schedule), steps: settings.steps,
            guidance: settings.guidanceScale, openBLASVersion: ComputeEnvironment.blasVersion,
            blasCore: ComputeEnvironment.blasCore, kernelISA: ComputeEnvironment.instructionSet, started: Date())
    }

    private func modelRecord() throws -> ModelRecord {
        func sets(_ data: [TrainingData]) -> [Lineage.TrainingSet] {
            data.map {
                Lineage.TrainingSet(digest: $0.digest, site: $0.site, licence: $0.licence, patients: $0.patients, synthetic: $0.synthetic)
            }
        }
        let lineage = Lineage(
            model: model.digest.description, imagesSeen: model.manifest.imagesSeen, parents: model.manifest.parents,
            sites: sites.map(\.name),
            parcels: model.mixture.map {
                Lineage.Parcel(name: $0.name, digest: $0.digest.description, weight: $0.weight, trainingSets: sets($0.trainingData))
            },
            trainingSets: sets(model.manifest.trainingData))
        return ModelRecord(
            digest: model.digest, manifestJSON: try model.manifest.json(), lineageJSON: try lineage.json(), provJSON: try lineage.prov())
    }

    private static func json(_ object: [String: Any]) throws -> String {
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }
}
