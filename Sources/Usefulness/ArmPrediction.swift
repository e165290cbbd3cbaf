/// What one training of one arm says about pictures: [row][class], probabilities.
package struct ArmPrediction: Codable, Sendable {
    /// Of the validation photographs.
    package let validation: [[Double]]
    /// Of the photographs of each test set.
    package let tests: [[[Double]]]
    /// Of the synthetic pictures; empty where nobody needs it.
    package let synthetic: [[Double]]

    package init(validation: [[Double]], tests: [[[Double]]], synthetic: [[Double]]) {
        (self.validation, self.tests, self.synthetic) = (validation, tests, synthetic)
    }
}

/// All trainings of one arm, one for each seed.
package struct ArmPredictions: Sendable {
    package let arm: Arm
    package let seeds: [ArmPrediction]

    package init(_ arm: Arm, _ seeds: [ArmPrediction]) { (self.arm, self.seeds) = (arm, seeds) }
}
