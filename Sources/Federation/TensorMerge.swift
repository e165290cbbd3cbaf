import CheckpointStore
import Files
import Foundation
import TensorCore

/// Merges the tensors of parcels in float64, in a fixed order, and rounds once. The same parcels give the same bytes on
/// every machine, with any number of threads and in whatever order they are given.
public struct TensorMerge<Model: Codable & Sendable>: Sendable {
    private let parcels: [Parcel<Model>]
    private let settings: MergeRecord.Settings
    private let shares: [Double]
    /// The factor by which each update is multiplied, so that no update is larger than the clip allows.
    private let factors: [Double]
    private let reference: [String: Tensor]?
    /// Separate shares for the rows of some tensors, [rows][parcels].
    private let rowShares: [String: [[Double]]]

    /// How many numbers are merged at a time.
    private static var run: Int { 1 << 16 }

    /// - Parameter rowShares: for the rule `mean`, the shares of the parcels for each row of a tensor [rows, ...], by
    ///   the tensor's name.
    public init(
        _ admission: Admission<Model>, base: MergeBase, settings: MergeRecord.Settings, shares: [Double],
        rowShares: [String: [[Double]]] = [:]
    ) {
        self.rowShares = rowShares
        parcels = admission.admitted.map(\.parcel)
        self.settings = settings
        self.shares = shares
        factors = TensorMerge.clipFactors(admission.admitted.map(\.norm), clip: settings.clip)
        reference = base.reference
    }

    /// The factor for each norm: 1 up to `clip` times the median, and less for a larger norm, which the factor brings
    /// down to that limit (Sun et al. 2019, "Can you really backdoor federated learning?").
    static func clipFactors(_ norms: [Double], clip: Double?) -> [Double] {
        guard let clip, let middle = median(norms.sorted()), middle > 0 else { return norms.map { _ in 1 } }
        return norms.map { $0 > clip * middle ? clip * middle / $0 : 1 }
    }

    /// The median of sorted numbers; nil where there are none.
    static func median(_ sorted: [Double]) -> Double? {
        guard !sorted.isEmpty else { return nil }
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// Merges all tensors.
    /// - Throws: `Failure(.readOrWriteFailed)`; `Failure(.notPermitted)` where a parcel is no longer what was signed;
    ///   `Failure(.badData)` where a parcel lacks a tensor; `Failure(.interrupted)`.
    public func merged() throws -> [String: Tensor] {
        guard let entries = parcels.first?.index.entries else { return [:] }
        nonisolated(unsafe) var results = [Result<Tensor, any Error>?](repeating: nil, count: entries.count)
        let stop = StopFlag()
        results.withUnsafeMutableBufferPointer { target in
            nonisolated(unsafe) let target = target
            parallelFor(entries.count) { number in
                if stop.isRaised { return }
                target[number] = Result { try merged(entries[number].name, shape: entries[number].shape) }
                if case .failure = target[number] { stop.raise() }
            }
        }
        for case .failure(let error)? in results { throw error }
        return Dictionary(
            uniqueKeysWithValues: try zip(entries, results).map { entry, result in
                guard let result else { throw Failure(.interrupted, nil, "the merge was stopped; nothing was written") }
                return (entry.name, try result.get())
            })
    }

    private func merged(_ name: String, shape: [Int]) throws -> Tensor {
        var readers = try parcels.map { try VerifiedTensor($0, name) }
        let result = try Tensor(shape: shape) { target in
            var sums = [Double](repeating: 0, count: TensorMerge.run)
            for start in stride(from: 0, to: target.count, by: TensorMerge.run) {
                let numbers = start..<min(start + TensorMerge.run, target.count)
                let values = settings.rule.countsHeads ? try readers.indices.map { try readers[$0].next(numbers) } : []
                if settings.rule.countsHeads {
                    robust(values, numbers, name, into: &sums)
                } else {
                    for i in numbers.indices { sums[i - start] = 0 }
                    for place in readers.indices {
                        add(try readers[place].next(numbers), place, numbers, name, to: &sums)
                    }
                }
                for i in numbers { target[i] = Float(sums[i - start]) }
            }
        }
        for reader in readers { try reader.finish() }
        return result
    }

    /// Adds a site's numbers times its share to `sums`. The update, which is the difference from the reference, is
    /// clipped first.
    private func add(_ tensor: Tensor, _ place: Int, _ numbers: Range<Int>, _ name: String, to sums: inout [Double]) {
        let share = shares[place], factor = factors[place]
        tensor.withUnsafeBuffer { values in
            sums.withUnsafeMutableBufferPointer { sums in
                if let rows = rowShares[name],
                    let length = parcels[place].table[name].map({ $0.shape.dropFirst().reduce(1, *) })
                {
                    let origin = reference?[name]?.elements
                    for i in values.indices {
                        let number = numbers.lowerBound + i, from = origin.map { Double($0[number]) } ?? 0
                        sums[i] += rows[number / length][place] * (from + factor * (Double(values[i]) - from))
                    }
                    return
                }
                guard factor != 1, let reference = reference?[name] else {
                    for i in values.indices { sums[i] += share * (factor * Double(values[i])) }
                    return
                }
                reference.withUnsafeBuffer { origin in
                    for i in values.indices {
                        let from = Double(origin[numbers.lowerBound + i])
                        sums[i] += share * (from + factor * (Double(values[i]) - from))
                    }
                }
            }
        }
    }

    /// Writes the median or the trimmed mean of each number into `sums`.
    private func robust(_ tensors: [Tensor], _ numbers: Range<Int>, _ name: String, into sums: inout [Double]) {
        let count = tensors.count
        let dropped = settings.rule == .median ? (count - 1) / 2 : TensorMerge.dropped(settings.trim, of: count)
        let origin = reference?[name]?.elements[numbers]
        let all = tensors.map(\.elements)
        var column = [Double](repeating: 0, count: count)
        for i in 0..<numbers.count {
            for place in 0..<count {
                let value = Double(all[place][i]), from = origin.map { Double($0[numbers.lowerBound + i]) } ?? 0
                column[place] = factors[place] == 1 ? value : from + factors[place] * (value - from)
            }
            column.sort()
            var sum = 0.0
            for value in column[dropped..<count - dropped] { sum += value }
            sums[i] = sum / Double(count - 2 * dropped)
        }
    }

    /// How many numbers a trimmed mean drops at each end: at least one where there are three or more, and never all.
    static func dropped(_ trim: Double, of count: Int) -> Int {
        min(max(trim > 0 && count > 2 ? 1 : 0, Int(trim * Double(count))), (count - 1) / 2)
    }
}

/// Reads a tensor of a parcel from its first number to its last, and checks that its bytes are those that were signed.
struct VerifiedTensor<Model: Codable & Sendable> {
    private let parcel: Parcel<Model>
    private let entry: SafetensorsIndex.Entry
    private let expected: Digest
    private var digest = DigestBuilder()

    init(_ parcel: Parcel<Model>, _ name: String) throws {
        guard let entry = parcel.index.entries.first(where: { $0.name == name }), let line = parcel.table[name] else {
            throw Failure(.badData, parcel.path, field: name, expected: "a tensor", found: "none")
        }
        self.parcel = parcel
        self.entry = entry
        expected = line.digest
    }

    /// Reads the next numbers. Each call's range must follow the range of the call before.
    mutating func next(_ numbers: Range<Int>) throws -> Tensor {
        let bytes = try parcel.index.bytes(entry, numbers)
        digest.update(bytes)
        return entry.decoded(bytes, shape: [numbers.count])
    }

    /// Checks the digest after the last number was read.
    /// - Throws: `Failure(.notPermitted)` where the bytes are not those that were signed.
    func finish() throws {
        guard digest.finalize() == expected else {
            throw Failure(
                .notPermitted, parcel.path,
                "was changed while it was merged: \(entry.name.printable) is not what was signed")
        }
    }
}

extension Parcel {
    /// Reads one whole tensor.
    /// - Throws: `Failure(.notPermitted)` where it is no longer what was signed; `Failure(.badData)` where there is no
    ///   such tensor; `Failure(.readOrWriteFailed)`.
    package func tensor(_ name: String) throws -> Tensor {
        var reader = try VerifiedTensor(self, name)
        let shape = table[name]?.shape ?? []
        let tensor = try reader.next(0..<shape.reduce(1, *))
        try reader.finish()
        return tensor.reshaped(shape)
    }
}
