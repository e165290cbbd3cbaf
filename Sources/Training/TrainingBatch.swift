import Diffusion
import TensorCore

/// One batch: which photographs, how they are changed, and the noise that is added. A function of the seed and of the
/// number of images seen before.
package struct TrainingBatch {
    /// [N, h, w, C], in the model's space.
    let clean: Tensor
    let noise: Tensor
    /// [N]
    let sigma: [Float]
    let cohorts: [[CohortEncoding.Value]]
    let names: [String]

    init(_ configuration: TrainingConfiguration, _ encoding: CohortEncoding, data: TrainingSet, imagesSeen: Int) {
        let seed = configuration.seed
        let numbers = (imagesSeen..<imagesSeen + configuration.batchSize).map(UInt64.init)
        let indices = TrainingBatch.order(seed: seed, from: imagesSeen, count: configuration.batchSize, of: data.count)
        let mirrored = numbers.map { number in
            var random = Philox(seed: seed, stream: .augmentation, index: number)
            return configuration.flips && random.nextUniform() < 0.5
        }
        sigma = numbers.map { number in
            var random = Philox(seed: seed, stream: .noiseLevel, index: number)
            return configuration.noiseLevels.sigma(&random)
        }
        cohorts = zip(numbers, zip(indices, mirrored)).map { number, image in
            var random = Philox(seed: seed, stream: .conditionDropout, index: number)
            let values = image.1 ? encoding.mirrored(data.values[image.0]) : data.values[image.0]
            let dropsAll = random.nextUniform() < configuration.conditionDropout
            return values.map { value in
                let drops = random.nextUniform() < configuration.conditionDropout
                return dropsAll || drops ? .null : value
            }
        }
        clean = configuration.space.encoded(data.pictures(indices, mirrored: mirrored))
        noise = Tensor(shape: clean.shape) { target in
            let each = target.count / numbers.count
            for (i, number) in numbers.enumerated() {
                var random = Philox(seed: seed, stream: .trainingNoise, index: number)
                random.fillNormal(UnsafeMutableBufferPointer(rebasing: target[i * each..<(i + 1) * each]))
            }
        }
        names = indices.map { data.names[$0] }
    }

    /// Photographs in the order of training: every epoch is a permutation of its own.
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
