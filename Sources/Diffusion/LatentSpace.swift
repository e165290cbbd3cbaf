import TensorCore

/// Where pictures live while they are denoised: the seam between photographs and the network.
public enum LatentSpace: Hashable, Sendable {
    /// The pictures themselves.
    case pixels
    /// The orthonormal Haar packet of so many levels, every band split again, times 2^-levels: the coarsest band is the
    /// picture's block means, so that it spans [-1, 1] as pixels do, and white noise stays white.
    case wavelet(levels: Int)

    /// Splits of the wavelet packet; 0 for pixels.
    public var levels: Int {
        switch self {
        case .pixels: 0
        case .wavelet(let levels): levels
        }
    }

    /// Pixels a side of a picture for each of the latent.
    public var factor: Int { 1 << levels }

    /// Channels of the latent of a picture in RGB.
    public var channels: Int { 3 << (2 * levels) }

    /// [N, H, W, 3] in [-1, 1] -> [N, H / factor, W / factor, channels]; channel 3 b + c holds colour c of band b, the
    /// coarsest first.
    public func encoded(_ pictures: Tensor) -> Tensor {
        self == .pixels ? pictures : HaarPacket(levels: levels).forward(pictures)
    }

    /// The inverse of `encoded`.
    public func decoded(_ latents: Tensor) -> Tensor {
        self == .pixels ? latents : HaarPacket(levels: levels).inverse(latents)
    }

    /// Deviation of the latents' noise over that of the same noise on pixels.
    public var noiseScale: Float { 1 / Float(factor) }

    /// The shape of the latents of `count` pictures.
    public func shape(count: Int, height: Int, width: Int) -> [Int] {
        [count, height / factor, width / factor, channels]
    }
}

extension LatentSpace: Codable {
    /// `pixels`, `wavelet-2`, `wavelet-3`, ...
    public var name: String { self == .pixels ? "pixels" : "wavelet-\(levels)" }

    /// The most levels that there are.
    public static let mostLevels = 4

    public init?(name: String) {
        guard let space = LatentSpace.all.first(where: { $0.name == name }) else { return nil }
        self = space
    }

    private static let all = [LatentSpace.pixels] + (1...mostLevels).map { .wavelet(levels: $0) }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let name = try container.decode(String.self)
        guard let space = LatentSpace(name: name) else {
            let known = LatentSpace.all.map(\.name).joined(separator: ", ")
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected one of \(known), found \(name)")
        }
        self = space
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
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
