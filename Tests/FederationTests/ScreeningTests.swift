import Federation
import Files
import Support
import TensorCore
import Testing

/// Which updates are unlike the others.
@Suite struct ScreeningTests {
    private let names = ["aachen", "bonn", "celle", "dresden", "essen"]

    /// Cosines of `usual` between each two, and others where `pairs` says so.
    private func cosines(_ usual: Double = 0.5, _ pairs: [(Int, Int, Double)] = [], count: Int = 5) -> [[Double]] {
        var cosines = (0..<count).map { i in (0..<count).map { $0 == i ? 1 : usual } }
        for (i, j, cosine) in pairs { (cosines[i][j], cosines[j][i]) = (cosine, cosine) }
        return cosines
    }

    private func screening(
        norms: [Double] = [1, 1, 1, 1, 1], cosines: [[Double]]? = nil, canary: [Double] = [], baseLoss: Double? = nil
    ) -> Screening {
        Screening(
            names: Array(names.prefix(norms.count)), norms: norms,
            cosines: cosines ?? self.cosines(count: norms.count), canary: canary, baseLoss: baseLoss)
    }

    @Test func `fewer than five sites are measured and not judged`() {
        let few = screening(norms: [2, 2, 200, 4], cosines: cosines(0.5, [(0, 1, -1), (2, 3, 1)], count: 4))
        #expect(few.state == Screening.tooFew && few.outliers.isEmpty)
        // The median of 2, 2, 4, 200 is 3; of 0.5, 0.5, -1 and of 0.5, 0.5, 1 it is 0.5.
        #expect(few.sites.map(\.name) == ["aachen", "bonn", "celle", "dresden"])
        let norms: [Double] = [2 / 3, 2 / 3, 200 / 3, 4 / 3]
        #expect(few.sites.map(\.norm) == norms)
        #expect(few.sites.map(\.cosine) == [0.5, 0.5, 0.5, 0.5])
    }

    @Test func `updates that are alike pass`() throws {
        for usual in [0.9, 0.5, 0.01, -0.1] {
            let honest = screening(
                norms: [0.8, 0.9, 1, 1.1, 2.9], cosines: cosines(usual), canary: [1, 1.1, 0.9, 1.05, 1.4], baseLoss: 1)
            #expect(honest.state == "done" && honest.outliers.isEmpty, "\(usual): \(honest.outliers)")
            try honest.requireNone()
        }
    }

    @Test func `a norm of more than three times the median is named, and one of less than a third`() {
        for (norm, said) in [(3.1, "3.1"), (0.25, "0.25"), (1000, "1e+03")] {
            let found = screening(norms: [1, 1, norm, 1, 1])
            #expect(found.outliers.map(\.name) == ["celle"])
            #expect(found.outliers.first?.reasons == ["norm \(said) times the median"])
        }
        #expect(screening(norms: [1, 1, 2.9, 1, 1]).outliers.isEmpty)
        #expect(screening(norms: [1, 1, 0.35, 1, 1]).outliers.isEmpty)
        // Where all differ by much, 3.5 deviations are further than that: log2 is -2, -1, 0, 1 and 3 or 6.
        #expect(screening(norms: [0.25, 0.5, 1, 2, 8]).outliers.isEmpty)
        #expect(screening(norms: [0.25, 0.5, 1, 2, 64]).outliers.map(\.name) == ["essen"])
        #expect(screening(norms: [0, 0, 0, 0, 1]).outliers.map(\.name) == ["essen"])
    }

    @Test func `an update that points back is named, and one that points aside`() {
        let against = screening(cosines: cosines(0.5, [(1, 0, -0.5), (1, 2, -0.5), (1, 3, -0.5), (1, 4, -0.5)]))
        #expect(against.outliers.map(\.name) == ["bonn"])
        #expect(against.sites[1].reasons == ["cosine -0.5 to the others, whose median is 0.5"])
        let aside = screening(cosines: cosines(0.8, [(4, 0, 0.1), (4, 1, 0.1), (4, 2, 0.1), (4, 3, 0.1)]))
        #expect(aside.sites[4].reasons == ["cosine 0.1 to the others, whose median is 0.8"])
        // A quarter of the median is enough.
        let nearly = screening(cosines: cosines(0.8, [(4, 0, 0.2), (4, 1, 0.2), (4, 2, 0.2), (4, 3, 0.2)]))
        #expect(nearly.outliers.isEmpty)
    }

    @Test func `two updates that are one are named both`() {
        let found = screening(cosines: cosines(0.5, [(0, 3, 0.9995)]))
        #expect(found.outliers.map(\.name) == ["aachen", "dresden"])
        #expect(found.sites[0].reasons == ["cosine 0.99950 to dresden: one may be a copy of the other"])
        #expect(found.sites[3].reasons == ["cosine 0.99950 to aachen: one may be a copy of the other"])
        #expect(screening(cosines: cosines(0.5, [(0, 3, 0.999)])).outliers.isEmpty)
    }

    @Test func `an update that does harm to the canary batch is named, and one that does good is not`() {
        let harm = screening(canary: [1, 1, 1.6, 1, 1], baseLoss: 0.9)
        #expect(harm.outliers.map(\.name) == ["celle"])
        #expect(harm.sites[2].reasons == ["loss 1.6 on the canary batch, where the median is 1 and the base's 0.9"])
        #expect(harm.sites.map(\.canaryLoss) == [1, 1, 1.6, 1, 1])
        #expect(screening(canary: [1, 1, 1.4, 1, 1], baseLoss: 0.9).outliers.isEmpty)
        #expect(screening(canary: [1, 1, 0.1, 1, 1], baseLoss: 0.9).outliers.isEmpty)
        for number in [Double.nan, .infinity] {
            let broken = screening(canary: [1, 1, 1, number, 1])
            #expect(broken.outliers.map(\.name) == ["dresden"], "\(number)")
            #expect(broken.sites[3].reasons.first?.hasSuffix("and the base's unknown") == true)
        }
        #expect(screening().sites.allSatisfy { $0.canaryLoss == nil })
    }

    @Test func `outliers are named in one sentence`() {
        let found = screening(
            norms: [9, 1, 1, 1, 9], cosines: cosines(0.5, [(0, 1, -1), (0, 2, -1), (0, 3, -1), (0, 4, -1)]))
        let failure = expectFailure(.notPermitted, "the screening names aachen, essen: aachen has norm 9 times") {
            try found.requireNone()
        }
        #expect(
            failure?.sentence
                == """
                the screening names aachen, essen: aachen has norm 9 times the median; cosine -1 to the others, whose \
                median is 0.5; nothing was written
                """)
    }

    // MARK: - Cosines of parcels

    private func expectCosines(
        _ found: [[Double]], _ expected: [[Double]], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard found.count == expected.count else {
            Issue.record("\(found.count) rows, expected \(expected.count)", sourceLocation: sourceLocation)
            return
        }
        for i in expected.indices {
            #expect(found[i].count == expected[i].count, sourceLocation: sourceLocation)
            for j in expected[i].indices where j < found[i].count {
                #expect(abs(found[i][j] - expected[i][j]) <= 1e-6, "\(i), \(j)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test func `cosines are those of whole updates, over all tensors`() throws {
        let sites = try HandMadeParcels(), base = HandMadeParcels.base(["v": [1], "w": [2]])
        let paths = try [
            ("aachen", [3, 4, 0]), ("bonn", [0, 0, 2]), ("celle", [-3, -4, 0]), ("dresden", [0, 0, 0]),
        ].map {
            (site: String, numbers: [Float]) in
            try sites.parcel(
                site, ["w": Tensor(Array(numbers[..<2]), shape: [2]), "v": Tensor([numbers[2]], shape: [1])])
        }
        let admission = try sites.admission(paths, base)
        try #require(admission.refused.isEmpty)
        #expect(admission.admitted.map(\.norm) == [5, 2, 5, 0])
        expectCosines(
            try admission.cosines(base), [[1, 0, -1, 0], [0, 1, 0, 0], [-1, 0, 1, 0], [0, 0, 0, 0]])
        let alone = try sites.admission([paths[0]], base)
        expectCosines(try alone.cosines(base), [[1]])
    }

    @Test func `cosines of whole weights are counted from the base's`() throws {
        let sites = try HandMadeParcels()
        let base = HandMadeParcels.base(
            kind: .snapshot, reference: ["w": Tensor([64, -32], shape: [2])], norm: 100)
        let paths = try [("aachen", [67, -28]), ("bonn", [68, -29])].map { (site: String, numbers: [Float]) in
            try sites.parcel(site, ["w": Tensor(numbers, shape: [2])], kind: .snapshot)
        }
        // (3, 4) and (4, 3).
        let admission = try sites.admission(paths, base)
        #expect(admission.admitted.map(\.norm) == [5, 5])
        expectCosines(try admission.cosines(base), [[1, 0.96], [0.96, 1]])
    }
}
