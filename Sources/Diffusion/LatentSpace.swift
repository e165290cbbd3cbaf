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

    /// Splits of the wavelet packet; 0 for pixels.
    public var levels: Int {
        switch self {
        case .pixels, .grey: 0
        case .wavelet(let levels): levels
        }
    }

    /// Pixels a side of a picture for each of the latent.
    public var factor: Int { 1 << levels }

    /// Channels of the latent of a picture in RGB.
    public var channels: Int { self == .grey ? 1 : 3 << (2 * levels) }

    /// [N, H, W, 3] in [-1, 1] -> [N, H / factor, W / factor, channels]; channel 3 b + c holds colour c of band b, the
    /// coarsest first.
    public func encoded(_ pictures: Tensor) -> Tensor {
        switch self {
        case .pixels: pictures
        case .grey: LatentSpace.mapped(pictures, channels: 1) { pixel in (pixel[0] + pixel[1] + pixel[2]) / 3 }
        case .wavelet(let levels): HaarPacket(levels: levels).forward(pictures)
        }
    }

    /// The inverse of `encoded`.
    public func decoded(_ latents: Tensor) -> Tensor {
        switch self {
        case .pixels: latents
        case .grey: LatentSpace.mapped(latents, channels: 3) { pixel in pixel[0] }
        case .wavelet(let levels): HaarPacket(levels: levels).inverse(latents)
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

    /// Deviation of the latents' noise over that of the same noise on pixels.
    public var noiseScale: Float { 1 / Float(factor) }

    /// The shape of the latents of `count` pictures.
    public func shape(count: Int, height: Int, width: Int) -> [Int] {
        [count, height / factor, width / factor, channels]
    }
}

extension LatentSpace: Codable {
    /// `pixels`, `grey`, `wavelet-2`, `wavelet-3`, ...
    public var name: String {
        switch self {
        case .pixels: "pixels"
        case .grey: "grey"
        case .wavelet(let levels): "wavelet-\(levels)"
        }
    }

    /// The most levels that there are.
    public static let mostLevels = 4

    public init?(name: String) {
        guard let space = LatentSpace.all.first(where: { $0.name == name }) else { return nil }
        self = space
    }

    private static let all = [LatentSpace.pixels, .grey] + (1...mostLevels).map { .wavelet(levels: $0) }

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
