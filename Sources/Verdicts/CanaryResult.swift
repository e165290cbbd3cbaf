import CheckpointStore
import Foundation
import Statistics

/// What the canaries of a model show.
package struct CanaryResult: Codable, Hashable, Sendable {
    /// The result for one choice of the number of guesses.
    package struct Guesses: Codable, Hashable, Sendable {
        /// How many of the highest scores are guessed to be included. As many of the lowest are guessed not to be.
        package var each: Int
        package var correct: Int
        /// The lower bound on epsilon. The significance is divided among the choices (Bonferroni).
        package var epsilon: Double
    }

    /// How far up the included canaries rank among canaries that were not trained on, as a logarithm to base 2
    /// (Carlini et al. 2019, "The secret sharer", definition 2).
    package struct Exposure: Codable, Hashable, Sendable {
        /// The mean over included canaries, in bits.
        package var mean: Double
        package var median: Double
        package var largest: Double
        /// The exposure of a canary that ranks above all others.
        package var limit: Double
        /// The mean exposure of canaries that rank by chance, about 1.44.
        package var meaningless: Double
    }

    package var canaries: CanaryRecord
    package var delta: Double
    package var confidence: Double
    /// The best lower bound on epsilon, valid at `confidence` for all choices together. Nil for repeated canaries,
    /// which the definition of differential privacy does not treat as one patient.
    package var epsilon: Double?
    package var guesses: [Guesses]?
    package var exposure: Exposure
    package var area: MembershipResult.Area
}

extension CanaryResult {
    /// The shares of the canaries that are guessed at, half of them as included. They are fixed before any score is
    /// seen.
    package static let guessedShares = [0.1, 0.25, 0.5, 1]

    /// The result is nil where all canaries, or none of them, were included.
    /// - Parameters:
    ///   - scores: one score for each canary, higher where it seems to be included.
    ///   - isIncluded: whether each canary was included.
    package init?(
        scores: [Double], isIncluded: [Bool], record: CanaryRecord, delta: Double = 0, confidence: Double = 0.95,
        resamples: Int = 1000, seed: UInt64 = 0
    ) {
        let inside = scores.indices.filter { isIncluded[$0] }.map { scores[$0] },
            outside = scores.indices.filter { !isIncluded[$0] }.map { scores[$0] }
        guard
            let area = MembershipResult.Area(
                RocCurve(members: inside, nonMembers: outside), resamples: resamples, seed: seed)
        else { return nil }
        self.area = area
        canaries = record
        self.delta = delta
        self.confidence = confidence
        let exposures = inside.map { CanaryResult.exposure($0, among: outside) }.sorted()
        let candidates = Double(outside.count + 1)
        exposure = Exposure(
            mean: exposures.reduce(0, +) / Double(exposures.count), median: exposures[exposures.count / 2],
            largest: exposures[exposures.count - 1],
            limit: log2(candidates),
            meaningless: (1...outside.count + 1).reduce(0) { $0 + log2(candidates) - log2(Double($1)) } / candidates)
        guard record.repetitions == 1 else { return }
        let made = CanaryResult.guesses(
            scores: scores, isIncluded: isIncluded, delta: delta, significance: 1 - confidence)
        guesses = made
        epsilon = made.map(\.epsilon).max() ?? 0
    }

    /// log2 |R| - log2 rank, where R holds the canary and all canaries that were not trained on. Others with an equal
    /// score rank above the canary.
    package static func exposure(_ score: Double, among others: [Double]) -> Double {
        log2(Double(others.count + 1)) - log2(Double(1 + others.count { $0 >= score }))
    }

    /// Algorithm 1 of Steinke et al. 2023 for each of `guessedShares`, among which the significance is divided.
    package static func guesses(scores: [Double], isIncluded: [Bool], delta: Double, significance: Double) -> [Guesses]
    {
        // Equal scores keep the order of the canaries, which does not depend on the coins.
        let order = scores.indices.sorted { (scores[$0], $1) > (scores[$1], $0) }
        return guessedShares.map { share in
            let each = max(1, Int(share * Double(scores.count) / 2))
            let correct = order.prefix(each).count { isIncluded[$0] } + order.suffix(each).count { !isIncluded[$0] }
            let epsilon = OneRunBound.epsilon(
                examples: scores.count, guesses: 2 * each, correct: correct, delta: delta,
                significance: significance / Double(guessedShares.count))
            return Guesses(each: each, correct: correct, epsilon: epsilon)
        }
    }
}
