import TensorCore

/// The space in which pictures are denoised; it connects photographs with the network.
public enum LatentSpace: Hashable, Sendable {
    /// The pictures themselves.
    case pixels
    /// The mean of red, green and blue, for models of red-free photographs. Samples are grey pictures in RGB.
    case grey
    /// The orthonormal Haar packet of this many levels, in which every band is split again, times 2^-levels. The
    /// coarsest band is the means of blocks, so it spans [-1, 1] as pixels do, and white noise stays white.
    case wavelet(levels: Int)
    /// The orthonormal cosine transform of side x side blocks, divided by `side`, on axes of colour. The axes are
    /// measured on the training set; nil means that they are not measured yet. Structure maps are transformed with the
    /// picture, as further planes.
    case dct(side: Int, colours: ColourAxes?, maps: [StructureMap] = [])

    /// The base 2 logarithm of `factor`: the splits of the wavelet packet; 0 for pixels.
    public var levels: Int {
        switch self {
        case .pixels, .grey: 0
        case .wavelet(let levels): levels
        case .dct(let side, _, _): side.trailingZeroBitCount
        }
    }

    /// Whether the colour axes have still to be measured.
    public var lacksColours: Bool {
        if case .dct(_, nil, _) = self { return true }
        return false
    }

    /// The same space with these colour axes, where it uses colour axes.
    public func with(_ colours: ColourAxes) -> LatentSpace {
        if case .dct(let side, _, let maps) = self { return .dct(side: side, colours: colours, maps: maps) }
        return self
    }

    /// The maps that are drawn with a picture.
    public var maps: [StructureMap] {
        if case .dct(_, _, let maps) = self { return maps }
        return []
    }

    /// The same space with these maps, where it can have maps.
    public func with(maps: [StructureMap]) -> LatentSpace {
        if case .dct(let side, let colours, _) = self { return .dct(side: side, colours: colours, maps: maps) }
        return self
    }

    /// The channels of a black block; the surround of the field of view consists of such blocks.
    public var black: [Float] {
        encoded(Tensor(repeating: -1, shape: [1, factor, factor, 3]).withPlanes(3 + maps.count)).elements
    }

    /// The best space in measurements for pictures with this many pixels on a side; see docs/recipes.md.
    public static func usual(size: Int) -> LatentSpace {
        size > 128 ? (size >= 256 ? Family.dct : .wavelet).space(size: size) : .pixels
    }

    /// A space that is asked for: a space by its name, or a kind of space whose blocks follow from the size of the
    /// pictures.
    public enum Family: Hashable, CaseIterable, Sendable, RawRepresentable {
        case pixels, grey, wavelet, dct
        /// One of `LatentSpace.all`, such as `wavelet-2`.
        case named(String)

        public static let allCases: [Family] =
            [.pixels, .grey, .wavelet, .dct]
            + LatentSpace.all.map(\.name).filter { !["pixels", "grey"].contains($0) }.map { .named($0) }

        public init?(rawValue: String) {
            guard let family = Family.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
            self = family
        }

        public var rawValue: String {
            switch self {
            case .pixels: "pixels"
            case .grey: "grey"
            case .wavelet: "wavelet"
            case .dct: "dct"
            case .named(let name): name
            }
        }

        /// The space for pictures with this many pixels on a side. Where only the kind is named, blocks are 8 x 8 where
        /// at least 32 places on a side are left, and 4 x 4 below.
        public func space(size: Int) -> LatentSpace {
            switch self {
            case .pixels: .pixels
            case .grey: .grey
            case .wavelet: .wavelet(levels: size >= 256 ? 3 : 2)
            case .dct: .dct(side: size >= 256 ? 8 : 4, colours: nil)
            case .named(let name): LatentSpace(name: name) ?? { fatalError("no space is named \(name)") }()
            }
        }
    }

    /// How many pixels on a side of the picture become one place of the latent.
    public var factor: Int { 1 << levels }

    /// The number of channels of the latent of a picture in RGB with its maps.
    public var channels: Int { pictureChannels + mapChannels }

    /// The number of channels of a picture in RGB. They come before those of maps.
    public var pictureChannels: Int { self == .grey ? 1 : 3 << (2 * levels) }

    /// The number of channels of the maps, which are the last.
    public var mapChannels: Int { maps.count << (2 * levels) }

    /// [N, H, W, 3] in [-1, 1] -> [N, H / factor, W / factor, channels]. Channel 3 b + c holds colour c of band b, the
    /// coarsest band first. With maps, the input is [N, H, W, 3 + maps], and the maps' bands are the last channels.
    public func encoded(_ pictures: Tensor) -> Tensor {
        switch self {
        case .pixels: pictures
        case .grey: LatentSpace.mapped(pictures, channels: 1) { pixel in (pixel[0] + pixel[1] + pixel[2]) / 3 }
        case .wavelet(let levels): HaarPacket(levels: levels).forward(pictures)
        case .dct(let side, let colours, let maps):
            DiscreteCosine(side: side, colours: colours ?? .identity, maps: maps.count).forward(
                pictures.withPlanes(3 + maps.count))
        }
    }

    /// The inverse of `encoded`.
    public func decoded(_ latents: Tensor) -> Tensor {
        switch self {
        case .pixels: latents
        case .grey: LatentSpace.mapped(latents, channels: 3) { pixel in pixel[0] }
        case .wavelet(let levels): HaarPacket(levels: levels).inverse(latents)
        case .dct(let side, let colours, let maps):
            DiscreteCosine(side: side, colours: colours ?? .identity, maps: maps.count).inverse(latents)
        }
    }

    /// [N, H, W, C] -> [N, H, W, channels], pixel by pixel.
    private static func mapped(
        _ tensor: Tensor, channels: Int, _ value: (UnsafeBufferPointer<Float>) -> Float
    ) -> Tensor {
        let width = tensor.shape[3]
        return tensor.withUnsafeBuffer { source in
            Tensor(shape: Array(tensor.shape[0..<3]) + [channels]) { target in
                for i in target.indices {
                    let from = i / channels * width
                    target[i] = value(UnsafeBufferPointer(rebasing: source[from..<from + width]))
                }
            }
        }
    }

    /// White noise of deviation 1 on latents of this shape. With colour axes, the noise is drawn on pixels and then
    /// transformed, so that models with different axes are given the same noise.
    /// - Parameter fill: fills a buffer with standard normal numbers.
    package func noise(_ shape: [Int], _ fill: (UnsafeMutableBufferPointer<Float>) -> Void) -> Tensor {
        guard case .dct = self else { return Tensor(shape: shape, filledBy: fill) }
        let pixels = Tensor(shape: [shape[0], shape[1] * factor, shape[2] * factor, 3 + maps.count], filledBy: fill)
        return encoded(pixels).scaled(by: 1 / noiseScale)
    }

    /// The octave of frequencies that a channel belongs to: 0 for the means of blocks, then 1 to `levels`, the highest
    /// frequencies last.
    public func octave(channel: Int) -> Int {
        let ofMaps = channel - pictureChannels
        let band = ofMaps < 0 ? channel / 3 : ofMaps % (factor * factor)
        let either = band / factor | band % factor
        switch self {
        case .pixels, .grey: return 0
        // Where bit l of a coordinate is set, neighbours 2^l pixels apart were subtracted.
        case .wavelet: return either == 0 ? 0 : levels - either.trailingZeroBitCount
        case .dct: return Int.bitWidth - either.leadingZeroBitCount
        }
    }

    /// The plane of a channel: 0 to 2 for colours, then the maps.
    public func plane(channel: Int) -> Int {
        channel < pictureChannels ? channel % 3 : 3 + (channel - pictureChannels) / (factor * factor)
    }

    /// The deviation of noise on latents, divided by the deviation of the same noise on pixels.
    public var noiseScale: Float { 1 / Float(factor) }

    /// The shape of the latents of `count` pictures.
    public func shape(count: Int, height: Int, width: Int) -> [Int] {
        [count, height / factor, width / factor, channels]
    }
}

extension LatentSpace: Codable {
    /// `pixels`, `grey`, `wavelet-2`, `wavelet-3`, ..., `dct-2`, `dct-4`, `dct-8`, ...
    public var name: String {
        switch self {
        case .pixels: "pixels"
        case .grey: "grey"
        case .wavelet(let levels): "wavelet-\(levels)"
        case .dct(let side, _, _): "dct-\(side)"
        }
    }

    /// The highest number of levels.
    public static let mostLevels = 4

    /// The space with this `name`, without colour axes and maps; nil for an unknown name.
    public init?(name: String) {
        guard let space = LatentSpace.all.first(where: { $0.name == name }) else { return nil }
        self = space
    }

    /// Every space, without colour axes and maps.
    static let all =
        [LatentSpace.pixels, .grey]
        + (1...mostLevels).map { .wavelet(levels: $0) } + (1...mostLevels).map { .dct(side: 1 << $0, colours: nil) }

    private enum CodingKeys: CodingKey { case name, colours, maps }

    /// Reads a name, or an object with `name`, with `colours` where the axes are measured, and with `maps` where there
    /// are maps.
    public init(from decoder: any Decoder) throws {
        let name: String, colours: ColourAxes?, maps: [StructureMap]
        if let container = try? decoder.container(keyedBy: CodingKeys.self) {
            name = try container.decode(String.self, forKey: .name)
            colours = try container.decodeIfPresent(ColourAxes.self, forKey: .colours)
            maps = try container.decodeIfPresent([StructureMap].self, forKey: .maps) ?? []
        } else {
            name = try decoder.singleValueContainer().decode(String.self)
            (colours, maps) = (nil, [])
        }
        guard let space = LatentSpace(name: name) else {
            let known = LatentSpace.all.map(\.name).joined(separator: ", ")
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "expected one of \(known), found \(name)"))
        }
        self = (colours.map { space.with($0) } ?? space).with(maps: maps)
    }

    public func encode(to encoder: any Encoder) throws {
        if case .dct(_, let colours, let maps) = self, colours != nil || !maps.isEmpty {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encodeIfPresent(colours, forKey: .colours)
            if !maps.isEmpty { try container.encode(maps, forKey: .maps) }
        } else {
            var container = encoder.singleValueContainer()
            try container.encode(name)
        }
    }
}

/// Conversion between 8-bit values and numbers in [-1, 1].
public enum PixelValues {
    /// 0 -> -1, 255 -> 1.
    @inlinable public static func encoded(_ pixel: UInt8) -> Float { Float(pixel) / 127.5 - 1 }

    /// The nearest 8-bit values, bounded to 0 ... 255. NaN becomes 0.
    public static func decoded(_ pictures: Tensor) -> [UInt8] {
        pictures.withUnsafeBuffer { source in
            source.map { value in
                let scaled = (value + 1) * 127.5
                return scaled >= 255 ? 255 : scaled > 0 ? UInt8(scaled.rounded()) : 0
            }
        }
    }
}
