import Diffusion
import Files
import Networks
import Statistics
import TensorCore
import Testing
import Training

@Suite struct TrainingConfigurationTests {
    @Test func filesGoOverDefaults() throws {
        let read = try Configuration.decode(
            "size: 32\nnetwork:\n  normGroups: 8\n", name: "train.yaml", over: TrainingConfiguration())
        var expected = TrainingConfiguration()
        expected.size = 32
        expected.network.normGroups = 8
        #expect(read == expected)
        let again = try Configuration.decode(
            try Configuration.yaml(read), name: "config.yaml", over: TrainingConfiguration())
        #expect(again == read)
    }

    @Test(arguments: [
        ("sise: 32", "unknown key sise"), ("network:\n  widths: [1]", "unknown key network.widths"),
        ("size: large", "size"), ("size: [", "not YAML"), ("size: &x 32\nbatchSize: *x", "anchor"),
        ("network: 3", "network"),
    ])
    func badFilesAreRefused(_ yaml: String, _ says: String) {
        let failure = #expect(throws: Failure.self) {
            try Configuration.decode(yaml, name: "train.yaml", over: TrainingConfiguration())
        }
        #expect(failure?.kind == .badData)
        #expect(failure?.description.contains("train.yaml") == true)
        #expect(failure?.description.contains(says) == true, "\(failure?.description ?? "")")
    }

    @Test func problemsAreNamed() {
        var settings = TrainingConfiguration()
        #expect(settings.problem == nil)
        settings.size = 60
        #expect(settings.problem?.hasPrefix("size: expected 8 to 1024 and a multiple of 8") == true)
        settings = TrainingConfiguration()
        settings.batchSize = 0
        #expect(settings.problem?.hasPrefix("batchSize") == true)
        settings = TrainingConfiguration()
        settings.learningRate = .nan
        #expect(settings.problem?.hasPrefix("learningRate") == true)
    }

    @Test func learningRateWarmsUpAndFalls() {
        let settings = TrainingConfiguration()
        #expect(settings.learningRate(at: 0) == 0)
        #expect(settings.learningRate(at: 1000) == Float(settings.learningRate / 2))
        #expect(settings.learningRate(at: 2000) == Float(settings.learningRate))
        #expect(settings.learningRate(at: 40_000) == Float(settings.learningRate))
        #expect(abs(settings.learningRate(at: 160_000) - Float(settings.learningRate / 2)) < 1e-9)
    }

    /// The weights of a power-function average have the relative deviation that was asked for.
    @Test(arguments: [0.05, 0.1, 0.2]) func averagesHaveTheirLength(_ length: Double) {
        var settings = TrainingConfiguration()
        settings.batchSize = 4
        let steps = 4000
        var weights = [Double](repeating: 0, count: steps + 1)
        for step in 1...steps {
            let kept = Double(settings.averageDecay(length, at: 4 * step))
            for earlier in 0..<step { weights[earlier] *= kept }
            weights[step] = 1 - kept
        }
        #expect(abs(weights.reduce(0, +) - 1) <= 1e-4)
        let times = weights.indices.map { Double($0) / Double(steps) }
        let mean = zip(weights, times).reduce(0) { $0 + $1.0 * $1.1 }
        let variance = zip(weights, times).reduce(0) { $0 + $1.0 * ($1.1 - mean) * ($1.1 - mean) }
        #expect(abs(variance.squareRoot() - length) <= 0.01 * length, "\(variance.squareRoot())")
        // The first step forgets the start.
        #expect(settings.averageDecay(length, at: 4) == 0)
    }

    @Test func spacesBringTheirChannels() throws {
        var settings = TrainingConfiguration()
        settings.size = 256
        settings.use(.wavelet(levels: 2), .small)
        #expect(settings.problem == nil)
        #expect((settings.network.inChannels, settings.network.outChannels) == (48, 48))
        for preset in Preset.allCases {
            settings.use(.wavelet(levels: 3), preset)
            #expect(settings.problem == nil)
            #expect(settings.network.inChannels == 192)
        }
        settings.use(.wavelet(levels: 2), .small)
        #expect(settings.noiseLevels == NoiseLevels(mean: -2, deviation: 1.5))
        #expect(settings.preconditioning.bandWeighting == 0)
        settings.use(.wavelet(levels: 3), .small)
        #expect(settings.noiseLevels == NoiseLevels(mean: -1.8, deviation: 1.7))
        #expect(settings.preconditioning.bandWeighting == 0.5)
        settings.use(.wavelet(levels: 2), .small)
        settings.size = 40
        #expect(settings.problem?.contains("multiple of 32") == true)
        settings.size = 256
        settings.space = .pixels
        #expect(settings.problem?.contains("expected 3") == true)
        let read = try Configuration.decode("space: wavelet-2", name: "train.yaml", over: TrainingConfiguration())
        #expect(read.space == .wavelet(levels: 2))
        let failure = #expect(throws: Failure.self) {
            try Configuration.decode("space: fourier", name: "train.yaml", over: TrainingConfiguration())
        }
        #expect(failure?.description.contains("space") == true && failure?.description.contains("wavelet-2") == true)
    }

    @Test func everyEpochHoldsEachPhotographOnce() {
        let order = TrainingBatch.order(seed: 1, from: 0, count: 30, of: 10)
        for epoch in 0..<3 { #expect(order[epoch * 10..<epoch * 10 + 10].sorted() == Array(0..<10)) }
        #expect(order[0..<10] != order[10..<20])
        // A batch that begins inside an epoch goes on where the last one ended.
        #expect(TrainingBatch.order(seed: 1, from: 7, count: 8, of: 10) == Array(order[7..<15]))
    }

    @Test func mirroringExchangesLaterality() {
        let encoding = CohortEncoding(attributes: ["laterality", "dr_icdr"])
        #expect(encoding.mirrored([.code(0), .code(1)]) == [.code(1), .code(1)])
        #expect(encoding.mirrored([.unknown, .null]) == [.unknown, .null])
    }

    @Test func normalQuantiles() {
        #expect(abs(normalQuantile(0.5)) < 1e-12)
        #expect(abs(normalQuantile(0.975) - 1.959963984540054) < 1e-9)
        #expect(abs(normalQuantile(0.01) + 2.3263478740408408) < 1e-9)
    }
}
