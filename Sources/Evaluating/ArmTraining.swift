import Classification
import Files
import Pictures
import Randomness
import Usefulness

/// Trains the classifiers of all arms, one after the other.
struct ArmTraining {
    private let data: EvaluationData
    private let settings: EvaluationSettings
    let arms: [Arm]

    /// - Throws: `Failure(.usage)` where an arm is not known, or no arm with or without synthetic pictures is left.
    init(_ data: EvaluationData, _ settings: EvaluationSettings) throws {
        self.data = data
        self.settings = settings
        let all = Arm.all(adding: ArmTraining.counts(data, settings))
        if let wrong = settings.arms.first(where: { name in !all.contains { $0.name == name } }) {
            throw Failure(
                .usage, option: "arms", expected: all.map(\.name).joined(separator: ", "), found: "\"\(wrong)\"")
        }
        // The arm `filtered` asks the classifiers of `augmented`.
        let wanted = settings.arms + (settings.arms.contains(Arm.filtered.name) ? [Arm.augmented.name] : [])
        arms = wanted.isEmpty ? all : all.filter { wanted.contains($0.name) }
        guard Set(arms.map(\.isSynthetic)).count == 2 else {
            throw Failure(
                .usage, option: "arms", expected: "at least one with and one without synthetic pictures",
                found: settings.arms.joined(separator: ", "))
        }
    }

    /// The numbers of synthetic pictures that are added, in rising order, without repetition.
    private static func counts(_ data: EvaluationData, _ settings: EvaluationSettings) -> [Int] {
        let all = data.synthetic.count
        let wanted =
            settings.doses.isEmpty
            ? [all / 4, all / 2, all]
            : settings.doses.map { min(all, Int(($0 * Double(data.training.count)).rounded())) }
        return Set(wanted.filter { $0 > 0 }).sorted()
    }

    /// How a classifier of an attribute is trained; mirroring would swap left eyes and right ones.
    static func configuration(
        _ attribute: String, classes: Int, _ settings: EvaluationSettings, seed: Int
    ) -> ClassifierConfiguration {
        var configuration = ClassifierConfiguration(classes: classes)
        (configuration.side, configuration.steps) = (settings.size, settings.steps)
        configuration.mirrors = attribute != "laterality"
        configuration.seed = settings.seed &+ UInt64(seed)
        return configuration
    }

    /// One training of one arm.
    /// - Parameter agreeing: the rows of the synthetic pictures on which a classifier agrees with what was asked.
    func prediction(
        _ arm: Arm, seed: Int, agreeing: [Int], progress: (Double) throws -> Void
    ) rethrows -> ArmPrediction {
        var configuration = ArmTraining.configuration(
            data.task.attribute, classes: data.task.classes.count, settings, seed: seed)
        let training = data.training, synthetic = data.synthetic
        var phases = [training]
        func added(_ rows: [Int]) -> LabelledPictures {
            rows.isEmpty ? training : training.joined(with: synthetic.selecting(rows))
        }
        // Each seed adds others of the pictures.
        func some(_ count: Int) -> [Int] {
            var random = Philox(seed: configuration.seed, stream: .classifierOrder, index: .max >> 16)
            return random.permutation(synthetic.count).prefix(count).sorted()
        }
        switch arm {
        case .real: configuration.augments = false
        case .augmented: break
        case .weighted: configuration.balance = .weights
        case .resampled: configuration.balance = .resampling
        case .added(let count): phases = [added(some(count))]
        case .addedResampled(let count):
            phases = [added(some(count))]
            configuration.balance = .resampling
        case .filtered: phases = [added(agreeing)]
        case .pretrained: phases = [synthetic, training]
        case .syntheticOnly: phases = [synthetic]
        }
        let classifier = try PictureClassifier.trained(
            configuration, on: phases, validation: data.validation.pictures, progress: progress)
        func found(_ pictures: LabelledPictures) -> [[Double]] {
            pictures.count == 0 ? [] : classifier.probabilities(of: pictures.pictures)
        }
        return ArmPrediction(
            validation: found(data.validation.pictures), tests: data.tests.map { found($0.pictures) },
            synthetic: arm == .augmented || arm == .resampled ? found(synthetic) : [])
    }

    /// The rows of the synthetic pictures whose most probable class is the one that was asked for.
    func agreeing(_ prediction: ArmPrediction) -> [Int] {
        data.synthetic.labels.indices.filter {
            prediction.synthetic[$0].indexOfLargest == data.synthetic.labels[$0]
        }
    }
}
