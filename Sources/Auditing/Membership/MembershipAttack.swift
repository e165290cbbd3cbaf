import Diffusion
import Files
import Foundation
import Models
import Training
import Verdicts

/// Asks a model which patients it was trained on. A model denoises the photographs of members better than those of
/// others.
///
/// There are three statistics. Each is a mean over a patient's photographs, and higher for members:
/// - The loss is minus the logarithmic denoising loss at several noise levels, for both mirror images and several
///   noises. It is z-scored by level over all photographs of the test, so that no level counts more than another
///   (Carlini et al. 2023, "Extracting training data from diffusion models", section 5.1; for the levels that carry
///   signal, Matsumoto et al. 2023, "Membership inference attacks against diffusion models").
/// - The single query is one noise at one level. An outsider with a single evaluation can ask it.
/// - The likelihood ratio is the loss statistic for the difference from a reference model that did not see the members.
///   The difference cancels how hard a photograph is for every model (Carlini et al. 2022, "Membership inference
///   attacks from first principles", with one reference in place of many shadow models).
package struct MembershipAttack: Sendable {
    package let model: ModelInMemory
    /// The reference model, which denoises the same pictures in the same space.
    package let reference: ModelInMemory?
    package let configuration: MembershipConfiguration
    package let queries: [MembershipQuery]

    /// - Throws: `Failure(.usage)` where a setting is out of range, or the reference was made for other pictures.
    package init(
        model: ModelInMemory, reference: ModelInMemory? = nil,
        configuration: MembershipConfiguration = MembershipConfiguration()
    ) throws {
        if let problem = configuration.problem { throw Failure(.usage, nil, problem) }
        if let reference {
            let (own, other) = (model.model.description, reference.model.description)
            guard own.latentShape(1) == other.latentShape(1), own.space.name == other.space.name else {
                throw Failure(
                    .usage, nil, field: "reference", expected: "\(own.space.name) of \(own.width) pixels, as the model",
                    found: "\(other.space.name) of \(other.width)")
            }
            guard own.cohort == other.cohort else {
                throw Failure(.usage, nil, field: "reference", expected: "the model's attributes", found: "others")
            }
        }
        self.model = model
        self.reference = reference
        self.configuration = configuration
        let description = model.model.description
        queries = configuration.queries(
            of: model.noiseLevels, flips: model.flips, known: description.sampledSigmas,
            handovers: description.handovers,
            noiseScale: description.space.noiseScale)
    }

    /// What an attack costs.
    package struct Cost: Codable, Hashable, Sendable {
        /// How many photographs go through a network in all.
        package var evaluations: Int
        /// The estimated duration; nil where nothing was timed.
        package var seconds: Double?
    }

    /// The cost of an attack on a number of photographs.
    /// - Parameter sample: photographs of which one batch is timed; nil for no timing.
    package func cost(photographs: Int, timedOn sample: AuditPhotographs? = nil) -> Cost {
        let evaluations = photographs * queries.count * (reference == nil ? 1 : 2)
        guard let sample, sample.count > 0 else { return Cost(evaluations: evaluations, seconds: nil) }
        var small = configuration
        small.batchSize = min(configuration.batchSize, sample.count)
        let some = sample.photographs.first(small.batchSize)
        // The first evaluation also makes buffers, so that it is not timed.
        _ = model.logLosses(of: some, Array(queries.prefix(1)), small) { _ in }
        let clock = ContinuousClock(),
            took = clock.measure { _ = model.logLosses(of: some, Array(queries.prefix(2)), small) { _ in } }
        let each = took.inSeconds / Double(2 * small.batchSize)
        return Cost(evaluations: evaluations, seconds: each * Double(evaluations))
    }

    /// The scores of the patients of each group, standardised over all groups together.
    /// - Parameter report: is given the number of evaluations done and of all. An error that it throws ends the attack.
    /// - Throws: what `report` throws.
    package func scores(of groups: [AuditPhotographs], report: (Int, Int) throws -> Void = { _, _ in }) rethrows
        -> [MembershipScores]
    {
        let pool = TrainingSet(joining: groups.map(\.photographs), size: model.size)
        let all = cost(photographs: pool.count).evaluations
        let own = try model.logLosses(of: pool, queries, configuration) { try report($0, all) }
        let other = try reference?.logLosses(of: pool, queries, configuration) {
            try report($0 + pool.count * queries.count, all)
        }
        let loss = MembershipAttack.levelScores(own, queries)
        let ratio = other.map { other in
            MembershipAttack.levelScores(zip(own, other).map { zip($0, $1).map { $0 - $1 } }, queries)
        }
        var start = 0
        return groups.map { group in
            let range = start..<start + group.count
            start += group.count
            return MembershipScores(
                loss: group.byPatient(Array(loss[range])), singleQuery: group.byPatient(range.map { -own[$0][0] }),
                likelihoodRatio: ratio.map { group.byPatient(Array($0[range])) })
        }
    }

    /// The score of each photograph: minus the mean over levels of the z-score of the photograph's mean at that level.
    /// - Parameter values: [photographs][queries]
    package static func levelScores(_ values: [[Double]], _ queries: [MembershipQuery]) -> [Double] {
        let levels = Dictionary(grouping: queries.indices.filter { queries[$0].level != nil }) {
            queries[$0].level ?? 0
        }.sorted { $0.key < $1.key }.map(\.value)
        var scores = [Double](repeating: 0, count: values.count)
        for columns in levels {
            let means = values.map { row in columns.reduce(0) { $0 + row[$1] } / Double(columns.count) }
            let center = means.reduce(0, +) / Double(max(1, means.count))
            let deviation = (means.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(max(1, means.count)))
                .squareRoot()
            for i in scores.indices { scores[i] -= (means[i] - center) / max(deviation, 1e-12) / Double(levels.count) }
        }
        return scores
    }

    /// Runs the attack.
    /// - Parameters:
    ///   - members: photographs that the model was trained on.
    ///   - nonMembers: photographs of patients that neither the model nor the reference saw.
    /// - Throws: `Failure(.badData)` where a group is empty, and what `report` throws.
    package func run(
        members: AuditPhotographs, nonMembers: AuditPhotographs, report: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> (result: MembershipResult, members: MembershipScores, nonMembers: MembershipScores) {
        let found = try scores(of: [members, nonMembers], report: report), (inside, outside) = (found[0], found[1])
        func statistic(_ path: (MembershipScores) -> [Double]) throws -> MembershipResult.Statistic {
            guard
                let made = MembershipResult.Statistic(
                    members: path(inside), nonMembers: path(outside), resamples: configuration.resamples,
                    seed: configuration.seed)
            else {
                throw Failure(
                    .badData, nil,
                    """
                    membership: expected photographs of members and of non-members, found \(members.count) and \
                    \(nonMembers.count)
                    """
                )
            }
            return made
        }
        let sigmas = Set(queries.filter { $0.level != nil }.map(\.sigma)).sorted()
        let result = MembershipResult(
            configuration: configuration, sigmas: sigmas, singleSigma: queries[0].sigma, members: members.patientCount,
            nonMembers: nonMembers.patientCount,
            evaluations: cost(photographs: members.count + nonMembers.count).evaluations, loss: try statistic(\.loss),
            singleQuery: try statistic(\.singleQuery),
            likelihoodRatio: reference == nil ? nil : try statistic { $0.likelihoodRatio ?? [] })
        return (result, inside, outside)
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
