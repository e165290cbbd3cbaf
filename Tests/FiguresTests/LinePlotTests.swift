import Figures
import Testing

@Suite struct LinePlotTests {
    @Test(arguments: [
        (0.0, "0"), (50_000.0, "50,000"), (0.02, "0.02"), (0.001, "0.001"), (0.0005, "5e-4"), (0.0001, "1e-4"),
        (2e-6, "2e-6"), (1.5, "1.5"), (-40.0, "-40"),
    ])
    func `numbers at an axis`(value: Double, text: String) {
        #expect(LinePlot.tick(value) == text)
    }

    /// y of each text, by its words.
    private func heights(_ svg: String) -> [String: Double] {
        svg.matches(of: /<text[^>]*>[^<]*<\/text>/).reduce(into: [:]) { found, match in
            let element = String(match.output)
            guard let y = element.firstMatch(of: /\by="([0-9.]+)"/)?.1,
                let words = element.firstMatch(of: />([^<]*)</)?.1
            else { return }
            found[String(words)] = Double(y)
        }
    }

    private func plot(low: Double, curves count: Int) -> String {
        let curves = (0..<count).map { number in
            LinePlot.Curve(
                name: "curve \(number)", colour: "black", points: [(x: 0, y: low), (x: 100_000, y: 1)], marks: false)
        }
        return LinePlot(
            title: "t",
            panels: [
                LinePlot.Panel(
                    top: 60, height: 260, title: "a title", last: 100_000, isLogarithmic: true, curves: curves)
            ], xLabel: "x"
        ).svg
    }

    @Test func `the names of curves stand below the title, whatever its length`() throws {
        let several = heights(plot(low: 0.01, curves: 2)), one = heights(plot(low: 0.01, curves: 1))
        let title = try #require(several["a title"]), name = try #require(several["curve 1"])
        #expect(name - title >= 14)
        #expect(one["a title"].map { 60 - $0 } == 10)
    }

    @Test func `numbers at a logarithmic axis do not touch each other`() throws {
        for low in [0.3, 0.01, 1e-4, 1e-7] {
            let all = heights(plot(low: low, curves: 1))
            let ticks = all.filter { Double($0.key) != nil && $0.value < 330 }.values.sorted()
            #expect(ticks.count >= 3, "\(low): \(ticks)")
            for (upper, lower) in zip(ticks, ticks.dropFirst()) { #expect(lower - upper >= 14, "\(low): \(ticks)") }
        }
    }
}
