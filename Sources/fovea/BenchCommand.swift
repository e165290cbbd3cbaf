import ArgumentParser
import Benchmarks
import Fovea
import Networks

struct BenchCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Times operations and whole steps: GFLOP/s, share of the machine's sgemm peak, memory.",
        discussion: """
            Operations are counted directly, whatever computes them: a convolution by Winograd can pass the peak. \
            Measure on a machine that does nothing else. Tools/bench/against-pytorch compares with PyTorch, \
            Tools/bench/against-h5py the writer of sample sets (--store) with h5py, Tools/bench/against-faiss the \
            search for nearest neighbours (--neighbors) with faiss.

            Example: fovea bench --preset base --batch 8 --ops
            """)

    @Option(help: "The size of the network.") var preset: Preset = .base
    @Option(help: .value("n", "Pictures a batch.")) var batch = 8
    @Option(help: .value("pixels", "Height and width of the pictures.")) var size = 64
    @Option(help: .value("n", "Channels of the network's input: 3 in pixels, 192 for 256 pixels in wavelet space."))
    var channels = 3
    @Option(help: .value("n", "Runs of each; the median counts.")) var repeats = 7
    @Flag(help: "Every operation, not only whole steps and 3x3 convolutions.") var ops = false
    @Flag(help: "Training steps keep the inputs of blocks alone and compute the rest again.") var recompute = false
    @Option(
        help: .value("s.h5", "Instead: how fast a sample set of 2000 pictures is written there."), completion: .file())
    var store: String?
    @Option(help: .value("n", "With --store: samples.")) var samples = 2000
    @Option(help: .value("level", "With --store: zlib's level, 0 for none.")) var deflate = 1
    @Flag(help: "Instead: the training step of the classifier of fovea evaluate.") var classifier = false
    @Flag(help: "Instead: exact nearest neighbours of random vectors.") var neighbors = false
    @Option(help: .value("n", "With --neighbors: vectors whose neighbours are looked for.")) var probes = 10_000
    @Option(help: .value("n", "With --neighbors: vectors that they are looked for among.")) var gallery = 100_000
    @Option(help: .value("n", "With --neighbors: numbers a vector.")) var width = 512
    @Option(help: .value("k", "With --neighbors: neighbours of each.")) var nearest = 10
    // These options are for the scripts of Tools/bench.
    @Option(help: .hidden) var parcels: String?
    @Option(help: .hidden) var count = 100
    @Option(help: .hidden) var adapter: AdapterOption = .ffa
    @Option(help: .hidden) var exchange: String?
    @Option(help: .hidden) var model: String?
    @OptionGroup var common: CommonOptions

    func job() throws -> BenchJob {
        var job = BenchJob(
            neighbors
                ? .neighbors(probes: probes, gallery: gallery, width: width, nearest: nearest, folder: exchange)
                : classifier
                    ? .classifier(repeats: repeats)
                    : store.map { .store(path: $0, samples: samples, deflate: deflate) }
                        ?? .network(repeats: repeats, recompute: recompute, allOperations: ops))
        (job.preset, job.batch, job.size, job.channels) = (preset, batch, size, channels)
        job.threads = common.threadCount
        return job
    }

    func run() async throws {
        if let parcels {
            return try ParcelMaker(folder: parcels, preset: preset, adapter: adapter.kind).write(count: count)
        }
        guard let exchange, !neighbors else { return try await common.run(try job()) }
        Machine.threads = common.threadCount
        if let model { return try BenchExchange(folder: exchange).probe(model: model) }
        try BenchExchange(folder: exchange).run(preset.configuration(channels: channels), recompute: recompute)
    }
}
