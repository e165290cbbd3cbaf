import Datasets
import Diffusion
import Networks
import Pictures
import Randomness
import TensorCore

/// How well a model removes noise from photographs that it was not trained on. It is measured in pixels, so it compares
/// recipes with different spaces, preconditioning and weights.
public struct DenoisingError: Codable, Hashable, Sendable {
    /// The deviation of white noise on pixels in [-1, 1].
    public let sigma: Double
    /// The root of the mean squared difference from the clean picture, over all pixels, in the same unit.
    public var error: Double
    /// The error inside the eye, at the edge of the field of view, and in the black surround; see `PictureRegion`. Nil
    /// where no photograph has such a region, and in logs of version 0.1.
    public var eye: Double?, edge: Double?, surround: Double?
    /// The error of c_skip x, which preconditioning alone gives. A network with the same error has learned nothing at
    /// this level.
    public var skip: Double?
    /// The errors by groups of channels.
    public var groups: [Group]?

    /// The channels of one octave of frequencies on one axis of colour.
    public struct Group: Codable, Hashable, Sendable {
        /// 0 for the means of blocks, then from the lowest to the highest frequencies.
        public let octave: Int
        /// 0 to 2, the axis of colour; with a cosine transform the strongest axis first.
        public let colour: Int
        /// Root mean squares, in units of pixels: of the error, of the error of c_skip x alone, and of the photographs.
        public let error: Double, skip: Double, deviation: Double
    }

    /// `error` as an optional number, for key paths to the parts of a picture.
    var all: Double? { error }

    static let sigmas = [0.016, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6]
}

/// A part of a photograph, by the signed distance to the boundary of its field of view.
package enum PictureRegion: Int, CaseIterable {
    case eye, edge, surround

    /// The region of each pixel, [size * size], row by row. `edge` is within size / 64 pixels of the boundary.
    package static func map(_ view: FieldOfView, size: Int) -> [PictureRegion] {
        let margin = Float(size) / 64
        return (0..<size * size).map { place in
            let distance = view.signedDistance(x: Float(place % size) + 0.5, y: Float(place / size) + 0.5)
            return abs(distance) <= margin ? .edge : distance > 0 ? .eye : .surround
        }
    }
}

/// Sums of squared differences over parts of pictures.
private struct ErrorSums {
    var regions = [Double](repeating: 0, count: PictureRegion.allCases.count), pixels = [0, 0, 0]
    /// Sums for each channel of the latents.
    var channels: [Double], skipChannels: [Double], squares: [Double]

    init(channels count: Int) {
        let zeros = [Double](repeating: 0, count: count)
        (channels, skipChannels, squares) = (zeros, zeros, zeros)
    }

    /// - Parameters:
    ///   - error, skipError, clean: [N, h, w, C], in the model's space.
    ///   - difference: [N, H, W, 3 + maps], the error in pixels.
    ///   - maps: the region of each pixel, one map for each picture.
    mutating func add(error: Tensor, skipError: Tensor, clean: Tensor, difference: Tensor, maps: [[PictureRegion]]) {
        let count = channels.count, depth = difference.shape[3]
        func addChannels(_ tensor: Tensor, _ sums: inout [Double]) {
            tensor.withUnsafeBuffer { for i in $0.indices { sums[i % count] += Double($0[i]) * Double($0[i]) } }
        }
        addChannels(error, &channels)
        addChannels(skipError, &skipChannels)
        addChannels(clean, &squares)
        difference.withUnsafeBuffer { source in
            var pixel = 0
            for map in maps {
                for region in map {
                    for c in 0..<3 {
                        regions[region.rawValue] +=
                            Double(source[depth * pixel + c]) * Double(source[depth * pixel + c])
                    }
                    pixels[region.rawValue] += 3
                    pixel += 1
                }
            }
        }
    }

    /// - Parameters:
    ///   - places: the count of numbers in all latents together.
    func result(sigma: Double, space: LatentSpace, places: Int) -> DenoisingError {
        // The transform is orthonormal except for its scale.
        let unit = 1 / Double(space.noiseScale)
        func root(_ sum: Double, _ count: Int) -> Double { (sum / Double(max(1, count))).squareRoot() }
        let own = space.pictureChannels, pictures = places / space.channels * own
        var result = DenoisingError(sigma: sigma, error: root(channels[0..<own].reduce(0, +), pictures) * unit)
        let parts = PictureRegion.allCases.map {
            pixels[$0.rawValue] > 0 ? root(regions[$0.rawValue], pixels[$0.rawValue]) : nil
        }
        (result.eye, result.edge, result.surround) = (parts[0], parts[1], parts[2])
        result.skip = root(skipChannels[0..<own].reduce(0, +), pictures) * unit
        let count = channels.count
        let groups = Dictionary(grouping: 0..<count) { [space.octave(channel: $0), space.plane(channel: $0)] }
        result.groups = groups.keys.sorted { $0.lexicographicallyPrecedes($1) }.map { key in
            let own = groups[key] ?? []
            func part(_ sums: [Double]) -> Double {
                root(own.reduce(0) { $0 + sums[$1] }, places / count * own.count) * unit
            }
            return .init(
                octave: key[0], colour: key[1], error: part(channels), skip: part(skipChannels),
                deviation: part(squares))
        }
        return result
    }
}

extension Trainer {
    /// The errors of `parameters` over the photographs of `set`, with the same noise in every call.
    public func denoisingErrors(_ parameters: ParameterMap, _ set: TrainingSet) -> [DenoisingError] {
        let parameters = parameters.constants(), space = configuration.space, shape = model.description.latentShape(1)
        let maps = set.views.map { PictureRegion.map($0, size: set.size) }
        return DenoisingError.sigmas.map { sigma in
            var sums = ErrorSums(channels: space.channels)
            for start in stride(from: 0, to: set.count, by: configuration.batchSize) {
                let indices = Array(start..<Swift.min(start + configuration.batchSize, set.count))
                let clean = space.encoded(set.pictures(indices, mirrored: indices.map { _ in false }))
                let noise = stacked(
                    indices.map { index in
                        var random = Philox(seed: 1, stream: .validationNoise, index: UInt64(index))
                        return Tensor(shape: shape) { random.fillNormal($0) }
                    })
                let level = Float(sigma) * space.noiseScale
                let noisy = clean + noise.scaled(by: level)
                let denoiser = ModelDenoiser(model, parameters, cohorts: indices.map { set.values[$0] })
                let error = denoiser.denoised(noisy, sigma: level) - clean
                let skipError = model.skipped(noisy, sigma: level) - clean
                sums.add(
                    error: error, skipError: skipError, clean: clean, difference: space.decoded(error),
                    maps: indices.map { maps[$0] })
            }
            return sums.result(sigma: sigma, space: space, places: set.count * shape.reduce(1, *))
        }
    }
}
