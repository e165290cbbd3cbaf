import Files
import Networks
import TensorCore

/// The most memory that a training will hold, known before its first step.
///
/// Two probe steps are taken and discarded: with half a batch and with a whole batch, at most 8 and 16 pictures, and
/// fewer where so many might not fit. From there on, memory grows linearly with the batch. (From one to two pictures it
/// does not, because kernels work differently for so few.)
public struct MemoryEstimate: Sendable {
    /// The bytes that the process holds before the first step, plus those that the averages will take.
    private let before: Int
    /// The pictures of the smaller probe, the bytes that it held, and the bytes of each further picture.
    private let pictures: Int
    private let held: Int
    private let each: Int

    private init(_ trainer: Trainer, before: Int, pictures: Int) {
        self.before = before
        self.pictures = pictures
        held = Allocator.systemBytes { trainer.probe(pictures: pictures) }
        each = max(0, Allocator.systemBytes { trainer.probe(pictures: 2 * pictures) } - held) / pictures
    }

    /// Checks, before any parameter is made, whether parameters, gradients, moments and averages fit into memory at
    /// all.
    ///
    /// - Throws: `Failure(.usage)` where they do not fit.
    static func requireRoom(_ specifications: [ParameterSpecification], averages: Int, available: Int) throws {
        let numbers = specifications.reduce(0.0) { $0 + $1.shape.reduce(1.0) { $0 * Double($1) } }
        let bytes = numbers * Double(MemoryLayout<Float>.stride * (4 + averages))
        guard bytes > Double(available) else { return }
        throw Failure(
            .usage, nil, field: "memory",
            expected: "at least \(Int(bytes / 0x1p20)) MiB for \(Int(numbers)) parameters",
            found: "\(available >> 20) MiB that it may use; take a smaller preset or network")
    }

    /// - Parameter limit: the most bytes that the process may hold.
    /// - Throws: `Failure(.usage)` where the training does not fit; it says what would.
    init(_ trainer: Trainer, limit: Int) throws {
        let batch = trainer.configuration.batchSize
        // Averages and parameters share their memory until the first update. This is measured before the probes,
        // because the C library keeps the probes' memory and uses it again.
        let copies = trainer.state.step == 0 ? trainer.state.averages.count : 0
        let before =
            MemoryFigures.resident + copies * trainer.state.parameters.parameterCount * MemoryLayout<Float>.stride
        let rough = MemoryEstimate(trainer, before: before, pictures: 1)
        // Even the larger probe may be too large, so a rough estimate comes first. It is too high by half at most.
        if rough.bytes(batchSize: min(16, batch)) / 2 > limit { throw rough.refusal(trainer, limit) }
        // A probe itself must fit, and the rough estimate may be too low by a few percent.
        let pictures = [8, 4, 2].first { 2 * $0 <= batch && rough.bytes(batchSize: 2 * $0) <= limit / 4 * 3 }
        self = pictures.map { MemoryEstimate(trainer, before: before, pictures: $0) } ?? rough
        if bytes(batchSize: batch) > limit { throw refusal(trainer, limit) }
    }

    /// The peak in bytes with batches of this many pictures.
    public func bytes(batchSize: Int) -> Int { before + held + (batchSize - pictures) * each }

    private func refusal(_ trainer: Trainer, _ limit: Int) -> Failure {
        let largest = pictures + (limit - before - held) / max(1, each)
        let advice = largest > 0 ? "batchSize: \(largest) would fit" : "no batch fits; take a smaller preset or size"
        let recompute = trainer.configuration.recompute ? "" : "; recompute: true takes less, too"
        return Failure(
            .usage, nil, field: "memory",
            expected: "about \(bytes(batchSize: trainer.configuration.batchSize) >> 20) MiB for this training",
            found: "\(limit >> 20) MiB that it may use; \(advice)\(recompute)")
    }
}
