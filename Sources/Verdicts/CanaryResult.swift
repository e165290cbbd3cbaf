import CheckpointStore
import Foundation
import Statistics

/// What the canaries of a model tell.
package struct CanaryResult: Codable, Hashable, Sendable {
    /// One choice of how many guesses are made.
    package struct Guesses: Codable, Hashable, Sendable {
        /// The highest scores, guessed to be included, and as many of the lowest, guessed not to be.
        package var each: Int
        package var correct: Int
        /// The lower bound on epsilon at the significance of one of several choices (Bonferroni).
        package var epsilon: Double
    }

    /// ln base 2 of how far up a canary ranks among those that were not trained on (Carlini et al. 2019, "The secret
    /// sharer", definition 2).
    package struct Exposure: Codable, Hashable, Sendable {
        /// Over included canaries, in bits.
        package var mean: Double
        package var median: Double
        package var largest: Double
        /// What a canary has that ranks above all others.
        package var limit: Double
        /// What canaries have on the average that rank as others do, about 1.44.
        package var meaningless: Double
    }

    package var canaries: CanaryRecord
    package var delta: Double
    package var confidence: Double
    /// The best lower bound on epsilon, valid at `confidence` for all choices together; nil for repeated canaries, of
    /// which the definition of differential privacy does not speak as of one patient.
    package var epsilon: Double?
    package var guesses: [Guesses]?
    package var exposure: Exposure
    package var area: MembershipResult.Area
}

extension CanaryResult {
    /// Shares of the canaries that are guessed at, half of them included: declared before any score is seen.
    package static let guessedShares = [0.1, 0.25, 0.5, 1]

    /// - Parameters:
    ///   - scores: one a canary, higher where it seems to be included.
    ///   - isIncluded: what the coins said. Of both kinds.
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

    /// log2 |R| - log2 rank, where R holds the canary and all that were not trained on; equal scores rank above it.
    package static func exposure(_ score: Double, among others: [Double]) -> Double {
        log2(Double(others.count + 1)) - log2(Double(1 + others.count { $0 >= score }))
    }

    /// Algorithm 1 of Steinke et al. 2023 with each of the declared numbers of guesses, its significance divided among
    /// them.
    package static func guesses(scores: [Double], isIncluded: [Bool], delta: Double, significance: Double) -> [Guesses]
    {
        // Equal scores keep the canaries' order, which knows nothing of the coins.
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
