import Diffusion
import Models
import Networks

/// How a further network, for lower noise levels, is trained. It is trained in the same steps as the first network, on
/// the same photographs or on crops of them.
public struct ExpertTraining: Codable, Hashable, Sendable {
    /// The network denoises noise on pixels in [-1, 1] up to this deviation; 0 means that there is no such network.
    public var highestNoise = 0.0
    /// The lowest deviation that the network is trained at. Levels are uniform in their logarithm, up to 1.3 times
    /// `highestNoise`, so that the network knows both sides of the level at which it takes over.
    public var lowestNoise = TrainedSettings.usualLowestNoise
    public var space = LatentSpace.dct(side: 2, colours: nil)
    public var network = Preset.small.fineConfiguration(channels: 12, embeddingWidth: 256)
    public var preconditioning = Preconditioning(relativeLoss: true, shrinksInput: true, gatesSurround: true)
    /// The side of a crop in pixels; 0 for whole pictures, which are changed like those of the first network.
    public var cropSize = 96
    /// The number of crops from each training image; 1 for whole pictures.
    public var cropsPerImage = 1

    public init() { useChannels() }

    /// The settings of the network for the noise levels at which vessels are decided.
    static let middle = whole(side: 4, lowest: 0.15, Preset.small.middleConfiguration)

    /// The settings of the small network for autoguidance. It is trained a little below the lowest level at which it
    /// guides.
    static let guiding = whole(side: 8, lowest: 0.24, Preset.small.guidingConfiguration)

    /// A network that sees whole pictures in blocks of this side.
    private static func whole(
        side: Int, lowest: Double, _ network: (_ channels: Int, _ embeddingWidth: Int) -> UNetConfiguration
    ) -> ExpertTraining {
        var result = ExpertTraining()
        result.space = .dct(side: side, colours: nil)
        result.network = network(result.space.channels, 256)
        result.lowestNoise = lowest
        result.cropSize = 0
        result.useChannels()
        return result
    }

    /// Whether the network sees whole pictures instead of crops.
    var seesWholePictures: Bool { cropSize == 0 }

    /// Sets the network's channels to those that space and preconditioning need.
    mutating func useChannels() {
        network.inChannels = space.channels
        network.outChannels = space.channels + preconditioning.extraChannels
    }

    /// Whether there is such a network.
    public var isUsed: Bool { highestNoise > 0 }

    /// The distribution of the network's training noise levels, in its own space.
    package var noiseLevels: NoiseLevels {
        let scale = Double(space.noiseScale)
        return NoiseLevels(uniformShare: 1, lowest: lowestNoise * scale, highest: 1.3 * highestNoise * scale)
    }

    /// The network in the model's description; nil where it is not used.
    var description: ExpertNetwork? {
        isUsed
            ? ExpertNetwork(
                network: network, preconditioning: preconditioning, space: space, highestNoise: Float(highestNoise))
            : nil
    }

    /// One sentence that says what is wrong, or nil.
    func problem(size: Int) -> String? {
        guard isUsed else { return highestNoise == 0 ? nil : "highestNoise: expected 0 or more, found \(highestNoise)" }
        guard lowestNoise >= 1e-6, lowestNoise < highestNoise, highestNoise <= 100 else {
            return
                """
                lowestNoise: expected 1e-6 or more and less than highestNoise, which is at most 100; found \
                \(lowestNoise) 
                """
                    + "and \(highestNoise)"
        }
        guard !seesWholePictures else {
            return cropsPerImage == 1 ? nil : "cropsPerImage: expected 1 where cropSize is 0, found \(cropsPerImage)"
        }
        let multiple = network.sideMultiple * space.factor
        guard cropSize > 0, cropSize <= size, cropSize % multiple == 0 else {
            return "cropSize: expected a multiple of \(multiple) up to \(size), found \(cropSize)"
        }
        guard (1...64).contains(cropsPerImage) else { return "cropsPerImage: expected 1 to 64, found \(cropsPerImage)" }
        return nil
    }

    /// Sets what follows from the photographs: colour axes, and the deviation of each channel.
    mutating func measure(_ photographs: TrainingSet, _ colours: ColourAxes) {
        guard isUsed else { return }
        if space.lacksColours { space = space.with(colours) }
        if space.levels > 0, preconditioning.channelDeviations.isEmpty {
            preconditioning.channelDeviations = photographs.channelDeviations(space)
        }
    }

    /// Takes the network of a base; where the base has no such network, none is used.
    mutating func take(_ expert: ExpertNetwork?) {
        guard let expert else { return highestNoise = 0 }
        (network, preconditioning, space) = (expert.network, expert.preconditioning, expert.space)
        highestNoise = Double(expert.highestNoise)
    }
}
