import Federation
import Testing

/// Shares of a merge.
@Suite struct SharesTests {
    @Test func sharesFollowTheClaims() {
        #expect(Shares.shares([30, 10], caps: [1, 1]) == [0.75, 0.25])
        #expect(Shares.shares([1, 1, 2], caps: [0.5, 0.5, 0.5]) == [0.25, 0.25, 0.5])
    }

    @Test func whatIsCutGoesToTheOthersByTheirClaims() {
        let shares = Shares.shares([1_000_000, 30, 10], caps: [0.5, 0.5, 0.5])
        #expect(shares[0] == 0.5)
        #expect(abs(shares[1] - 0.375) < 1e-12 && abs(shares[2] - 0.125) < 1e-12)
        // A cap that is passed by what was given on is kept, too.
        let again = Shares.shares([100, 50, 1, 1], caps: [0.4, 0.4, 0.5, 0.5])
        #expect(again[0] == 0.4 && again[1] == 0.4)
        #expect(abs(again[2] - 0.1) < 1e-12 && abs(again[3] - 0.1) < 1e-12)
    }

    @Test func oneOrTwoSitesStillMakeAWhole() {
        #expect(Shares.shares([7], caps: [0.5]) == [1])
        #expect(Shares.shares([7, 1], caps: [0.5, 0.5]) == [0.5, 0.5])
        let shares = Shares.shares([7, 1, 1], caps: [0.3, 0.2, 0.1])
        #expect(abs(shares.reduce(0, +) - 1) < 1e-12)
        #expect(abs(shares[0] - 0.5) < 1e-12)
    }
}
