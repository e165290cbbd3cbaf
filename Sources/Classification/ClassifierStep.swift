import Networks
import Randomness
import TensorCore
import Training

/// One training step after the other on the same random batch, to be timed.
package struct ClassifierStep {
    private let network: ClassifierNetwork
    private var state: TrainingState
    private let input: Tensor
    private let labels: [Int]
    private var settings: AdamSettings

    package init(_ configuration: ClassifierConfiguration) {
        network = ClassifierNetwork(configuration)
        state = TrainingState(network.specifications, seed: configuration.seed, averages: 1)
        var random = Philox(seed: configuration.seed, stream: .classifierChange, index: 0)
        let side = configuration.side
        input = Tensor(shape: [configuration.batch, side, side, ClassifierNetwork.inputs]) { random.fillNormal($0) }
        labels = (0..<configuration.batch).map { $0 % configuration.classes }
        settings = AdamSettings(learningRate: Float(configuration.learningRate), averageDecays: [0.99])
        settings.weightDecay = Float(configuration.weightDecay)
    }

    package mutating func run() {
        state.step(network, input, labels: labels, weights: labels.map { _ in 1 }, settings)
    }
}

extension TrainingState {
    /// One step of a classifier.
    mutating func step(
        _ network: ClassifierNetwork, _ input: Tensor, labels: [Int], weights: [Double], _ settings: AdamSettings
    ) {
        let tape = Tape(), variables = parameters.variables(on: tape)
        let logits = network(Variable(input), variables)
        let loss = CrossEntropy(logits.tensor, labels: labels, weights: weights)
        let gradients = tape.gradients(of: logits, gradOutput: loss.gradient, for: variables.variables)
        apply(gradients, settings, imagesSeen: imagesSeen + labels.count)
    }
}
