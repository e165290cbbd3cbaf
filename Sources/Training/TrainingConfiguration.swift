import Diffusion
import Foundation
import Networks

/// How a model is trained: `train.yaml`, and `config.yaml` in the run's folder with everything resolved.
public struct TrainingConfiguration: Codable, Hashable, Sendable {
    /// Height and width of the pictures that the model sees.
    public var size = 64
    public var network = Preset.small.configuration
    public var preconditioning = Preconditioning()
    public var noiseLevels = NoiseLevels()
    /// Attributes that the model is conditioned on.
    public var attributes = ["dr_icdr"]
    /// Share of images whose attributes are dropped, each by itself; the same share again loses all together.
    public var conditionDropout = 0.1
    /// Mirror half of the images left to right; a laterality label is exchanged with it.
    public var flips = true

    public var batchSize = 16
    /// Training images to see in all; a resumed run may be given more.
    public var images = 400_000
    public var learningRate = 5e-4
    /// The rate grows linearly over so many images,
    public var warmUpImages = 2_000
    /// and falls with 1 / sqrt(imagesSeen / decayAfterImages) behind so many (Karras et al. 2024, equation 67).
    public var decayAfterImages = 40_000
    public var beta1 = 0.9
    public var beta2 = 0.99
    public var weightDecay = 0.0
    /// The gradient's norm over all parameters is held below this.
    public var gradientClip = 1.0
    /// The moving average forgets half in so many images,
    public var emaHalfLifeInImages = 4_000.0
    /// but early on in this share of the images seen.
    public var emaRampUp = 0.1
    public var seed: UInt64 = 0
    /// Keep only the inputs of the network's blocks and compute the rest again: less memory, a third more time, the same
    /// numbers.
    public var recompute = false

    /// Write a checkpoint and a snapshot each time so many images were seen,
    public var checkpointEveryImages = 4_000
    /// measure the loss on the validation split each,
    public var validateEveryImages = 2_000
    /// and draw a preview each.
    public var previewEveryImages = 16_000
    /// Stop when the validation loss has not fallen for so many images; 0 never stops.
    public var patienceInImages = 60_000

    public init() {}

    /// One sentence on what is wrong, or nil.
    public var problem: String? {
        if let problem = network.problem { return "network.\(problem)" }
        guard network.inChannels == 3, network.outChannels == 3 else {
            return "network.inChannels and outChannels: expected 3, for photographs in RGB"
        }
        guard size >= 8, size <= 1024, size % network.sideMultiple == 0 else {
            return "size: expected 8 to 1024 and a multiple of \(network.sideMultiple), found \(size)"
        }
        guard (0...0.5).contains(conditionDropout) else { return "conditionDropout: expected 0 to 0.5, found \(conditionDropout)" }
        guard batchSize <= 1024 else { return "batchSize: expected at most 1024, found \(batchSize)" }
        guard (0..<1).contains(beta1), (0..<1).contains(beta2) else { return "beta1 and beta2: expected 0 up to 1" }
        guard emaRampUp >= 0, weightDecay >= 0, warmUpImages >= 0, patienceInImages >= 0 else {
            return "emaRampUp, weightDecay, warmUpImages and patienceInImages: expected no negative number"
        }
        let positive: [(String, Double)] = [
            ("batchSize", Double(batchSize)), ("images", Double(images)), ("learningRate", learningRate),
            ("decayAfterImages", Double(decayAfterImages)), ("gradientClip", gradientClip),
            ("emaHalfLifeInImages", emaHalfLifeInImages), ("checkpointEveryImages", Double(checkpointEveryImages)),
            ("validateEveryImages", Double(validateEveryImages)), ("previewEveryImages", Double(previewEveryImages)),
            ("noiseLevels.deviation", noiseLevels.deviation),
            ("preconditioning.sigmaData", Double(preconditioning.sigmaData)),
        ]
        return positive.first { !($0.1 > 0) }.map { "\($0.0): expected a positive number, found \($0.1)" }
    }

    /// The model that this trains.
    public var modelDescription: ModelDescription {
        ModelDescription(
            network: network, preconditioning: preconditioning, height: size, width: size,
            cohort: CohortEncoding(attributes: attributes))
    }

    /// The learning rate at `imagesSeen`.
    public func learningRate(at imagesSeen: Int) -> Float {
        let warm = warmUpImages > 0 ? min(1, Double(imagesSeen) / Double(warmUpImages)) : 1
        let decay = 1 / max(1, Double(imagesSeen) / Double(decayAfterImages)).squareRoot()
        return Float(learningRate * warm * decay)
    }

    /// What the moving average keeps over a step of `batchSize` images that ends at `imagesSeen`:
    /// 0.5^(batchSize / halfLife), with a half-life that grows with the training at first (Karras et al. 2022, appendix F.2).
    public func emaDecay(at imagesSeen: Int) -> Float {
        let halfLife = emaRampUp > 0 ? min(emaHalfLifeInImages, emaRampUp * Double(imagesSeen)) : emaHalfLifeInImages
        return halfLife > 0 ? Float(pow(0.5, Double(batchSize) / halfLife)) : 0
    }
}
