import CheckpointStore
import Diffusion
import Files
import Models
import Networks
import TensorCore

extension Sampler {
    /// Checks that a batch fits into memory, before the system ends the process for taking too much.
    ///
    /// Where memory is plentiful by any measure, nothing is computed. Otherwise, one picture and two are drawn in a
    /// single step, and memory grows linearly from there.
    /// - Parameter available: the bytes that the process may take.
    /// - Throws: `Failure(.usage)`, which says which batch would fit.
    package func requireRoom(available: Int = MemoryFigures.available) throws {
        let batch = Swift.min(settings.batchSize, samples.count)
        guard batch > 0, keptBytes + batch * generousBytes > available else { return }
        guard keptBytes <= available else { throw refusal(keptBytes, available) }
        // The first picture also fills what is kept from one evaluation to the next, so it is not measured.
        _ = bytes(drawing: 1)
        let one = bytes(drawing: 1), each = batch > 1 ? Swift.max(0, bytes(drawing: 2) - one) : 0
        let available = available - keptBytes, needed = one + (batch - 1) * each
        guard needed > available else { return }
        let largest = one > available ? 0 : 1 + (available - one) / Swift.max(1, each)
        guard largest > 0 else { throw refusal(keptBytes + one, keptBytes + available) }
        throw Failure(
            .usage, model.path, option: "batch",
            expected: "at most \(largest), for which the \(available >> 20) MiB that it may use are enough",
            found: "\(batch), which takes about \(needed >> 20) MiB")
    }

    private func refusal(_ needed: Int, _ available: Int) -> Failure {
        Failure(
            .usage, model.path, field: "memory", expected: "about \(needed >> 20) MiB to draw one sample",
            found: "\(available >> 20) MiB that it may use; take a smaller model")
    }

    /// What the first evaluation makes of the weights and keeps for all others: 36 numbers for the 9 of each 3 x 3
    /// filter.
    private var keptBytes: Int {
        model.parameters.specifications.reduce(0) { total, parameter in
            let isFilter = parameter.shape.count == 4 && parameter.shape.filter { $0 == 3 }.count >= 2
            return total + (isFilter ? 4 * parameter.shape.reduce(1, *) * MemoryLayout<Float>.stride : 0)
        }
    }

    /// More bytes than any network here takes for one picture: 64 numbers for each pixel and channel of the widest
    /// layer.
    private var generousBytes: Int {
        let description = model.manifest.model
        let networks = [description.network] + [description.fine?.network].compactMap(\.self)
        let widest = networks.flatMap(\.blockOutChannels).max() ?? 1
        return description.width * description.height * widest * 64 * MemoryLayout<Float>.stride
    }

    private func bytes(drawing count: Int) -> Int {
        var probe = self
        (probe.position, probe.settings.batchSize, probe.settings.steps) = (0, count, 1)
        return Allocator.systemBytes { _ = probe.next() }
    }
}
