import Foundation
import Networks
import Pictures
import Randomness
import TensorCore
import Training

extension CopyDetector {
    /// Trains a detector on `pictures`. These should come from the gallery and from auxiliary patients alike, so that
    /// being in the gallery does not by itself bring a photograph closer. The same pictures and configuration give the
    /// same bytes, with any number of threads.
    ///
    /// Each step takes a batch of pictures, makes two views of each (`TrainingView`), and lowers NT-Xent. Views that
    /// share a patient, also through a picture that was mixed in, count neither as alike nor as different.
    /// - Parameter progress: is called after each step with the share that is done. An error that it throws ends the
    ///   work.
    /// - Throws: what `progress` throws.
    package static func trained(
        on pictures: PictureSet, _ configuration: CopyDetectorConfiguration, progress: (Double) throws -> Void
    ) rethrows -> CopyDetector {
        if let problem = configuration.problem { fatalError("CopyDetector: \(problem)") }
        let network = DetectorNetwork(configuration)
        var state = TrainingState(network.specifications, seed: configuration.seed, averages: 0)
        let sources = (0..<pictures.count).map { FloatPicture(pictures[$0], side: configuration.side) }
        let batches = BatchOrder(count: pictures.count, batch: configuration.batch, seed: configuration.seed)
        for step in 0..<(batches.size < 2 ? 0 : configuration.steps) {
            let batch = ContrastiveBatch(
                batches[step], of: sources, patients: pictures.patients, configuration, step: step)
            let tape = Tape()
            let parameters = state.parameters.variables(on: tape)
            // The mean over the batch is subtracted, as batch normalisation does. Otherwise all features soon point in
            // one direction, and gradients vanish.
            let raw = network(Variable(batch.input), parameters)
            let features = raw - raw.mean(axes: [0])
            let loss = ContrastiveLoss(
                features.tensor, temperature: configuration.temperature, isExcluded: batch.isExcluded)
            let gradients = tape.gradients(of: features, gradOutput: loss.gradient, for: parameters.variables)
            var settings = AdamSettings(learningRate: configuration.learningRate(step: step))
            settings.weightDecay = Float(configuration.weightDecay)
            state.apply(gradients, settings, imagesSeen: (step + 1) * batches.size)
            try progress(Double(step + 1) / Double(configuration.steps))
        }
        if !sources.isEmpty { network.center(&state.parameters, on: sources) }
        return CopyDetector(configuration, state.parameters)
    }
}

extension CopyDetectorConfiguration {
    /// The learning rate of a step. It rises over the first 20 steps, and falls along half a cosine to a hundredth.
    func learningRate(step: Int) -> Float {
        let done = Double(step) / Double(max(1, steps))
        return Float(learningRate * min(1, Double(step + 1) / 20) * (0.01 + 0.99 * (1 + cos(.pi * done)) / 2))
    }
}

/// Which pictures each step takes. All pictures are taken in a random order, again and again; those that do not fill a
/// batch are left out.
package struct BatchOrder {
    package let count: Int, size: Int
    let seed: UInt64

    package init(count: Int, batch: Int, seed: UInt64) {
        self.count = count
        size = min(batch, count)
        self.seed = seed
    }

    package subscript(step: Int) -> ArraySlice<Int> {
        let perEpoch = count / size, epoch = step / perEpoch, place = step % perEpoch
        // Views take the even indices of the stream, orders the odd ones.
        var random = Philox(seed: seed, stream: .copyDetector, index: UInt64(2 * epoch + 1))
        return random.permutation(count)[place * size..<(place + 1) * size]
    }
}

/// Two views of each picture of a batch, side by side.
package struct ContrastiveBatch {
    /// [2 * pictures, side, side, 3]
    let input: Tensor
    /// The patient that each view shows, and the patient of the picture that is mixed in; nil where nothing is.
    private let patients: [(Int, Int?)]

    package init(
        _ rows: ArraySlice<Int>, of pictures: [FloatPicture], patients: [Int],
        _ configuration: CopyDetectorConfiguration, step: Int
    ) {
        let rows = Array(rows), views = 2 * rows.count, side = configuration.side, length = 3 * side * side
        var partners = [Int?](repeating: nil, count: views)
        input = Tensor(shape: [views, side, side, 3]) { target in
            partners.withUnsafeMutableBufferPointer { partners in
                parallelFor(views) { i in
                    var random = Philox(
                        seed: configuration.seed, stream: .copyDetector,
                        index: 2 * (UInt64(step) * UInt64(views) + UInt64(i)))
                    let view = TrainingView(
                        of: rows[i / 2], in: pictures, patients: patients, blending: configuration.blending, &random)
                    for k in 0..<length { target[i * length + k] = view.input[k] }
                    partners[i] = view.partner.map { patients[$0] }
                }
            }
        }
        self.patients = (0..<views).map { (patients[rows[$0 / 2]], partners[$0]) }
    }

    /// Whether the views `i` and `j` have a patient in common.
    package func isExcluded(_ i: Int, _ j: Int) -> Bool {
        let a = patients[i], b = patients[j]
        return a.0 == b.0 || a.0 == b.1 || (a.1 != nil && (a.1 == b.0 || a.1 == b.1))
    }
}
