import Randomness
import Statistics
import TensorCore
import Testing
import Verdicts

@Suite struct RocCurveTests {
    /// Whole numbers, so that many are equal.
    private func scores(_ count: Int, shift: Double, index: UInt64, among: Int = 12) -> [Double] {
        var random = Philox(seed: 1, stream: .tests, index: index)
        return (0..<count).map { _ in Double(random.nextInteger(below: among)) + shift }
    }

    @Test(arguments: [0.0, 1, 3, -2, 20]) func `the area counts pairs, equal ones half`(_ shift: Double) {
        let members = scores(37, shift: shift, index: 1), others = scores(53, shift: 0, index: 2)
        var pairs = 0.0
        for member in members { for other in others { pairs += member > other ? 1 : member == other ? 0.5 : 0 } }
        let expected = pairs / (37 * 53), curve = RocCurve(members: members, nonMembers: others)
        #expect(abs(curve.area - expected) <= 1e-12)
        // The trapezoids under the points are the same area.
        var trapezoids = 0.0
        for (a, b) in zip(curve.points, curve.points.dropFirst()) {
            trapezoids += (b.falsePositiveRate - a.falsePositiveRate) * (a.truePositiveRate + b.truePositiveRate) / 2
        }
        #expect(abs(trapezoids - expected) <= 1e-12)
    }

    @Test func `equal scores are worth nothing, and no scores have no area`() {
        #expect(RocCurve(members: [2, 2], nonMembers: [2, 2, 2]).area == 0.5)
        #expect(RocCurve(members: [], nonMembers: [1]).area.isNaN)
        #expect(RocCurve(members: [1], nonMembers: []).areaInterval(resamples: 10, seed: 0) == nil)
    }

    @Test func `the curve goes from nobody to everybody`() {
        let points = RocCurve(members: scores(30, shift: 2, index: 3), nonMembers: scores(40, shift: 0, index: 4))
            .points
        let ends = [points[0], points[points.count - 1]].map { [$0.falsePositiveRate, $0.truePositiveRate] }
        #expect(ends == [[0, 0], [1, 1]] && points.count > 10)
        let isMonotone = zip(points, points.dropFirst()).allSatisfy {
            $0.falsePositiveRate <= $1.falsePositiveRate && $0.truePositiveRate <= $1.truePositiveRate
        }
        #expect(isMonotone)
    }

    @Test func `a rate needs ten non-members beyond its threshold`() throws {
        let members = (0..<10).map { Double($0) * 20 }
        let few = RocCurve(members: members, nonMembers: (0..<99).map(Double.init)),
            enough = RocCurve(members: members, nonMembers: (0..<100).map(Double.init))
        #expect(few.truePositiveRate(atFalsePositiveRate: 0.1) == nil)
        // Ten of a hundred are above 89: the threshold is 90, and 100, 120, ... 180 of the members reach it.
        #expect(enough.truePositiveRate(atFalsePositiveRate: 0.1) == 0.5)
        #expect(enough.truePositiveRate(atFalsePositiveRate: 0.01) == nil)
        let rate = MembershipResult.Rate(enough, at: 0.01)
        #expect(rate.needs == 1000 && rate.text == "not known (takes 1000 others)")
        #expect(MembershipResult.Rate(enough, at: 0.1).text == "50.0 %")
        #expect(MembershipResult.Rate(few, at: 0.001).needs == 10_000)
    }

    @Test func `a tie at the threshold does not let more non-members through`() {
        // A fifth of the non-members share the highest score: no threshold has a rate of 10 % but the one above all.
        let others = [Double](repeating: 5, count: 20) + [Double](repeating: 1, count: 80)
        #expect(RocCurve(members: [5, 5, 6, 6], nonMembers: others).truePositiveRate(atFalsePositiveRate: 0.1) == 0.5)
    }

    @Test func `the interval is the same each time, holds the area, and narrows with more patients`() throws {
        func interval(_ count: Int, seed: UInt64) throws -> (ClosedRange<Double>, Double) {
            let curve = RocCurve(
                members: scores(count, shift: 20, index: 5, among: 100),
                nonMembers: scores(count, shift: 0, index: 6, among: 100))
            return (try #require(curve.areaInterval(resamples: 400, seed: seed)), curve.area)
        }
        let (first, area) = try interval(40, seed: 3)
        let again = try interval(40, seed: 3).0, other = try interval(40, seed: 4).0,
            wider = try interval(400, seed: 3).0
        #expect(first == again)
        #expect(first != other)
        #expect(first.contains(area))
        let width = first.upperBound - first.lowerBound, narrower = wider.upperBound - wider.lowerBound
        #expect(narrower < 0.5 * width)
        // Hanley and McNeil 1982 give an error of 0.06 for such areas and 40 patients each.
        #expect(width > 0.12 && width < 0.4)
    }

    @Test func `the advantage is the largest difference of the rates`() {
        #expect(RocCurve(members: [3, 3, 1, 1], nonMembers: [2, 0, 0, 0]).advantage == 0.75)
        #expect(RocCurve(members: [0, 1], nonMembers: [2, 3]).advantage == 0)
    }

    @Test func `non-members are compared with each other, every other one`() throws {
        let made = try #require(
            MembershipResult.Statistic(members: [9, 9], nonMembers: [4, 1, 4, 1, 4, 1], resamples: 50, seed: 0))
        #expect(made.nonMembersAgainstNonMembers?.value == 1)
        #expect(MembershipResult.Statistic(members: [], nonMembers: [1], resamples: 5, seed: 0) == nil)
    }
}
