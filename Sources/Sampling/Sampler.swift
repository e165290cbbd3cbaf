import Anatomy
import CheckpointStore
import Diffusion
import Files
import Models
import Networks
import Randomness
import TensorCore

/// How samples are drawn: everything that they depend on, except model, seed and cohort.
public struct SamplerSettings: Codable, Hashable, Sendable {
    public var sampler = SamplerKind.heun
    public var steps = 18
    public var sigmaMin: Float = 0.002
    public var sigmaMax: Float = 80
    public var rho: Float = 7
    /// A noise level above `sigmaMax` at which the first step starts; nil for none. See `SigmaSchedule.karras`.
    public var sigmaStart: Float?
    /// How much stronger than the levels ask for the fresh noise of `dpmppSDE` is; nil for no more than that. See
    /// `DPMSolverStep`.
    public var noiseGain: NoiseGain?
    /// The scale of classifier-free guidance; 1 means no guidance (Ho and Salimans 2021).
    public var guidanceScale: Float = 1
    /// The noise levels at which guidance acts; nil for all levels (Kynkaanniemi et al. 2024).
    public var guidanceInterval: ClosedRange<Float>?
    /// The attributes that guidance acts on; nil for all. The other attributes keep their values in both terms of
    /// guidance.
    public var guidedAttributes: [String]?
    /// How samples are guided away from the answers of the model's guiding network; nil for not at all.
    public var autoguidance: Autoguidance?
    /// Whether everything outside the field of view is made black in samples.
    public var blackensSurround = false
    /// Whether a sample is drawn again, up to three times, where not exactly one optic disc is found in it.
    public var wantsOneDisc = false
    /// Whether maps of the structures that the model does not draw itself are read from the pixels of each sample.
    public var readsStructure = false
    /// The number of samples in a batch; results do not depend on it.
    public var batchSize = 16

    /// The highest guidance scale that is taken.
    public static let highestGuidance: Float = 50

    public init() {}

    /// Settings with the best sampler in measurements for models of this kind.
    public init(for model: ModelDescription) {
        let usual = UsualSampling(for: model)
        (sampler, steps, noiseGain, autoguidance) = (usual.kind, usual.steps, usual.gain, usual.autoguidance)
    }

    /// These settings, limited to the noise levels that a model knows.
    public func limited(to known: ClosedRange<Float>) -> SamplerSettings {
        var result = self
        result.sigmaMin = max(sigmaMin, known.lowerBound)
        result.sigmaMax = min(sigmaMax, known.upperBound)
        return result
    }

    public var schedule: SigmaSchedule {
        .karras(steps: steps, sigmaMin: sigmaMin, sigmaMax: sigmaMax, rho: rho, start: sigmaStart)
    }

    /// The number of network evaluations for each sample. Those of a guiding network, which is small, are not counted.
    public var evaluations: Int {
        let sigmas = schedule.sigmas.dropLast()
        /// Evaluations of the denoiser at each level: Heun's step before a level evaluates that level as well.
        let each = sigmas.enumerated().map { (sigma: $0.element, count: sampler == .heun && $0.offset > 0 ? 2 : 1) }
        return each.reduce(0) { total, level in
            let isGuided = guidanceScale != 1 && guidanceInterval?.contains(level.sigma) != false
            return total + level.count * (isGuided ? 2 : 1)
        }
    }

    /// One sentence that says what is wrong, or nil.
    public var problem: String? {
        guard (1...1000).contains(steps) else { return "steps: expected 1 to 1000, found \(steps)" }
        guard guidanceScale.isFinite, (0...SamplerSettings.highestGuidance).contains(guidanceScale) else {
            // Version 0.1 drew samples at 0, and they are still made again.
            return "guidance: expected 0 to \(SamplerSettings.highestGuidance), found \(guidanceScale)"
        }
        if let interval = guidanceInterval, !(interval.lowerBound >= 0 && interval.upperBound.isFinite) {
            return "guidanceInterval: expected finite noise levels from 0 on, found \(interval)"
        }
        guard (1...1024).contains(batchSize) else { return "batch: expected 1 to 1024, found \(batchSize)" }
        guard sigmaMin > 0, sigmaMin < sigmaMax, sigmaMax <= 1e4 else {
            return "sigma: expected 0 < smallest < largest <= 10000, found \(sigmaMin) and \(sigmaMax)"
        }
        if let sigmaStart, !(sigmaStart > sigmaMax && sigmaStart <= 1e4) {
            return "sigma: expected a start above \(sigmaMax) and up to 10000, found \(sigmaStart)"
        }
        guard (0.01...1000).contains(rho) else { return "rho: expected 0.01 to 1000, found \(rho)" }
        if let gain = noiseGain, !(NoiseGain.factors.contains(gain.factor) && gain.below > 0 && gain.below <= 1e4) {
            return "noiseGain: expected 1 to 1.2 below a noise level, found \(gain.factor) below \(gain.below)"
        }
        if let problem = autoguidance?.problem { return "autoguidance: \(problem)" }
        return nil
    }
}

/// Draws samples, as a sequence of batches. Sample k depends only on the model, the settings, its cohort and (seed, k).
/// It does not depend on its batch, on the number of threads, or on the samples before it.
public struct Sampler: Sequence, IteratorProtocol {
    /// Samples that were drawn together.
    public struct Batch: Sendable {
        /// The number of the batch's first sample in the plan.
        public let start: Int
        /// [count, height, width, 3]
        public internal(set) var pixels: [UInt8]
        /// The structure maps that the model draws, each [count, height, width]: from 0 for no structure to 255 where
        /// it is certain.
        public internal(set) var maps: [(name: String, values: [UInt8])]
        /// Whether all numbers from the model are finite. Where they are not, the pixels mean nothing.
        public internal(set) var isFinite: Bool
        public let count: Int
    }

    let model: LoadedModel
    private let parameters: BoundParameters
    var settings: SamplerSettings
    let samples: [PlannedSample]
    private let values: [CohortRequest: [CohortEncoding.Value]]
    var position = 0

    /// Draws the samples of a plan under one seed; of a joined request each sample gets a member.
    /// - Parameter firstIndex: the number of the plan's first sample under the seed.
    /// - Throws: `Failure(.usage)` where the model does not know the settings or a request, or where a sample's number
    ///   would be 2^56 or more.
    public init(
        _ model: LoadedModel, _ settings: SamplerSettings, plan: SamplingPlan, seed: UInt64, firstIndex: UInt64 = 0
    ) throws {
        let single = plan.resolved(SeenCohorts(model), firstIndex: firstIndex)
        try self.init(model, settings, samples: try single.samples(seed: seed, firstIndex: firstIndex))
    }

    /// - Throws: `Failure(.usage)` for settings that are out of range, and for settings and requests that the model
    ///   does not know.
    public init(_ model: LoadedModel, _ settings: SamplerSettings, samples: [PlannedSample]) throws {
        if let problem = settings.problem { throw Failure(.usage, nil, problem) }
        self.model = model
        self.settings = settings
        self.samples = samples
        parameters = model.parameters.constants(reused: true)
        let encoding = model.manifest.model.cohort
        for name in settings.guidedAttributes ?? [] where !encoding.attributes.contains(name) {
            throw Failure(
                .usage, model.path, option: "guide", expected: encoding.attributes.joined(separator: ", "), found: name)
        }
        if settings.guidanceScale != 1, let classes = encoding.classes, !classes.values.contains("null") {
            throw Failure(
                .usage, model.path,
                "guidance needs a class null, which the model was not imported with", remedy: .noGuidance)
        }
        if settings.autoguidance != nil, model.manifest.model.guiding == nil {
            throw Failure(.usage, model.path, "autoguidance needs a guiding network, which the model does not have")
        }
        values = try Dictionary(
            uniqueKeysWithValues: Set(samples.map(\.request)).map {
                ($0, try $0.values(for: encoding, model: model.path))
            })
    }

    public mutating func next() -> Batch? {
        guard position < samples.count else { return nil }
        let range = position..<Swift.min(position + settings.batchSize, samples.count)
        position = range.upperBound
        return batch(samples[range], denoiser(samples[range].map(\.request)), start: range.lowerBound)
    }

    /// The denoiser of samples with these requests, guided as the settings say.
    func denoiser(_ requests: [CohortRequest]) -> GuidedDenoiser<ModelDenoiser, ModelDenoiser> {
        let cohorts = requests.compactMap { values[$0] }
        let conditional = ModelDenoiser(model.model, parameters, cohorts: cohorts)
        return GuidedDenoiser(
            conditional: conditional,
            unconditional: ModelDenoiser(model.model, parameters, cohorts: cohorts.map(withoutGuided)),
            guidanceScale: settings.guidanceScale, interval: settings.guidanceInterval,
            guiding: conditional.guiding, autoguidance: settings.autoguidance)
    }

    /// Draws samples together from their noise.
    /// - Parameter start: the number of the first of them in the plan.
    func batch(_ samples: ArraySlice<PlannedSample>, _ denoiser: some Denoiser, start: Int) -> Batch {
        let description = model.manifest.model
        let planes = description.draw(
            denoiser, settings.sampler.rule(gain: settings.noiseGain), schedule: settings.schedule,
            noise: SampleNoise(samples.map { ($0.seed, $0.index) }))
        var pixels = PixelValues.decoded(planes.withPlanes(3))
        if settings.blackensSurround {
            BlackSurround.apply(&pixels, width: description.width, height: description.height)
        }
        var maps = description.space.maps.enumerated().map {
            (name: $0.element.rawValue, values: Sampler.map(3 + $0.offset, of: planes, where: pixels))
        }
        let read = settings.structuresToRead(for: description)
        if !read.isEmpty, planes.isFinite {
            let values = EyeStructure.maps(read, of: pixels, side: description.width)
            maps += zip(read, values).map { (name: $0.rawValue, values: $1) }
        }
        return Batch(start: start, pixels: pixels, maps: maps, isFinite: planes.isFinite, count: samples.count)
    }

    /// The values, with the attributes that guidance acts on left open.
    private func withoutGuided(_ values: [CohortEncoding.Value]) -> [CohortEncoding.Value] {
        guard let guided = settings.guidedAttributes else { return values.map { _ in .null } }
        return zip(model.manifest.model.cohort.attributes, values).map { guided.contains($0) ? .null : $1 }
    }

    /// One map among the planes [N, H, W, planes], as bytes; it is 0 where the picture is black.
    private static func map(_ plane: Int, of planes: Tensor, where pixels: [UInt8]) -> [UInt8] {
        let depth = planes.shape[3]
        return planes.withUnsafeBuffer { source in
            (0..<source.count / depth).map { place in
                guard pixels[3 * place] > 0 || pixels[3 * place + 1] > 0 || pixels[3 * place + 2] > 0 else { return 0 }
                let value = 255 / StructureMap.contrast * source[place * depth + plane]
                return value >= 255 ? 255 : value > 0 ? UInt8(value.rounded()) : 0
            }
        }
    }
}
