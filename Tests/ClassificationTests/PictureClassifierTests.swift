import Classification
import Pictures
import Randomness
import Statistics
import Testing

/// Grey discs on black; those of class 1 have a bright spot somewhere. Each has its own exposure.
private func spotted(_ count: Int, shareOfSpots: Double = 0.5, seed: UInt64, side: Int = 32) -> LabelledPictures {
    var pixels: [UInt8] = [], labels: [Int] = []
    for index in 0..<count {
        var random = Philox(seed: seed, stream: .tests, index: UInt64(index))
        let label = Double(index) < shareOfSpots * Double(count) ? 1 : 0, light = 60 + 60 * random.nextUniform()
        let spot = (8 + 16 * random.nextUniform(), 8 + 16 * random.nextUniform())
        for y in 0..<side {
            for x in 0..<side {
                let middle = Double(side) / 2 - 0.5
                let radius = ((Double(x) - middle) * (Double(x) - middle) + (Double(y) - middle) * (Double(y) - middle))
                    .squareRoot()
                let distance =
                    ((Double(x) - spot.0) * (Double(x) - spot.0)
                    + (Double(y) - spot.1) * (Double(y) - spot.1)).squareRoot()
                var value = radius < middle ? light + 8 * random.nextNormal() : 0
                if label == 1, distance < 3 { value += 60 }
                pixels += [UInt8](repeating: UInt8(min(255, max(0, value))), count: 3)
            }
        }
        labels.append(label)
    }
    return LabelledPictures(
        PictureSet(size: side, pixels: pixels, patients: Array(0..<count)), labels: labels)
}

private func small(_ steps: Int = 120) -> ClassifierConfiguration {
    var configuration = ClassifierConfiguration(classes: 2)
    (configuration.side, configuration.steps, configuration.batch, configuration.channels) = (32, steps, 16, 8)
    return configuration
}

private func trained(
    _ configuration: ClassifierConfiguration, on phases: [LabelledPictures], validation: LabelledPictures?
) -> PictureClassifier {
    PictureClassifier.trained(configuration, on: phases, validation: validation) { _ in }
}

private func area(_ classifier: PictureClassifier, on pictures: LabelledPictures) -> Double {
    let scores = classifier.probabilities(of: pictures.pictures).map { $0[1] }
    return RankTest.areaUnderCurve(
        zip(scores, pictures.labels).filter { $1 == 1 }.map(\.0),
        above: zip(scores, pictures.labels).filter { $1 == 0 }.map(\.0))
}

@Suite("A small residual network tells pictures apart")
struct PictureClassifierTests {
    private static let training = spotted(160, seed: 1), validation = spotted(40, seed: 2)
    private static let test = spotted(120, seed: 3)

    @Test("it finds a spot in pictures that it was not trained on, by each way to balance and in two phases")
    func learning() {
        let training = PictureClassifierTests.training, validation = PictureClassifierTests.validation
        for balance in ClassifierConfiguration.Balance.allCases {
            var configuration = small()
            configuration.balance = balance
            let classifier = trained(configuration, on: [training], validation: validation)
            let found = area(classifier, on: PictureClassifierTests.test)
            #expect(found > 0.95, "\(balance): \(found)")
        }
        let phases = trained(small(), on: [training, validation], validation: nil)
        let found = area(phases, on: PictureClassifierTests.test)
        #expect(found > 0.95, "two phases: \(found)")
    }

    @Test("it learns nothing from shuffled labels")
    func shuffled() {
        let training = PictureClassifierTests.training
        var random = Philox(seed: 4, stream: .tests, index: 0)
        let labels = random.permutation(training.count).map { training.labels[$0] }
        let classifier = trained(
            small(), on: [LabelledPictures(training.pictures, labels: labels)], validation: nil)
        let found = area(classifier, on: PictureClassifierTests.test)
        #expect((0.25...0.75).contains(found), "\(found)")
    }

    @Test("probabilities are the same each time, and those of a picture do not depend on the others")
    func same() {
        let training = PictureClassifierTests.training, test = PictureClassifierTests.test.pictures
        let one = trained(small(10), on: [training], validation: nil)
        let other = trained(small(10), on: [training], validation: nil)
        let all = one.probabilities(of: test)
        #expect(all == other.probabilities(of: test))
        #expect(all[7] == one.probabilities(of: test.selecting([7]))[0])
        #expect(all.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-9 })
        var seed = small(10)
        seed.seed = 2
        let third = trained(seed, on: [training], validation: nil)
        #expect(all != third.probabilities(of: test))
    }

    @Test("a rare class is found with balance, and its probabilities are higher for it")
    func rare() {
        let training = spotted(160, shareOfSpots: 0.05, seed: 5)
        func mean(_ balance: ClassifierConfiguration.Balance) -> Double {
            var configuration = small()
            configuration.balance = balance
            let classifier = trained(configuration, on: [training], validation: nil)
            let found = classifier.probabilities(of: PictureClassifierTests.test.pictures).map { $0[1] }
            return found.reduce(0, +) / Double(found.count)
        }
        let none = mean(.none)
        #expect(mean(.weights) > none + 0.05)
        #expect(mean(.resampling) > none + 0.05)
    }

    @Test("a configuration out of range is named")
    func problems() {
        var configuration = ClassifierConfiguration(classes: 2)
        #expect(configuration.problem == nil)
        configuration.side = 60
        #expect(configuration.problem?.contains("side") == true)
        configuration = ClassifierConfiguration(classes: 1)
        #expect(configuration.problem?.contains("classes") == true)
    }
}
