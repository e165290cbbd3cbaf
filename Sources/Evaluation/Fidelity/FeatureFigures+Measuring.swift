import Randomness
import Statistics
import TensorCore

extension FeatureFigures {
    /// The number of random halves.
    private static let halves = 20
    /// The most pictures of each group; of more, so many are drawn at random.
    package static let mostPictures = 1000
    /// The resamples of the kernel distance.
    private static let resamples = 500
    /// Standardised features beyond this are cut, so that one odd picture does not decide.
    private static let cut = 10.0
    /// Rounds of the random numbers that no half takes.
    private static let choosingPhotographs = 1_000_001, choosingSynthetic = 1_000_002, choosingEqually = 1_000_003
    /// The round of the folds of the first halves; those of the others follow.
    fileprivate static let foldsOfHalves = 2_000_000

    /// Rows do not depend on the order in which they are given.
    /// - Parameters:
    ///   - isRadiomic: whether the Fréchet radiomic distance is calculated.
    ///   - isStandardised: whether features are brought to mean 0 and deviation 1 of the photographs.
    /// - Returns: nil where the photographs are all alike.
    init?(
        photographs: FeatureRows, patients: [Int], synthetic: FeatureRows, isRadiomic: Bool, isStandardised: Bool,
        seed: UInt64
    ) {
        let real = PatientRows(photographs, patients).limited(seed: seed, round: Self.choosingPhotographs)
        let fake = PatientRows(synthetic, Array(0..<synthetic.count), isOrderedByRows: true).limited(
            seed: seed, round: Self.choosingSynthetic)
        let scale = Standardisation(real.rows, constants: .leftOut)
        guard scale.width > 0 else { return nil }
        func scaled(_ rows: FeatureRows) -> FeatureRows {
            isStandardised ? scale.applied(to: rows, cut: Self.cut) : rows
        }
        let own = scaled(real.rows), others = scaled(fake.rows)

        var rounds = [Round?](repeating: nil, count: Self.halves)
        rounds.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let target = buffer
            parallelFor(Self.halves) { round in
                let halves = PatientHalves(
                    patients: real.patients, synthetic: fake.rows.count, seed: seed, round: round)
                target[round] = Round(
                    halves, photographs: own, patients: real.patients, synthetic: others, seed: seed, round: round,
                    unscaled: isRadiomic ? (real.rows, fake.rows) : nil)
            }
        }
        let all = rounds.compactMap(\.self)
        func compared(_ figure: (Round.Side) -> Double) -> FigureBesideFloor {
            FigureBesideFloor(
                value: Self.spread(all.map { figure($0.synthetic) }), floor: Self.spread(all.map { figure($0.other) }))
        }
        picturesInHalf = all.map(\.count).min() ?? 0
        let distance = KernelDistance(own, others)
        kernelDistance = FigureBesideFloor(
            value: Self.estimate(distance, real.patients, fake.rows.count, seed: seed),
            floor: Self.spread(all.map(\.other.kernel)))
        frechetDistance = compared(\.frechet)
        let hasRadiomic = all.allSatisfy { $0.synthetic.radiomic != nil && $0.other.radiomic != nil }
        radiomicDistance = hasRadiomic ? compared { $0.radiomic ?? 0 } : nil
        precision = compared(\.coverage.precision)
        recall = compared(\.coverage.recall)
        density = compared(\.coverage.density)
        coverage = compared(\.coverage.coverage)
        nearestIsSynthetic = compared(\.nearest)
        variety = compared(\.variety)
        classifierArea = FigureBesideFloor(
            value: Self.classifierArea(own, real.patients, others, seed: seed), floor: Self.spread(all.map(\.area)))
    }

    /// The mean and the middle 95 %.
    private static func spread(_ values: [Double]) -> Estimate {
        let sorted = values.sorted()
        return Estimate(value: sorted.mean, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975))
    }

    private static func estimate(
        _ distance: KernelDistance, _ patients: [Int], _ synthetic: Int, seed: UInt64
    ) -> Estimate {
        let groups = Dictionary(grouping: patients.indices) { patients[$0] }.sorted { $0.key < $1.key }.map(\.value)
        let interval = Bootstrap.interval([groups.count, synthetic], resamples: resamples, seed: seed) { drawn in
            var first = [Double](repeating: 0, count: patients.count)
            var second = [Double](repeating: 0, count: synthetic)
            for group in drawn[0] { for row in groups[group] { first[row] += 1 } }
            for row in drawn[1] { second[row] += 1 }
            return distance.value(first, second)
        }
        return Estimate(value: distance.value, low: interval.low, high: interval.high)
    }

    private static func classifierArea(
        _ photographs: FeatureRows, _ patients: [Int], _ synthetic: FeatureRows, seed: UInt64
    ) -> Estimate {
        var random = Philox(seed: seed, stream: .evaluationHalves, index: UInt64(choosingEqually))
        let count = min(photographs.count, synthetic.count)
        let rows = Array(random.permutation(photographs.count).prefix(count))
        let others = Array(random.permutation(synthetic.count).prefix(count))
        let groups = rows.map { patients[$0] }, above = (patients.max() ?? 0) + 1
        // Each synthetic picture is a group of its own.
        let ownGroups = others.map { above + $0 }
        let classifier = CrossValidatedClassifier(
            first: photographs.selecting(rows), groups: groups, second: synthetic.selecting(others),
            secondGroups: ownGroups, seed: seed, round: choosingEqually + 1)
        return classifier.estimate(groups: groups + ownGroups, seed: seed)
    }
}

/// The figures of one division of the photographs.
private struct Round {
    /// A half of the photographs against other pictures.
    struct Side {
        let kernel: Double, frechet: Double, nearest: Double, variety: Double
        let radiomic: Double?
        let coverage: Coverage

        init(_ half: FeatureRows, _ patients: [Int], _ others: FeatureRows, unscaled: (FeatureRows, FeatureRows)?) {
            kernel = FeatureDistance.kernel(half, others)
            frechet = FeatureDistance.frechet(half, others)
            radiomic = unscaled.flatMap { FeatureDistance.radiomic(photographs: $0, $1) }
            coverage = Coverage(photographs: half, samples: others)
            nearest = shareWithNearestAmong(others, photographs: half, patients: patients)
            variety = vendiScore(others)
        }
    }

    /// The first half against synthetic pictures and against the second half.
    let synthetic: Side, other: Side
    /// How well the halves are told apart.
    let area: Double
    let count: Int

    init(
        _ halves: PatientHalves, photographs: FeatureRows, patients: [Int], synthetic: FeatureRows, seed: UInt64,
        round: Int, unscaled: (photographs: FeatureRows, synthetic: FeatureRows)?
    ) {
        let first = photographs.selecting(halves.first), second = photographs.selecting(halves.second)
        let firstPatients = halves.first.map { patients[$0] }, secondPatients = halves.second.map { patients[$0] }
        self.synthetic = Side(
            first, firstPatients, synthetic.selecting(halves.synthetic),
            unscaled: unscaled.map {
                ($0.photographs.selecting(halves.first), $0.synthetic.selecting(halves.synthetic))
            })
        other = Side(
            first, firstPatients, second,
            unscaled: unscaled.map {
                ($0.photographs.selecting(halves.first), $0.photographs.selecting(halves.second))
            })
        area =
            CrossValidatedClassifier(
                first: first, groups: firstPatients, second: second, secondGroups: secondPatients, seed: seed,
                round: FeatureFigures.foldsOfHalves + round
            ).area
        count = halves.first.count
    }
}
