import Classification

/// How long a training step of the classifier of `fovea evaluate` takes: forward, backward and the optimizer.
public struct ClassifierBenchmark: Codable, Sendable {
    public let classifier: Timing
    public let batch: Int, side: Int

    public init(batch: Int, side: Int, repeats: Int) {
        (self.batch, self.side) = (batch, side)
        var configuration = ClassifierConfiguration(classes: 5)
        (configuration.side, configuration.batch) = (side, batch)
        var probe = ClassifierStep(configuration)
        classifier = Timing.of(repeats: repeats) { probe.run() }
    }
}
