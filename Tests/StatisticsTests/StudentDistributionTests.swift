import Statistics
import Testing

@Suite struct StudentDistributionTests {
    /// scipy 1.17.1: `stats.t.ppf(probability, freedom)`.
    @Test(arguments: [
        (0.975, 1.0, 12.706204736174694), (0.975, 2, 4.302652729749462), (0.975, 10.5, 2.2138402929187886),
        (0.9, 4, 1.533206274058944), (0.995, 200, 2.600634436191558), (0.025, 2, -4.302652729749462),
    ]) func `quantiles are scipy's`(probability: Double, freedom: Double, expected: Double) {
        #expect(abs(StudentDistribution.quantile(probability, freedom: freedom) / expected - 1) < 1e-8)
    }

    /// scipy 1.17.1: `stats.t.sf(t, freedom)`.
    @Test(arguments: [
        (0.5, 1.0, 0.35241638234956674), (2.3, 3.7, 0.04415170034420454), (4, 2, 0.028595479208968315),
        (1.96, 1000, 0.025136592477874368), (12, 5, 3.544746258580761e-05),
    ]) func `tails are scipy's`(t: Double, freedom: Double, expected: Double) {
        #expect(abs(StudentDistribution.upperTail(t, freedom: freedom) / expected - 1) < 1e-10)
        #expect(abs(StudentDistribution.upperTail(-t, freedom: freedom) - (1 - expected)) < 1e-12)
    }
}
