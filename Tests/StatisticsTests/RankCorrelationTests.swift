import Statistics
import Testing

@Suite struct RankCorrelationTests {
    /// The values are those of scipy 1.17.1: spearmanr and pearsonr.
    @Test func `correlations are scipy's, with ties, too`() throws {
        let a: [Double] = [0, 1, 2, 3, 4, 0, 1, 2, 3, 4], b = [0.2, 1.9, 1.4, 2.5, 3.9, 0.4, 0.4, 2.2, 3.6, 2.5]
        #expect(abs(try #require(RankCorrelation.spearman(a, b)) - 0.9164481985434293) < 1e-12)
        #expect(abs(try #require(RankCorrelation.pearson(a, b)) - 0.87921085868447) < 1e-12)
        #expect(RankCorrelation.spearman([1, 2, 3], [30, 20, 10]) == -1)
    }

    @Test func `of values that are all the same there is none`() {
        #expect(RankCorrelation.spearman([1, 1, 1], [1, 2, 3]) == nil)
        #expect(RankCorrelation.pearson([], []) == nil)
    }
}
