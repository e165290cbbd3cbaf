import Files
import Foundation
import Networks

/// `config.json` of a diffusers folder, which `UNet2DModel.from_pretrained` reads.
///
/// A missing key gets diffusers' default. What Fovea cannot compute is refused by name: a value that is not supported
/// here, or a key that is not known here because diffusers added it later.
struct DiffusersUNet: Codable {
    /// One side for both, or height and width.
    enum SampleSize: Codable, Equatable {
        case square(Int)
        case sides([Int])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let side = try? container.decode(Int.self) {
                self = .square(side)
            } else {
                self = .sides(try container.decode([Int].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .square(let side): try container.encode(side)
            case .sides(let sides): try container.encode(sides)
            }
        }
    }

    var className: String?
    var sampleSize: SampleSize?
    var inChannels: Int?
    var outChannels: Int?
    var centerInputSample: Bool?
    var timeEmbeddingType: String?
    var timeEmbeddingDim: Int?
    var freqShift: Double?
    var flipSinToCos: Bool?
    var downBlockTypes: [String]?
    var midBlockType: String?
    var upBlockTypes: [String]?
    var blockOutChannels: [Int]?
    var layersPerBlock: Int?
    var midBlockScaleFactor: Double?
    var downsamplePadding: Int?
    var downsampleType: String?
    var upsampleType: String?
    var dropout: Double?
    var actFn: String?
    var attentionHeadDim: Int?
    var normNumGroups: Int?
    var attnNormNumGroups: Int?
    var normEps: Double?
    var resnetTimeScaleShift: String?
    var addAttention: Bool?
    var classEmbedType: String?
    var numClassEmbeds: Int?
    var numTrainTimesteps: Int?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case className = "_class_name", sampleSize = "sample_size", inChannels = "in_channels", outChannels =
            "out_channels"
        case centerInputSample = "center_input_sample", timeEmbeddingType = "time_embedding_type"
        case timeEmbeddingDim = "time_embedding_dim", freqShift = "freq_shift", flipSinToCos = "flip_sin_to_cos"
        case downBlockTypes = "down_block_types", midBlockType = "mid_block_type", upBlockTypes = "up_block_types"
        case blockOutChannels = "block_out_channels", layersPerBlock = "layers_per_block"
        case midBlockScaleFactor = "mid_block_scale_factor", downsamplePadding = "downsample_padding"
        case downsampleType = "downsample_type", upsampleType = "upsample_type", dropout, actFn = "act_fn"
        case attentionHeadDim = "attention_head_dim", normNumGroups = "norm_num_groups"
        case attnNormNumGroups = "attn_norm_num_groups", normEps = "norm_eps", resnetTimeScaleShift =
            "resnet_time_scale_shift"
        case addAttention = "add_attention", classEmbedType = "class_embed_type", numClassEmbeds = "num_class_embeds"
        case numTrainTimesteps = "num_train_timesteps"
    }

    /// How diffusers' `EMAModel` averaged the weights. It writes these settings beside those of the network, which they
    /// do not change.
    private static let averagingKeys: Set = [
        "decay", "min_decay", "optimization_step", "update_after_step", "use_ema_warmup", "inv_gamma", "power",
    ]

    /// Diffusers' defaults where they differ from Fovea's.
    private static let usualWidths = [224, 448, 672, 896]
    private static let usualDown = ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"]
    private static let usualUp = ["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"]

    /// Reads the file at `path`.
    /// - Throws: `Failure`: `.badData` that names the key; errors of reading.
    init(contentsOf path: String) throws {
        let data = try JSONText.contents(path)
        self = try JSONText.decode(DiffusersUNet.self, data, place: path)
        // In diffusers a key that is null has no value, while a key that is missing has a default.
        let given = try JSONText.keys(data, place: path)
        if !given.contains(CodingKeys.midBlockType.rawValue) { midBlockType = "UNetMidBlock2D" }
        if !given.contains(CodingKeys.attentionHeadDim.rawValue) { attentionHeadDim = 8 }
        blockOutChannels = blockOutChannels ?? DiffusersUNet.usualWidths
        downBlockTypes = downBlockTypes ?? DiffusersUNet.usualDown
        upBlockTypes = upBlockTypes ?? DiffusersUNet.usualUp
        let known = Set(CodingKeys.allCases.map(\.rawValue)).union(DiffusersUNet.averagingKeys)
        // Keys that begin with an underscore belong to diffusers itself.
        if let unknown = given.sorted().first(where: { !known.contains($0) && !$0.hasPrefix("_") }) {
            throw Failure(.badData, path, "\(unknown) is not a key of a UNet2DModel that is known here")
        }
        try requireSupported(path)
    }

    private func requireSupported(_ path: String) throws {
        func require(_ key: CodingKeys, _ found: String?, among expected: [String?]) throws {
            if expected.contains(found) { return }
            throw Failure(
                .badData, path, field: key.rawValue, expected: expected.map { $0 ?? "null" }.joined(separator: " or "),
                found: found ?? "null")
        }
        try require(.className, className ?? "UNet2DModel", among: ["UNet2DModel"])
        for type in downBlockTypes ?? [] {
            try require(.downBlockTypes, type, among: ["DownBlock2D", "AttnDownBlock2D"])
        }
        for type in upBlockTypes ?? [] { try require(.upBlockTypes, type, among: ["UpBlock2D", "AttnUpBlock2D"]) }
        try require(.midBlockType, midBlockType, among: ["UNetMidBlock2D", nil])
        try require(
            .timeEmbeddingType, timeEmbeddingType,
            among: [nil] + TimeEmbeddingConfiguration.Kind.allCases.map(\.rawValue))
        try require(.downsampleType, downsampleType ?? "conv", among: ["conv"])
        try require(.upsampleType, upsampleType ?? "conv", among: ["conv"])
        try require(.actFn, actFn ?? "silu", among: ["silu", "swish"])
        try require(.resnetTimeScaleShift, resnetTimeScaleShift ?? "default", among: ["default"])
        try require(.classEmbedType, classEmbedType, among: [nil, "identity"])
        guard midBlockScaleFactor ?? 1 == 1 else {
            throw Failure(
                .badData, path, field: "mid_block_scale_factor", expected: "1", found: "\(midBlockScaleFactor ?? 1)")
        }
        guard downBlockTypes?.count == upBlockTypes?.count, downBlockTypes?.count == blockOutChannels?.count else {
            throw Failure(
                .badData, path, field: "block_out_channels, down_block_types and up_block_types",
                expected: "the same number of each",
                found: [blockOutChannels?.count, downBlockTypes?.count, upBlockTypes?.count].map { "\($0 ?? 0)" }
                    .joined(separator: ", "))
        }
    }

    /// Diffusers' names for the keys in problems that Fovea's own check of a network reports.
    private static let theirNames: [(ours: String, theirs: String)] = [
        ("blockOutChannels", "block_out_channels"), ("layersPerBlock", "layers_per_block"),
        ("inChannels", "in_channels"),
        ("outChannels", "out_channels"), ("attentionHeadDim", "attention_head_dim"),
        ("middleNormGroups", "attn_norm_num_groups"),
        ("normGroups", "norm_num_groups"), ("normEpsilon", "norm_eps"), ("downsamplePadding", "downsample_padding"),
        ("time.timesteps", "num_train_timesteps"), ("time.width", "time_embedding_dim"),
        ("time.frequencyShift", "freq_shift"),
    ]

    /// The network as Fovea's configuration.
    /// - Throws: `Failure(.badData)` that names the key whose value does not describe a network.
    func network(_ path: String) throws -> UNetConfiguration {
        var network = UNetConfiguration(
            blockOutChannels: blockOutChannels ?? [],
            attentionLevels: (downBlockTypes ?? []).map { $0 == "AttnDownBlock2D" })
        let up = (upBlockTypes ?? []).reversed().map { $0 == "AttnUpBlock2D" }
        if up != network.attentionLevels { network.attentionLevelsUp = up }
        network.inChannels = inChannels ?? 3
        network.outChannels = outChannels ?? 3
        network.layersPerBlock = layersPerBlock ?? 2
        network.middle = midBlockType == nil ? .none : addAttention == false ? .residual : .attention
        // Null means one head of all channels. 0 would be read as null, so it is refused.
        if attentionHeadDim == 0 {
            throw Failure(
                .badData, path, field: "attention_head_dim", expected: "null or a positive number", found: "0")
        }
        network.attentionHeadDim = attentionHeadDim ?? 0
        network.normGroups = normNumGroups ?? 32
        if attnNormNumGroups == 0 {
            throw Failure(
                .badData, path, field: "attn_norm_num_groups", expected: "null or a positive number", found: "0")
        }
        network.middleNormGroups = attnNormNumGroups ?? 0
        network.normEpsilon = normEps ?? 1e-5
        network.downsamplePadding = downsamplePadding ?? 1
        network.centersInput = centerInputSample ?? false
        network.time.kind = timeEmbeddingType.flatMap(TimeEmbeddingConfiguration.Kind.init) ?? .positional
        network.time.sineFirst = flipSinToCos == false && network.time.kind == .positional
        network.time.frequencyShift = network.time.kind == .positional ? freqShift ?? 0 : 0
        network.time.timesteps = network.time.kind == .learned ? numTrainTimesteps ?? 0 : 0
        network.time.width = timeEmbeddingDim ?? 0
        if let problem = network.problem {
            let named = DiffusersUNet.theirNames.reduce(problem) {
                $0.replacingOccurrences(of: $1.ours, with: $1.theirs)
            }
            throw Failure(.badData, path, named)
        }
        return network
    }

    /// The file for `network`. The caller sets the class embedding and the size of samples.
    init(_ network: UNetConfiguration) {
        let levels = network.blockOutChannels.indices
        className = "UNet2DModel"
        inChannels = network.inChannels
        outChannels = network.outChannels
        blockOutChannels = network.blockOutChannels
        downBlockTypes = network.attentionLevels.map { $0 ? "AttnDownBlock2D" : "DownBlock2D" }
        upBlockTypes = levels.reversed().map { network.attendsUp($0) ? "AttnUpBlock2D" : "UpBlock2D" }
        layersPerBlock = network.layersPerBlock
        midBlockType = network.middle == .none ? nil : "UNetMidBlock2D"
        addAttention = network.middle != .residual
        attentionHeadDim = network.attentionHeadDim == 0 ? nil : network.attentionHeadDim
        normNumGroups = network.normGroups
        attnNormNumGroups = network.middleNormGroups == 0 ? nil : network.middleNormGroups
        normEps = network.normEpsilon
        downsamplePadding = network.downsamplePadding
        centerInputSample = network.centersInput
        timeEmbeddingType = network.time.kind.rawValue
        flipSinToCos = !network.time.sineFirst
        freqShift = network.time.frequencyShift
        numTrainTimesteps = network.time.kind == .learned ? network.time.timesteps : nil
        timeEmbeddingDim = network.time.width == 0 ? nil : network.time.width
    }

    /// The text of `config.json`. Keys without a value are written as null, because some missing keys have other
    /// defaults.
    func json() throws -> Data {
        let encoded = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(self)) as? [String: Any] ?? [:]
        let nulls = [CodingKeys.midBlockType, .attentionHeadDim, .sampleSize, .classEmbedType, .numClassEmbeds]
        let all = encoded.merging(nulls.map { ($0.rawValue, NSNull() as Any) }) { value, _ in value }
        return try JSONSerialization.data(
            withJSONObject: all, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }
}
