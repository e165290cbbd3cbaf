import Statistics
import TestFigures
import Testing
import SampleStore
import Verdicts

@Suite struct VerdictTests {
    /// The verdict on passing figures of which one thing is spoilt.
    private func verdict(_ spoil: (inout AuditFigures) throws -> Void = { _ in }) throws -> Verdict {
        var figures = try MadeFigures.passing()
        try spoil(&figures)
        return Verdict(figures)
    }

    private func expect(
        _ verdict: Verdict, _ outcome: Verdict.Outcome, _ reason: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(verdict.outcome == outcome, sourceLocation: sourceLocation)
        #expect(
            verdict.reasons.count == 1 && verdict.reasons[0].contains(reason), "\(verdict.reasons)",
            sourceLocation: sourceLocation)
    }

    @Test func `nothing found by tests that find things is a pass`() throws {
        expect(try verdict(), .pass, "0 of 1000 samples are flagged")
        // Members who are not told from others are none either.
        expect(try verdict { $0.membership = try MadeFigures.membership(ratio: 0) }, .pass, "0 of 1000")
    }

    @Test func `each finding fails by itself`() throws {
        expect(try verdict { $0.flagged.confirmed = 1 }, .fail, "1 of 1000 samples are confirmed copies")
        for place in 0..<3 {
            expect(try verdict { $0.copies[place].excessLowerBound = 1e-6 }, .fail, "more often beyond doubt")
        }
        expect(try verdict { $0.flagged.excessLowerBound = 1e-6 }, .fail, "flagged by some test")
        let some = Rate(hits: 3, count: 1000)
        expect(
            try verdict { ($0.flagged.samples, $0.flagged.samplesUpperBound) = (some, 0.0151) }, .fail,
            "up to 1.51 % could be copies, and the limit is 1.5 %")
        expect(
            try verdict { ($0.flagged.samples, $0.flagged.samplesUpperBound) = (some, 0.015) }, .pass, "at most 1.5 %")
        // Without a hit that is no finding, but too few samples to say so.
        expect(try verdict { $0.flagged.samplesUpperBound = 0.0151 }, .noPower, "samples are too few")
        expect(try verdict { $0.cells[0].samplesLowerBound = 0.02 }, .fail, "dr_icdr 3")
        for membership in [
            try MadeFigures.membership(loss: 40), try MadeFigures.membership(singleQuery: 40),
            try MadeFigures.membership(ratio: 40),
        ] {
            expect(try verdict { $0.membership = membership }, .fail, "the model tells who was in its training")
        }
    }

    @Test func `the limits are the policy's`() throws {
        expect(
            try verdict { ($0.flagged.samplesUpperBound, $0.policy.largestCopyRate) = (0.02, 0.03) }, .pass, "limit 3 %"
        )
        expect(
            try verdict { ($0.membership, $0.policy.largestMembershipAUC) = (try MadeFigures.membership(loss: 40), 1) },
            .pass, "0 of 1000")
        let stricter = try verdict { $0.policy.leastPower = 0.95 }
        #expect(
            stricter.outcome == .noPower && stricter.reasons.count == 2
                && stricter.reasons.allSatisfy { $0.contains("and 95 % are needed") })
    }

    @Test func `C_T fails only where the policy says so`() throws {
        var policy = AuditPolicy()
        #expect(Verdict(try MadeFigures.passing(dataCopying: -9, policy: policy)).outcome == .pass)
        policy.dataCopyingFails = true
        expect(Verdict(try MadeFigures.passing(dataCopying: -3.01, policy: policy)), .fail, "C_T is -3.01")
        #expect(Verdict(try MadeFigures.passing(dataCopying: -2.99, policy: policy)).outcome == .pass)
    }

    @Test func `tests that were not shown to find anything have no power`() throws {
        expect(try verdict { $0.control = nil }, .noPower, "no positive control was run")
        expect(
            try verdict { $0.control?.caught = [.features, .pixels] }, .noPower, "was not caught by Retinal identity")
        expect(try verdict { $0.control?.caught = [.retina] }, .noPower, "was not caught by Copies in feature space")
        for (place, name) in [(1, "Copies in feature space"), (2, "Retinal identity")] {
            // Half of the disguises; plain copies, which are all found, do not count.
            expect(
                try verdict { $0.copies[place].power["flip"] = Rate(hits: 0, count: 30) }, .noPower,
                "\(name) finds 45 % of planted copies at 256 pixels, and 80 % are needed")
            expect(
                try verdict { $0.copies[place].power = ["plain": Rate(hits: 30, count: 30)] }, .noPower,
                "\(name) finds 0 %")
            expect(try verdict { $0.copies.remove(at: place) }, .noPower, "\(name) was not tested")
        }
        // Neither plain nor recompressed copies make up for disguises that are missed: 3 of 4 are found.
        let disguises = Dictionary(
            uniqueKeysWithValues: ["plain", "recompression", "flip", "rotation", "crop"].map {
                ($0, Rate(hits: 30, count: 30))
            })
        let missed = disguises.merging(["half-blend": Rate(hits: 0, count: 30)]) { $1 }
        expect(
            try verdict { $0.copies[1].power = missed }, .noPower,
            "finds 75 % of planted copies at 256 pixels, and 80 % are needed")
        // The pixel test is not asked for power.
        #expect(try verdict { $0.copies[0].power = [:] }.outcome == .pass)
    }

    @Test func `samples that are no photographs and membership that was not tested give no verdict`() throws {
        let noise = RealismFigures(classifierArea: 1, distance: 3.2, holdoutDistance: 0.14)
        expect(try verdict { $0.realism = noise }, .noPower, "are not photographs, so there is nothing to release")
        expect(try verdict { $0.realism = nil }, .noPower, "nobody measured whether the samples are photographs")
        // One of the two alone is no reason: another camera is told apart, and few pictures can lie far by chance.
        let told = RealismFigures(classifierArea: 1, distance: 1.2, holdoutDistance: 0.14)
        let far = RealismFigures(classifierArea: 0.979, distance: 3, holdoutDistance: 0.14)
        for figures in [told, far] { #expect(try verdict { $0.realism = figures }.outcome == .pass) }
        expect(
            try verdict { ($0.realism, $0.policy.largestPhotographDistance) = (noise, 4) }, .pass, "0 of 1000 samples")
        expect(try verdict { $0.membership = nil }, .noPower, "membership was not tested")
        expect(
            try verdict { ($0.membership, $0.policy.membershipLeftOut) = (nil, "the model was deleted") }, .pass,
            "0 of 1000 samples")
        expect(try verdict { $0.training.inLineage = .no }, .noPower, "did not learn from these photographs")
        #expect(try verdict { $0.training.inLineage = .unknown }.outcome == .pass)
        // Audits of fovea 0.1 did not ask.
        var old = try MadeFigures.passing()
        (old.realism, old.membership) = (nil, nil)
        #expect(Verdict(old, version: 1).outcome == .pass && Verdict(old, version: 2).outcome == .noPower)
    }

    @Test func `what was found counts also where power is missing`() throws {
        let found = try verdict {
            $0.control = nil
            $0.copies[2].power = [:]
            $0.flagged.confirmed = 2
        }
        expect(found, .fail, "2 of 1000 samples are confirmed copies")
        let lacking = try verdict { ($0.control, $0.copies[2].power) = (nil, [:]) }
        #expect(lacking.outcome == .noPower && lacking.reasons.count == 2)
    }

    @Test func `figures that are not numbers never pass`() throws {
        #expect(try verdict { $0.flagged.samplesUpperBound = .nan }.outcome != .pass)
        #expect(try verdict { $0.copies[1].excessLowerBound = .nan }.outcome != .pass)
    }
}
