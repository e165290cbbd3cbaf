import Auditing
import Diffusion
import Files
import Foundation
import Randomness
import TensorCore
import TestTensors
import Support
import Testing
import Verdicts

@Suite(.serialized) struct MembershipAttackTests {
    private var quick: MembershipConfiguration {
        var configuration = MembershipConfiguration()
        configuration.resamples = 300
        return configuration
    }

    @Test func `a model that learned eight patients by heart tells who they are, and nothing of others`() async throws {
        let phantoms = try await PhantomPatients(patients: 48)
        let model = try await phantoms.model(patients: 0..<8, images: 5_000)
        let members = try await phantoms.photographs(0..<8, of: model),
            others = try await phantoms.photographs(8..<48, of: model)
        let attack = try MembershipAttack(model: model, configuration: quick)
        let (result, inside, outside) = try attack.run(members: members, nonMembers: others)
        #expect(result.loss.area.value >= 0.9, "\(result.loss.area)")
        #expect(inside.loss.count == 8 && outside.loss.count == 40 && result.members == 8 && result.nonMembers == 40)
        let null = try #require(result.loss.nonMembersAgainstNonMembers)
        #expect(null.interval.contains(0.5) && null.value < 0.9, "\(null)")
        #expect(result.loss.rates.map(\.needs) == [100, 1000, 10_000])
        #expect(result.likelihoodRatio == nil)

        // Half of the others in the place of the members.
        let some = try await phantoms.photographs(8..<28, of: model),
            rest = try await phantoms.photographs(28..<48, of: model)
        let fair = try attack.run(members: some, nonMembers: rest).result.loss.area
        #expect(fair.interval.contains(0.5) && fair.value < 0.8, "\(fair)")

        // A reference of others takes nothing away from members, and a model that is its own reference says nothing.
        let reference = try await phantoms.model(patients: 8..<16, images: 2_000)
        let ratio = try MembershipAttack(model: model, reference: reference, configuration: quick).run(
            members: members, nonMembers: rest
        ).result
        #expect(try #require(ratio.likelihoodRatio).area.value >= 0.9)
        let itself = try MembershipAttack(model: model, reference: model, configuration: quick).run(
            members: members, nonMembers: rest
        ).result
        #expect(itself.likelihoodRatio?.area.value == 0.5)
    }

    @Test(.exclusivePool) func `scores are the same on one thread and on two, and again, and another seed's are not`()
        async throws
    {
        let phantoms = try await PhantomPatients(patients: 12, visits: 2)
        let model = try await phantoms.model(patients: 0..<4, images: 160)
        let members = try await phantoms.photographs(0..<4, of: model),
            others = try await phantoms.photographs(4..<12, of: model)
        func scores(threads: Int, seed: UInt64 = 0) throws -> [MembershipScores] {
            ComputeEnvironment.threads = threads
            try #require(ComputeEnvironment.threads == threads)
            var configuration = quick
            configuration.seed = seed
            return try MembershipAttack(model: model, configuration: configuration).scores(of: [members, others])
        }
        let one = try scores(threads: 1), two = try scores(threads: 2), again = try scores(threads: 2),
            other = try scores(threads: 2, seed: 1)
        #expect(one == two)
        #expect(two == again)
        #expect(other != two)
        // Patients, not photographs.
        #expect(
            members.count > members.patientCount && one[0].loss.count == members.patientCount && one[1].loss.count == 8)
    }

    @Test func `a level whose losses are a thousand times as large counts no more than another`() {
        let queries = MembershipConfiguration().queries(of: NoiseLevels(), flips: false, known: 0.002...80)
        #expect(queries.count == 1 + 7 * 2)
        var random = Philox(seed: 0, stream: .tests, index: 9)
        let plain = (0..<20).map { _ in queries.map { _ in random.nextNormal() } }
        let scaled = plain.map { row in zip(queries, row).map { $0.level == 3 ? 1000 * $1 + 5 : $1 } }
        let (a, b) = (MembershipAttack.levelScores(plain, queries), MembershipAttack.levelScores(scaled, queries))
        #expect(a.count == plain.count && b.count == plain.count)
        #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-9 })
        // The single query is no part of it.
        let changed = plain.map { [99] + $0.dropFirst() }
        #expect(MembershipAttack.levelScores(changed, queries) == a)
    }

    @Test func `levels are spread evenly about the training's, within what the model knows`() {
        let queries = MembershipConfiguration().queries(
            of: NoiseLevels(mean: -1, deviation: 1), flips: true, known: 0.1...80)
        #expect(queries.count == 1 + 7 * 2 * 2)
        let single = queries[0]
        #expect(single.level == nil && !single.isMirrored && abs(Double(single.sigma) - exp(-1)) <= 1e-6)
        let sigmas: [Double] = (0..<7).map { level in Double(queries.first { $0.level == level }?.sigma ?? 0) }
        // exp(-2.5) is below what the model knows.
        #expect(sigmas[0] == Double(Float(0.1)))
        let highest = abs(sigmas[6] - exp(0.5)), spacing = abs(log(sigmas[4]) - log(sigmas[3]) - 0.5)
        #expect(highest <= 1e-5 && spacing <= 1e-5)
        // Each level has noises of its own, both mirror images the same.
        #expect(Set(queries.map(\.noise)).count == 15)
    }

    @Test func `a model of three networks is asked at the levels of each`() {
        let queries = MembershipConfiguration().queries(
            of: NoiseLevels(mean: -1.5, deviation: 1.2), flips: false, known: 0.002...10, handovers: [0.1875, 0.025],
            noiseScale: 0.125)
        // Seven levels each, two noises a level, and the single query at 0.3 on pixels.
        #expect(queries.count == 1 + 21 * 2)
        #expect(abs(queries[0].sigma - 0.0375) <= 1e-6 && queries[0].level == nil)
        let sigmas: [Float] = (0..<21).map { level in queries.first { $0.level == level }?.sigma ?? 0 }
        #expect(sigmas[..<7].allSatisfy { $0 > 0.1875 })
        #expect(sigmas[7..<14].allSatisfy { $0 > 0.025 && $0 <= 0.1875 } && sigmas[13] == 0.1875)
        #expect(sigmas[14...].allSatisfy { $0 <= 0.025 } && sigmas[20] == 0.025 && abs(sigmas[14] - 0.002) <= 1e-6)
        #expect(Set(queries.map(\.noise)).count == queries.count)
    }

    @Test func `what it costs is known beforehand`() async throws {
        let phantoms = try await PhantomPatients(patients: 6)
        let model = try await phantoms.model(patients: 0..<2, images: 8)
        let set = try await phantoms.photographs(0..<6, of: model)
        let attack = try MembershipAttack(model: model, reference: model, configuration: quick)
        let cost = attack.cost(photographs: set.count, timedOn: set)
        #expect(cost.evaluations == set.count * 29 * 2)
        #expect(try #require(cost.seconds) > 0)
        var last = 0
        _ = attack.scores(of: [set]) { done, all in
            #expect(done > last && all == cost.evaluations)
            last = done
        }
        #expect(last == cost.evaluations)
    }

    @Test func `settings that make no sense are refused, and groups without a patient`() async throws {
        let phantoms = try await PhantomPatients(patients: 4)
        let model = try await phantoms.model(patients: 0..<2, images: 8)
        var configuration = quick
        configuration.levels = 0
        expectFailure(.usage, "levels: expected ") { try MembershipAttack(model: model, configuration: configuration) }
        let some = try await phantoms.photographs(0..<2, of: model),
            none = try await phantoms.photographs(0..<0, of: model)
        expectFailure(
            .badData, "membership: expected photographs of members and of non-members, found \(some.count) and 0"
        ) {
            try MembershipAttack(model: model, configuration: quick).run(members: some, nonMembers: none)
        }
    }
}
