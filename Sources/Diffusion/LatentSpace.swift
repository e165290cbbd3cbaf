import TensorCore

/// Where pictures live while they are denoised: the seam between photographs and the network.
public enum LatentSpace: Hashable, Sendable {
    /// The pictures themselves.
    case pixels
    /// The mean of red, green and blue: models of red-free photographs, drawn as grey ones in RGB.
    case grey
    /// The orthonormal Haar packet of so many levels, every band split again, times 2^-levels: the coarsest band is the
    /// picture's block means, so that it spans [-1, 1] as pixels do, and white noise stays white.
    case wavelet(levels: Int)
    /// The orthonormal cosine transform of side x side blocks, over side, on axes of colour. The axes are measured on
    /// the training set; nil stands for axes that are not measured yet. Maps of structures are transformed with the
    /// picture, as further planes behind its three.
    case dct(side: Int, colours: ColourAxes?, maps: [StructureMap] = [])

    /// Base 2 logarithm of `factor`: splits of the wavelet packet; 0 for pixels.
    public var levels: Int {
        switch self {
        case .pixels, .grey: 0
        case .wavelet(let levels): levels
        case .dct(let side, _, _): side.trailingZeroBitCount
        }
    }

    /// Whether colour axes are still to be measured.
    public var lacksColours: Bool {
        if case .dct(_, nil, _) = self { return true }
        return false
    }

    /// The same space on these axes, where it has axes.
    public func with(_ colours: ColourAxes) -> LatentSpace {
        if case .dct(let side, _, let maps) = self { return .dct(side: side, colours: colours, maps: maps) }
        return self
    }

    /// The maps that are drawn with a picture.
    public var maps: [StructureMap] {
        if case .dct(_, _, let maps) = self { return maps }
        return []
    }

    /// The same space with these maps, where it can have any.
    public func with(maps: [StructureMap]) -> LatentSpace {
        if case .dct(let side, let colours, _) = self { return .dct(side: side, colours: colours, maps: maps) }
        return self
    }

    /// The channels of a block that is black, as the surround of the field of view is.
    public var black: [Float] {
        encoded(Tensor(repeating: -1, shape: [1, factor, factor, 3]).withPlanes(3 + maps.count)).elements
    }

    /// The space that measured best for pictures of so many pixels a side; see docs/recipes.md.
    public static func usual(size: Int) -> LatentSpace {
        size > 128 ? (size >= 256 ? Family.dct : .wavelet).space(size: size) : .pixels
    }

    /// A kind of space, whose blocks follow from the size of the pictures.
    public enum Family: String, CaseIterable, Sendable {
        case pixels, wavelet, dct

        /// The space of this kind for pictures of so many pixels a side: blocks of 8 x 8 where 32 places a side are
        /// left, smaller ones below.
        public func space(size: Int) -> LatentSpace {
            switch self {
            case .pixels: .pixels
            case .wavelet: .wavelet(levels: size >= 256 ? 3 : 2)
            case .dct: .dct(side: size >= 256 ? 8 : 4, colours: nil)
            }
        }
    }

    /// Pixels a side of a picture for each of the latent.
    public var factor: Int { 1 << levels }

    /// Channels of the latent of a picture in RGB and its maps.
    public var channels: Int { pictureChannels + mapChannels }

    /// Channels of the latent of a picture in RGB: the first of all channels.
    public var pictureChannels: Int { self == .grey ? 1 : 3 << (2 * levels) }

    /// Channels of its maps, which are the last.
    public var mapChannels: Int { maps.count << (2 * levels) }

    /// [N, H, W, 3] in [-1, 1] -> [N, H / factor, W / factor, channels]; channel 3 b + c holds colour c of band b, the
    /// coarsest first. With maps it is [N, H, W, 3 + maps], and their bands are the last channels.
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

    /// White noise of deviation 1 on latents of this shape. On axes of colour it is drawn on pixels and transformed, so
    /// that models whose axes differ meet the same noise.
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
        // Bit l of a coordinate says that neighbours 2^l pixels apart were subtracted.
        case .wavelet: return either == 0 ? 0 : levels - either.trailingZeroBitCount
        case .dct: return Int.bitWidth - either.leadingZeroBitCount
        }
    }

    /// The plane of a channel: 0 to 2 for colours, then the maps.
    public func plane(channel: Int) -> Int {
        channel < pictureChannels ? channel % 3 : 3 + (channel - pictureChannels) / (factor * factor)
    }

    /// Deviation of the latents' noise over that of the same noise on pixels.
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

    /// The most levels that there are.
    public static let mostLevels = 4

    public init?(name: String) {
        guard let space = LatentSpace.all.first(where: { $0.name == name }) else { return nil }
        self = space
    }

    private static let all =
        [LatentSpace.pixels, .grey]
        + (1...mostLevels).map { .wavelet(levels: $0) } + (1...mostLevels).map { .dct(side: 1 << $0, colours: nil) }

    private enum CodingKeys: CodingKey { case name, colours, maps }

    /// A name, or `name`, `colours` where the axes are measured, and `maps` where there are any.
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

/// 8-bit values and numbers in [-1, 1].
public enum PixelValues {
    /// 0 -> -1, 255 -> 1.
    @inlinable public static func encoded(_ pixel: UInt8) -> Float { Float(pixel) / 127.5 - 1 }

    /// The nearest 8-bit values, bounded to 0 ... 255. What is not a number becomes 0.
    public static func decoded(_ pictures: Tensor) -> [UInt8] {
        pictures.withUnsafeBuffer { source in
            source.map { value in
                let scaled = (value + 1) * 127.5
                return scaled >= 255 ? 255 : scaled > 0 ? UInt8(scaled.rounded()) : 0
            }
        }
    }
}
