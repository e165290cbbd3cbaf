import Diffusion
import Foundation
import Randomness
import TensorCore

/// Pictures, and the noise that is added to them.
package struct NoisyPictures {
    /// [N, h, w, C], in the space of the network that is trained with them.
    package let clean: Tensor
    package let noise: Tensor
    /// [N]
    package let sigma: [Float]
    /// [N], the noise level of the structure maps; nil where there are no maps.
    package let maps: [Float]?
    package let cohorts: [[CohortEncoding.Value]]
    /// [N, numbers], how the pictures were changed; nil where no pictures are changed.
    var changes: Tensor?
}

/// One batch: its photographs, their changes, and the noise that is added. It follows from the seed and from the number
/// of images seen before.
package struct TrainingBatch {
    /// Whole pictures, for the first network.
    package let whole: NoisyPictures
    /// The pictures for each network after the first, in the networks' order: whole pictures or crops.
    package let experts: [NoisyPictures]
    let names: [String]

    package init(_ configuration: TrainingConfiguration, _ encoding: CohortEncoding, data: TrainingSet, imagesSeen: Int)
    {
        let seed = configuration.seed
        let numbers = (imagesSeen..<imagesSeen + configuration.batchSize).map(UInt64.init)
        let indices = TrainingBatch.order(seed: seed, from: imagesSeen, count: configuration.batchSize, of: data.count)
        let mirrored = numbers.map { number in
            var random = Philox(seed: seed, stream: .augmentation, index: number)
            return configuration.flips && random.nextUniform() < 0.5
        }
        let sigma = numbers.map { number in
            var random = Philox(seed: seed, stream: .noiseLevel, index: number)
            return configuration.noiseLevels.sigma(&random)
        }
        let cohorts = zip(numbers, zip(indices, mirrored)).map { number, image in
            var random = Philox(seed: seed, stream: .conditionDropout, index: number)
            let values = image.1 ? encoding.mirrored(data.values[image.0]) : data.values[image.0]
            let dropsAll = random.nextUniform() < configuration.conditionDropout
            return values.map { value in
                let drops = random.nextUniform() < configuration.conditionDropout
                return dropsAll || drops ? .null : value
            }
        }
        let pictures = data.pictures(indices, mirrored: mirrored)
        let changes = numbers.map { number in
            var random = Philox(seed: seed, stream: .pictureChange, index: number)
            return Augmentation(&random, share: configuration.augmentedShare)
        }
        let changed = Augmentation.applied(changes, to: pictures)
        let told =
            configuration.augmentedShare > 0
            ? Tensor(changes.flatMap(\.numbers), shape: [changes.count, Augmentation.count]) : nil
        func whole(_ space: LatentSpace, _ sigma: [Float], _ stream: RandomStream) -> NoisyPictures {
            let clean = space.encoded(changed)
            return NoisyPictures(
                clean: clean, noise: TrainingBatch.noise(clean.shape, seed: seed, stream, numbers), sigma: sigma,
                maps: TrainingBatch.mapLevels(sigma, space, seed: seed, numbers), cohorts: cohorts, changes: told)
        }
        self.whole = whole(configuration.space, sigma, .trainingNoise)
        experts = configuration.experts.map { name, expert in
            let streams: (choice: RandomStream, noise: RandomStream) =
                switch name {
                case "fine": (.crop, .cropNoise)
                case ModelDescription.guidingName: (.guidingNetwork, .guidingNoise)
                default: (.middleNetwork, .middleNoise)
                }
            guard expert.seesWholePictures else {
                return TrainingBatch.crops(of: pictures, cohorts, configuration, expert, streams, first: imagesSeen)
            }
            let levels = numbers.map { number in
                var random = Philox(seed: seed, stream: streams.choice, index: number)
                return expert.noiseLevels.sigma(&random)
            }
            return whole(expert.space, levels, streams.noise)
        }
        names = indices.map { data.names[$0] }
    }

    /// Crops at random places. With `flips`, half of them are upside down, because so small a part of a photograph
    /// looks alike either way up.
    private static func crops(
        of pictures: Tensor, _ cohorts: [[CohortEncoding.Value]], _ configuration: TrainingConfiguration,
        _ expert: ExpertTraining,
        _ streams: (choice: RandomStream, noise: RandomStream), first imagesSeen: Int
    ) -> NoisyPictures {
        let side = expert.cropSize, width = pictures.shape[2]
        let count = pictures.shape[0] * expert.cropsPerImage
        let numbers = (0..<count).map { UInt64(imagesSeen * expert.cropsPerImage + $0) }
        let levels = expert.noiseLevels
        var sigma: [Float] = []
        let depth = pictures.shape[3]
        let cut = Tensor(shape: [count, side, side, depth]) { target in
            pictures.withUnsafeBuffer { source in
                for (crop, number) in numbers.enumerated() {
                    var random = Philox(seed: configuration.seed, stream: streams.choice, index: number)
                    sigma.append(levels.sigma(&random))
                    let left = Int(random.nextUniform() * Double(width - side + 1))
                    let top = Int(random.nextUniform() * Double(pictures.shape[1] - side + 1))
                    let isUpsideDown = configuration.flips && random.nextUniform() < 0.5
                    let picture = crop / expert.cropsPerImage * pictures.shape[1]
                    for y in 0..<side {
                        let from = ((picture + top + (isUpsideDown ? side - 1 - y : y)) * width + left) * depth
                        let to = (crop * side + y) * side * depth
                        for i in 0..<depth * side { target[to + i] = source[from + i] }
                    }
                }
            }
        }
        let clean = expert.space.encoded(cut)
        return NoisyPictures(
            clean: clean, noise: noise(clean.shape, seed: configuration.seed, streams.noise, numbers), sigma: sigma,
            maps: mapLevels(sigma, expert.space, seed: configuration.seed, numbers),
            cohorts: (0..<count).map { cohorts[$0 / expert.cropsPerImage] })
    }

    /// The noise levels of structure maps. Half of the pictures get their own noise level, as in sampling. For the
    /// others the map is known, unknown, or at a random level between.
    private static func mapLevels(_ sigma: [Float], _ space: LatentSpace, seed: UInt64, _ numbers: [UInt64]) -> [Float]?
    {
        guard !space.maps.isEmpty else { return nil }
        return zip(sigma, numbers).map { own, number in
            var random = Philox(seed: seed, stream: .mapNoise, index: number)
            let choice = random.nextUniform(), place = random.nextUniform()
            switch choice {
            case ..<0.5: return own
            case ..<0.7: return StructureMap.known * space.noiseScale
            case ..<0.85: return StructureMap.unknown * space.noiseScale
            default:
                return StructureMap.known * Float(pow(Double(StructureMap.unknown / StructureMap.known), place))
                    * space.noiseScale
            }
        }
    }

    /// Standard normal numbers of this shape; each picture has its own stream.
    private static func noise(_ shape: [Int], seed: UInt64, _ stream: RandomStream, _ numbers: [UInt64]) -> Tensor {
        Tensor(shape: shape) { target in
            let each = target.count / numbers.count
            nonisolated(unsafe) let target = target
            parallelFor(numbers.count) { i in
                var random = Philox(seed: seed, stream: stream, index: numbers[i])
                random.fillNormal(UnsafeMutableBufferPointer(rebasing: target[i * each..<(i + 1) * each]))
            }
        }
    }

    /// Indices of photographs in the order of training; every epoch has its own permutation.
    package static func order(seed: UInt64, from start: Int, count: Int, of total: Int) -> [Int] {
        var epochs: [Int: [Int]] = [:]
        return (start..<start + count).map { number in
            let epoch = number / total
            if epochs[epoch] == nil {
                var random = Philox(seed: seed, stream: .imageOrder, index: UInt64(epoch))
                epochs[epoch] = random.permutation(total)
            }
            return epochs[epoch]?[number % total] ?? 0
        }
    }
}
