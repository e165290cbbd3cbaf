import Datasets
import Diffusion
import Files
import Models
import Networks

/// The settings that somebody asks for; what they leave open is decided by `configuration`.
public struct TrainingWishes: Sendable {
    public var preset: Preset?
    /// Height and width of the pictures; nil takes the size of the data sets, at most 256, as a multiple of 32.
    public var size: Int?
    /// Nil takes the usual space for the size.
    public var space: LatentSpace.Family?
    /// Nil takes the maps of the settings file, or no maps.
    public var maps: [StructureMap]?
    /// A snapshot to start from; it brings network, size, space and attributes.
    public var base: String?
    /// What is trained on a base: an adapter of this kind, or all weights where `tunesEverything` is true.
    public var adapter: AdapterKind?
    public var tunesEverything = false
    /// Add the attributes of the data sets that the base lacks, and train them, too.
    public var extend = false
    /// A data set of phantoms; a coin flip decides which of them are added to the training.
    public var canaries: String?
    /// The number of training images to see in all.
    public var images: Int?
    public var seed: UInt64?
    /// The round that the training is for; it changes the seed, so that every round draws other noise.
    public var round: Int?
    /// A file of settings. They replace the defaults, and the other wishes here replace them.
    public var config: String?

    public init() {}

    /// - Parameter resumes: whether a run is resumed, whose settings must stay as they are.
    /// - Throws: `Failure(.usage)` where wishes exclude each other.
    public func validate(resumes: Bool) throws {
        let own = preset != nil || size != nil || space != nil || maps != nil
        if resumes, own || base != nil || extend || round != nil || seed != nil || config != nil || canaries != nil {
            throw Failure(
                .usage, option: "resume",
                "the settings are those of the run's config.yaml; only the number of images may be changed")
        }
        if base != nil, own {
            throw Failure(
                .usage, option: "base", "a base brings its own network; leave out preset, size, space and maps")
        }
        if base == nil, adapter != nil || tunesEverything {
            throw Failure(.usage, option: "adapter", "an adapter changes a base, but no base is given")
        }
        if base == nil, extend {
            throw Failure(.usage, option: "extend", "attributes are added to a base, but no base is given")
        }
        if let round, !(0...1_000_000).contains(round) {
            throw Failure(.usage, option: "round", expected: "0 to 1000000", found: "\(round)")
        }
    }

    /// The settings: the defaults, changed by the file and then by the wishes. For a run that is resumed they are the
    /// run's own settings, with the number of images changed.
    /// - Parameters:
    ///   - before: the settings of the run that is resumed; nil for a new run.
    ///   - datasets: the pictures are not larger than those of the data sets.
    /// - Throws: `Failure`: errors of the file or the base; `.usage` for maps with a space that has no maps.
    public func configuration(
        _ before: TrainingConfiguration?, datasets: [DatasetFile]
    ) throws -> TrainingConfiguration {
        var settings = before ?? TrainingConfiguration()
        if before == nil {
            settings = try base.map { try onBase(try LoadedModel(contentsOf: $0)) } ?? fromNothing(datasets)
            settings.seed = seed ?? settings.seed
        }
        settings.canaries = canaries ?? settings.canaries
        settings.images = images ?? settings.images
        if let round { settings.seed = TrainingConfiguration.seed(settings.seed, round: round) }
        return settings
    }

    private func onBase(_ base: LoadedModel) throws -> TrainingConfiguration {
        var settings = TrainingConfiguration()
        settings.start(from: base)
        if extend { (settings.extendsBase, settings.attributes) = (true, [TrainingConfiguration.allAttributes]) }
        if let config { settings = try settings.tuned(by: config) }
        settings.tunesEverything = tunesEverything
        settings.adapter.kind = adapter ?? settings.adapter.kind
        return settings
    }

    private func fromNothing(_ datasets: [DatasetFile]) throws -> TrainingConfiguration {
        var settings = TrainingConfiguration()
        // The file's size and space decide which defaults the file then changes.
        let named = try config.map { try Configuration.read($0, over: settings) } ?? settings
        let keys = try config.map { try Configuration.keys($0) } ?? []
        let size = size ?? (keys.contains("size") ? named.size : TrainingConfiguration.usualSize(of: datasets))
        let space =
            space?.space(size: size) ?? (keys.contains("space") ? named.space : LatentSpace.usual(size: size))
        settings.use(space, preset ?? .small, size: size)
        if let config { settings = try Configuration.read(config, over: settings) }
        settings.size = size
        settings.useChannels(of: space, preset?.configuration(channels: space.channels))
        settings.useMaps(maps ?? settings.space.maps)
        if let maps, !maps.isEmpty, settings.space.maps.isEmpty {
            throw Failure(
                .usage, option: "maps", expected: "none for the space \(space.name); maps go with the space dct",
                found: maps.map(\.rawValue).joined(separator: ", "))
        }
        return settings
    }
}

extension TrainingConfiguration {
    /// The seed of a round. Every round has another seed, and so draws other noise.
    public static func seed(_ seed: UInt64, round: Int) -> UInt64 { seed &+ UInt64(round) &* 0x9E37_79B9_7F4A_7C15 }
}
