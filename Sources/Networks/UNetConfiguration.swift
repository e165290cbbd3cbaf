/// The shape of a UNet, in the terms of diffusers' `UNet2DModel`.
public struct UNetConfiguration: Codable, Hashable, Sendable {
    public var inChannels = 3
    public var outChannels = 3
    /// Channels of each level; every level but the last halves the sides.
    public var blockOutChannels: [Int]
    public var layersPerBlock = 2
    /// Which levels have attention (`AttnDownBlock2D`).
    public var attentionLevels: [Bool]
    /// Which levels have attention on the way up (`AttnUpBlock2D`); empty where they are the same as on the way down.
    public var attentionLevelsUp: [Bool] = []
    public var middle = Middle.attention
    /// The number of channels of one head; 0 for one head of all channels. A remainder of a level's channels is not
    /// used in attention.
    public var attentionHeadDim = 8
    public var normGroups = 32
    /// Groups of the norm in the middle's attention; 0 for `normGroups`.
    public var middleNormGroups = 0
    public var normEpsilon = 1e-5
    /// Zeros around the input of a downsampling convolution: 1 for one row on every side, 0 for one row below and to
    /// the right.
    public var downsamplePadding = 1
    /// Whether the network is given 2 x - 1 instead of x.
    public var centersInput = false
    public var time = TimeEmbeddingConfiguration()

    /// The blocks between the way down and the way up.
    public enum Middle: String, Codable, CaseIterable, Sendable {
        /// Residual block, attention, residual block.
        case attention
        /// Two residual blocks.
        case residual
        case none
    }

    public init(blockOutChannels: [Int], attentionLevels: [Bool]) {
        self.blockOutChannels = blockOutChannels
        self.attentionLevels = attentionLevels
    }

    /// Keys that are missing in older files get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, into value: inout Value) throws {
            value = try container.decodeIfPresent(Value.self, forKey: key) ?? value
        }
        self.init(
            blockOutChannels: try container.decode([Int].self, forKey: .blockOutChannels),
            attentionLevels: try container.decode([Bool].self, forKey: .attentionLevels))
        inChannels = try container.decode(Int.self, forKey: .inChannels)
        outChannels = try container.decode(Int.self, forKey: .outChannels)
        layersPerBlock = try container.decode(Int.self, forKey: .layersPerBlock)
        attentionHeadDim = try container.decode(Int.self, forKey: .attentionHeadDim)
        normGroups = try container.decode(Int.self, forKey: .normGroups)
        normEpsilon = try container.decode(Double.self, forKey: .normEpsilon)
        try read(.attentionLevelsUp, into: &attentionLevelsUp)
        try read(.middle, into: &middle)
        try read(.middleNormGroups, into: &middleNormGroups)
        try read(.downsamplePadding, into: &downsamplePadding)
        try read(.centersInput, into: &centersInput)
        try read(.time, into: &time)
    }

    /// Width of the time embedding, to which a class or cohort embedding is added.
    public var embeddingWidth: Int { time.width > 0 ? time.width : 4 * (blockOutChannels.first ?? 0) }

    /// Whether the way up has attention at this level.
    public func attendsUp(_ level: Int) -> Bool {
        attentionLevelsUp.isEmpty ? attentionLevels[level] : attentionLevelsUp[level]
    }

    /// The number of heads of an attention over `channels` channels, and the channels of all heads together.
    func heads(_ channels: Int) -> (count: Int, width: Int) {
        attentionHeadDim == 0
            ? (1, channels) : (channels / attentionHeadDim, channels / attentionHeadDim * attentionHeadDim)
    }

    /// The sides of the input must be multiples of this.
    public var sideMultiple: Int { 1 << (blockOutChannels.count - 1) }

    /// One sentence that says what is wrong with the configuration, or nil.
    public var problem: String? {
        guard !blockOutChannels.isEmpty, blockOutChannels.count <= 8 else {
            return "blockOutChannels: expected 1 to 8 levels, found \(blockOutChannels.count)"
        }
        for (name, levels) in [("attentionLevels", attentionLevels), ("attentionLevelsUp", attentionLevelsUp)]
        where levels.count != blockOutChannels.count && !(name == "attentionLevelsUp" && levels.isEmpty) {
            return "\(name): expected \(blockOutChannels.count) entries, found \(levels.count)"
        }
        guard (1...8).contains(layersPerBlock) else {
            return "layersPerBlock: expected 1 to 8, found \(layersPerBlock)"
        }
        for (name, value, least) in [
            ("inChannels", inChannels, 1), ("outChannels", outChannels, 1), ("normGroups", normGroups, 1),
            ("attentionHeadDim", attentionHeadDim, 0), ("middleNormGroups", middleNormGroups, 0),
        ] where !(least...4096).contains(value) {
            return "\(name): expected \(least) to 4096, found \(value)"
        }
        guard normEpsilon > 0, normEpsilon < 1 else {
            return "normEpsilon: expected more than 0, less than 1, found \(normEpsilon)"
        }
        guard (0...1).contains(downsamplePadding) else {
            return "downsamplePadding: expected 0 or 1, found \(downsamplePadding)"
        }
        for (level, channels) in blockOutChannels.enumerated() {
            guard channels > 0, channels <= 4096, channels % normGroups == 0 else {
                return
                    "blockOutChannels: expected multiples of normGroups (\(normGroups)) up to 4096, found \(channels)"
            }
            let attends =
                attentionLevels[level] || attendsUp(level)
                || (middle == .attention && level == blockOutChannels.count - 1)
            guard !attends || heads(channels).count > 0 else {
                return
                    """
                    blockOutChannels: expected at least attentionHeadDim (\(attentionHeadDim)) where there is \
                    attention, found \(channels)
                    """
            }
        }
        let last = blockOutChannels[blockOutChannels.count - 1]
        guard middleNormGroups == 0 || last % middleNormGroups == 0 else {
            return "middleNormGroups: expected a divisor of \(last), found \(middleNormGroups)"
        }
        return time.problem(width: blockOutChannels[0]).map { "time.\($0)" }
    }
}

/// Named configurations.
public enum Preset: String, CaseIterable, Codable, Sendable {
    /// For tests: training takes a second.
    case tiny
    /// For a site without a GPU.
    case small
    /// The configuration that `Tools/bench` compares with diffusers.
    case base

    /// The network for photographs in pixels.
    public var configuration: UNetConfiguration { configuration(channels: 3) }

    /// The network for the noise levels at which vessels and lesions are decided. It sees whole pictures in small
    /// blocks.
    /// - Parameter embeddingWidth: that of the first network, because all use the same embeddings of cohorts.
    public func middleConfiguration(channels: Int, embeddingWidth: Int) -> UNetConfiguration {
        let usual = ([64, 128, 128, 128], [false, false, true, true])
        return further(self == .tiny ? ([16, 32], [false, true]) : usual, channels, embeddingWidth)
    }

    /// The network for the lowest noise levels. It sees crops and has no attention.
    /// - Parameter embeddingWidth: as for `middleConfiguration`.
    public func fineConfiguration(channels: Int, embeddingWidth: Int) -> UNetConfiguration {
        let widths = self == .tiny ? [16, 32] : [64, 64, 128]
        var configuration = further((widths, widths.map { _ in false }), channels, embeddingWidth)
        configuration.middle = .residual
        configuration.attentionHeadDim = 8
        return configuration
    }

    /// A small network whose answers are worse than the others', for autoguidance.
    /// - Parameter embeddingWidth: as for `middleConfiguration`.
    public func guidingConfiguration(channels: Int, embeddingWidth: Int) -> UNetConfiguration {
        let usual = ([48, 64, 64], [false, true, true])
        return further(self == .tiny ? ([8, 16], [false, true]) : usual, channels, embeddingWidth)
    }

    /// A network after the first: one layer in each block.
    private func further(
        _ levels: (widths: [Int], attention: [Bool]), _ channels: Int, _ embeddingWidth: Int
    ) -> UNetConfiguration {
        var configuration = UNetConfiguration(blockOutChannels: levels.widths, attentionLevels: levels.attention)
        configuration.layersPerBlock = 1
        configuration.normGroups = self == .tiny ? 8 : 16
        configuration.attentionHeadDim = self == .tiny ? 8 : 32
        configuration.time.width = embeddingWidth
        configuration.inChannels = channels
        configuration.outChannels = channels
        return configuration
    }

    /// The network for inputs of this many channels. A first level that is much narrower than its input would lose
    /// information.
    public func configuration(channels: Int) -> UNetConfiguration {
        var configuration: UNetConfiguration
        switch self {
        case .tiny:
            configuration = UNetConfiguration(blockOutChannels: [16, 32], attentionLevels: [false, true])
            configuration.layersPerBlock = 1
            configuration.normGroups = 8
        case .small:
            configuration =
                channels > 48
                ? UNetConfiguration(blockOutChannels: [64, 128, 128], attentionLevels: [false, true, true])
                : UNetConfiguration(
                    blockOutChannels: [32, 64, 128, 128], attentionLevels: [false, false, true, false])
            configuration.normGroups = 16
            configuration.attentionHeadDim = 32
        case .base:
            configuration = UNetConfiguration(
                blockOutChannels: [64, 128, 256, 256], attentionLevels: [false, false, true, false])
        }
        configuration.inChannels = channels
        configuration.outChannels = channels
        return configuration
    }
}
