import Foundation
import Networks
import Pictures
import Randomness
import TensorCore
import Training

/// A trained classifier of pictures.
package struct PictureClassifier: Sendable {
    private let configuration: ClassifierConfiguration
    private let network: ClassifierNetwork
    private let scaling: Scaling
    private let parameters: ParameterMap

    /// Means and deviations of the colours of the pictures that were trained on, as pictures in [-1, 1] have them.
    private struct Scaling {
        let means, deviations: [Float]

        init(_ pictures: PictureSet) {
            var sums = [Double](repeating: 0, count: 3), squares = sums
            for (place, byte) in pictures.pixels.enumerated() {
                let value = Double(byte) / 127.5 - 1
                sums[place % 3] += value
                squares[place % 3] += value * value
            }
            let count = Double(pictures.pixels.count / 3), means = sums.map { $0 / count }
            self.means = means.map(Float.init)
            deviations = zip(squares, means).map { Float(max(1e-4, $0 / count - $1 * $1).squareRoot()) }
        }

        /// The network's input: the scaled colours, and then the local contrast of each picture, in which lesions
        /// and vessels stand out from the light around them.
        /// - Parameter pictures: [N, side, side, 3] in [-1, 1].
        /// - Returns: [N, side, side, 6].
        func applied(to pictures: Tensor) -> Tensor {
            let count = pictures.shape[0], side = pictures.shape[1], length = 3 * side * side
            return pictures.withUnsafeBuffer { source in
                Tensor(shape: [count, side, side, ClassifierNetwork.inputs]) { target in
                    nonisolated(unsafe) let (source, target) = (source, target)
                    parallelFor(count) { picture in
                        let own = source[picture * length..<(picture + 1) * length]
                        let contrast = FloatPicture(side: side, pixels: own.map { ($0 + 1) / 2 }).localContrast()
                        for (place, value) in own.enumerated() {
                            let to = 2 * picture * length + place / 3 * ClassifierNetwork.inputs + place % 3
                            target[to] = (value - means[place % 3]) / deviations[place % 3]
                            target[to + 3] = contrast[place]
                        }
                    }
                }
            }
        }
    }

    /// Trains a classifier. The same pictures and configuration give the same classifier, with any number of threads.
    /// - Parameters:
    ///   - phases: what is trained on, one after the other for equal numbers of steps. All have pictures of the
    ///     configuration's side.
    ///   - validation: pictures of other patients. Of the weights at `checks` moments, those with the lowest cross
    ///     entropy on these are kept, with the classes weighed as in the training. Where fewer than ten pictures of
    ///     some class are there, chance would choose, and the last weights are kept.
    ///   - progress: is called after each step with the share that is done. An error that it throws ends the work.
    package static func trained(
        _ configuration: ClassifierConfiguration, on phases: [LabelledPictures], validation: LabelledPictures?,
        progress: (Double) throws -> Void
    ) rethrows -> PictureClassifier {
        if let problem = configuration.problem { fatalError("PictureClassifier: \(problem)") }
        guard let last = phases.last, phases.allSatisfy({ $0.count > 0 && $0.pictures.size == configuration.side })
        else { fatalError("PictureClassifier: phases of \(phases.map(\.count)) pictures") }
        let network = ClassifierNetwork(configuration), scaling = Scaling(last.pictures)
        var state = TrainingState(network.specifications, seed: configuration.seed, averages: 1)
        let orders = phases.map { DrawingOrder($0.labels, configuration) }
        let weights = phases.map {
            classWeights($0.labels, classes: configuration.classes, isBalanced: configuration.balance == .weights)
        }
        let judges = validation.flatMap { canChoose($0, configuration) ? $0 : nil }
        var best: (loss: Double, parameters: ParameterMap)?
        for step in 0..<configuration.steps {
            let phase = step * phases.count / configuration.steps, rows = orders[phase][step]
            let labels = rows.map { phases[phase].labels[$0] }
            let input = scaling.applied(to: changed(rows, of: phases[phase].pictures, configuration, step: step))
            // The average forgets over a hundred steps, and faster in the beginning.
            var settings = AdamSettings(
                learningRate: configuration.learningRate(step: step),
                averageDecays: [Float(min(0.99, Double(step + 1) / Double(step + 10)))])
            settings.weightDecay = Float(configuration.weightDecay)
            state.step(network, input, labels: labels, weights: labels.map { weights[phase][$0] }, settings)
            let isChecked =
                (step + 1) * configuration.checks / configuration.steps
                > step * configuration.checks / configuration.steps
            if isChecked, let judges {
                let now = PictureClassifier(configuration, network, scaling, state.averages[0])
                let loss = now.loss(judges)
                if loss < best?.loss ?? .infinity { best = (loss, state.averages[0]) }
            }
            try progress(Double(step + 1) / Double(configuration.steps))
        }
        return PictureClassifier(configuration, network, scaling, best?.parameters ?? state.averages[0])
    }

    private init(
        _ configuration: ClassifierConfiguration, _ network: ClassifierNetwork, _ scaling: Scaling,
        _ parameters: ParameterMap
    ) {
        (self.configuration, self.network, self.scaling, self.parameters) = (
            configuration, network, scaling, parameters
        )
    }

    /// The probability of each class for each picture, [pictures][classes].
    package func probabilities(of pictures: PictureSet) -> [[Double]] {
        let constants = parameters.constants(reused: true)
        return stride(from: 0, to: pictures.count, by: 64).flatMap { first in
            let rows = Array(first..<min(first + 64, pictures.count))
            let input = scaling.applied(to: PictureClassifier.tensor(rows, of: pictures))
            return CrossEntropy.probabilities(network(Variable(input), constants).tensor)
        }
    }

    /// The fewest pictures of a class with which the weights are chosen.
    private static let leastOfClass = 10

    private static func canChoose(_ pictures: LabelledPictures, _ configuration: ClassifierConfiguration) -> Bool {
        (0..<configuration.classes).allSatisfy { number in
            pictures.labels.count { $0 == number } >= leastOfClass
        }
    }

    /// The mean of -log(probability of the label); where the training balances classes, the mean over the classes.
    private func loss(_ pictures: LabelledPictures) -> Double {
        let weights = PictureClassifier.classWeights(
            pictures.labels, classes: configuration.classes, isBalanced: configuration.balance != .none)
        return zip(probabilities(of: pictures.pictures), pictures.labels).reduce(0) {
            $0 - weights[$1.1] * log(max($1.0[$1.1], 1e-30))
        } / Double(pictures.count)
    }

    /// The weight of a picture of each class. The mean over all pictures is 1.
    static func classWeights(_ labels: [Int], classes: Int, isBalanced: Bool) -> [Double] {
        guard isBalanced else { return [Double](repeating: 1, count: classes) }
        let counts = (0..<classes).map { number in labels.count { $0 == number } }
        let known = counts.count { $0 > 0 }
        return counts.map { $0 == 0 ? 0 : Double(labels.count) / Double(known * $0) }
    }

    /// The pictures of `rows` in [-1, 1], [rows.count, side, side, 3].
    private static func tensor(_ rows: [Int], of pictures: PictureSet, mirrored: [Bool] = []) -> Tensor {
        let side = pictures.size, length = 3 * side * side
        return Tensor(shape: [rows.count, side, side, 3]) { target in
            for (place, row) in rows.enumerated() {
                let isMirrored = !mirrored.isEmpty && mirrored[place]
                for y in 0..<side {
                    for x in 0..<side {
                        let from = row * length + 3 * (y * side + (isMirrored ? side - 1 - x : x))
                        let to = place * length + 3 * (y * side + x)
                        for channel in 0..<3 {
                            target[to + channel] = Float(pictures.pixels[from + channel]) / 127.5 - 1
                        }
                    }
                }
            }
        }
    }

    /// The pictures of one step, each changed in its own way where the configuration says so.
    private static func changed(
        _ rows: [Int], of pictures: PictureSet, _ configuration: ClassifierConfiguration, step: Int
    ) -> Tensor {
        guard configuration.augments else { return tensor(rows, of: pictures) }
        var changes: [Augmentation] = [], mirrored: [Bool] = []
        for place in rows.indices {
            var random = Philox(
                seed: configuration.seed, stream: .classifierChange, index: UInt64(step * rows.count + place))
            mirrored.append(configuration.mirrors && random.nextUniform() < 0.5)
            changes.append(Augmentation(&random, share: 1))
        }
        return Augmentation.applied(changes, to: tensor(rows, of: pictures, mirrored: mirrored))
    }
}
