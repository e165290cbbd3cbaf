import Diffusion
import Files
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
        let again = try Configuration.decode(try Configuration.yaml(read), name: "config.yaml", over: TrainingConfiguration())
        #expect(again == read)
    }

    @Test(arguments: [
        ("sise: 32", "unknown key sise"), ("network:\n  widths: [1]", "unknown key network.widths"),
        ("size: large", "size"), ("size: [", "not YAML"), ("size: &x 32\nbatchSize: *x", "anchor"), ("network: 3", "network"),
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

    @Test func averageForgetsHalfInAHalfLife() {
        var settings = TrainingConfiguration()
        settings.emaRampUp = 0
        settings.batchSize = 16
        let steps = Int(settings.emaHalfLifeInImages) / 16
        let kept = (0..<steps).reduce(1.0) { kept, step in kept * Double(settings.emaDecay(at: (step + 1) * 16)) }
        #expect(abs(kept - 0.5) < 1e-4)
        settings.emaRampUp = 0.1
        #expect(settings.emaDecay(at: 16) < 0.01)
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
