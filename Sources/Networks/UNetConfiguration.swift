/// The shape of a UNet, in the terms of diffusers' `UNet2DModel`.
public struct UNetConfiguration: Codable, Hashable, Sendable {
    public var inChannels = 3
    public var outChannels = 3
    /// Channels of each level; every level but the last halves the sides.
    public var blockOutChannels: [Int]
    public var layersPerBlock = 2
    /// Which levels have attention (`AttnDownBlock2D`); the middle always has.
    public var attentionLevels: [Bool]
    /// Channels of one head.
    public var attentionHeadDim = 8
    public var normGroups = 32
    public var normEpsilon = 1e-5

    public init(blockOutChannels: [Int], attentionLevels: [Bool]) {
        self.blockOutChannels = blockOutChannels
        self.attentionLevels = attentionLevels
    }

    /// Width of the time embedding, to which a class or cohort embedding is added.
    public var embeddingWidth: Int { 4 * (blockOutChannels.first ?? 0) }

    /// Sides of the input must be multiples of this.
    public var sideMultiple: Int { 1 << (blockOutChannels.count - 1) }

    /// One sentence on what is wrong with the configuration, or nil.
    public var problem: String? {
        guard !blockOutChannels.isEmpty, blockOutChannels.count <= 8 else {
            return "blockOutChannels: expected 1 to 8 levels, found \(blockOutChannels.count)"
        }
        guard attentionLevels.count == blockOutChannels.count else {
            return "attentionLevels: expected \(blockOutChannels.count) entries, found \(attentionLevels.count)"
        }
        guard (1...8).contains(layersPerBlock) else { return "layersPerBlock: expected 1 to 8, found \(layersPerBlock)" }
        guard inChannels > 0, outChannels > 0, normGroups > 0, attentionHeadDim > 0 else {
            return "inChannels, outChannels, normGroups and attentionHeadDim: expected positive numbers"
        }
        for (level, channels) in blockOutChannels.enumerated() {
            guard channels > 0, channels <= 4096, channels % normGroups == 0 else {
                return "blockOutChannels: expected multiples of normGroups (\(normGroups)) up to 4096, found \(channels)"
            }
            let attends = attentionLevels[level] || level == blockOutChannels.count - 1
            guard !attends || channels % attentionHeadDim == 0 else {
                return "blockOutChannels: expected a multiple of attentionHeadDim (\(attentionHeadDim)), found \(channels)"
            }
        }
        // Up blocks normalise a level's channels joined with its skip's.
        guard (blockOutChannels.first ?? 0) % 2 == 0 else { return "blockOutChannels: the first must be even" }
        return nil
    }
}

/// Named configurations.
public enum Preset: String, CaseIterable, Codable, Sendable {
    /// For tests: a second's training.
    case tiny
    /// For a site without a GPU.
    case small
    /// The configuration that `Tools/bench` compares with diffusers.
    case base

    public var configuration: UNetConfiguration {
        switch self {
        case .tiny:
            var configuration = UNetConfiguration(blockOutChannels: [16, 32], attentionLevels: [false, true])
            configuration.layersPerBlock = 1
            configuration.normGroups = 8
            return configuration
        case .small:
            var configuration = UNetConfiguration(
                blockOutChannels: [32, 64, 128, 128], attentionLevels: [false, false, true, false])
            configuration.normGroups = 16
            configuration.attentionHeadDim = 32
            return configuration
        case .base:
            return UNetConfiguration(
                blockOutChannels: [64, 128, 256, 256], attentionLevels: [false, false, true, false])
        }
    }
}
