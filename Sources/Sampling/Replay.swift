import CheckpointStore
import Diffusion
import Files
import Foundation
import Models
import SampleStore
import TensorCore

/// Draws samples again from what a sample set records about them, and compares the results.
public struct Replay {
    /// The way in which pixels were compared.
    public enum Mode: String, Codable, Sendable {
        /// Byte by byte: this machine has the BLAS core, version and kernels with which the samples were made.
        case bitwise
        /// By peak signal-to-noise ratio, because other cores round differently.
        case psnr
    }

    /// The result of a replay.
    public struct Outcome: Sendable {
        public var checked = 0
        public var equal = 0
        public var mode = Mode.bitwise
        /// Rows whose pixels differ from their digest or from the samples that were drawn again.
        public var failures: [Int] = []
        /// The lowest ratio among samples that are not equal byte by byte, in dB.
        public var lowestRatio: Double?
    }

    /// The lowest ratio that samples from another core may have, in dB.
    public static let requiredRatio = 50.0

    private let file: SampleSetFile
    private let model: LoadedModel

    /// A replay of the rows of `file` that `model` drew.
    public init(_ file: SampleSetFile, model: LoadedModel) {
        self.file = file
        self.model = model
    }

    /// The rows that were drawn by this model.
    public var rows: [Int] {
        file.runOfSample.indices.filter { file.runs[Int(file.runOfSample[$0])].modelDigest == model.digest }
    }

    /// Draws rows again and compares them.
    /// - Parameters:
    ///   - rows: rows of the set, in any order.
    ///   - batchSize: the number of samples that are drawn together; results do not depend on it.
    /// - Throws: `Failure`: `.badData` where a row was made by another model or with settings that this version does
    ///   not know; `.usage` for a request that the model does not know; `.interrupted` where the task is cancelled;
    ///   errors of reading.
    public func run(rows: [Int], batchSize: Int = 16, progress: (Int) -> Void = { _ in }) async throws -> Outcome {
        var outcome = Outcome()
        let total = rows.count
        for (number, run) in file.runs.enumerated() {
            let rows = rows.filter { Int(file.runOfSample[$0]) == number }
            guard !rows.isEmpty else { continue }
            guard run.modelDigest == model.digest else {
                throw Failure(
                    .badData, file.path, field: "model of row \(rows[0])", expected: run.modelDigest.description,
                    found: "\(model.digest) (\(model.path))")
            }
            if !run.isOfThisMachine { outcome.mode = .psnr }
            let schedule = try RecordedSchedule(of: run, in: file.path)
            let settings = try SamplerSettings(of: run, in: file.path, batchSize: batchSize)
            let drawn = Set(
                settings.structures(of: model.manifest.model)
                    + (schedule.counterfactual == nil ? [] : [SampleSet.difference]))
            if let other = file.structures.first(where: { !drawn.contains($0) }) {
                throw Failure(
                    .badData, file.path, field: "/structure", expected: "a structure that \(model.path) draws",
                    found: other)
            }
            let plain = rows.filter { file.original(row: $0) == nil }
            let changed = rows.filter { file.original(row: $0) != nil }
            func compared(_ batch: Sampler.Batch, _ rows: [Int]) async throws {
                try await compare(batch, rows, isSameMachine: run.isOfThisMachine, &outcome)
                progress(outcome.checked)
                try Cancellation.check(
                    "\(outcome.checked) of \(total) samples were compared, \(outcome.failures.count) failed")
            }
            if !plain.isEmpty {
                for batch in try Sampler(model, settings, samples: plain.map { file.planned(row: $0) }) {
                    try await compared(batch, Array(plain[batch.start..<batch.start + batch.count]))
                }
            }
            if !changed.isEmpty {
                let sampler = try CounterfactualReplay(file, model, settings, schedule.counterfactual, rows: changed)
                for start in stride(from: 0, to: changed.count, by: batchSize) {
                    let some = Array(changed[start..<min(start + batchSize, changed.count)])
                    try await compared(try await sampler.drawn(some), some)
                }
            }
        }
        outcome.failures.sort()
        return outcome
    }

    /// Compares samples that were drawn again with those of the set.
    private func compare(
        _ batch: Sampler.Batch, _ rows: [Int], isSameMachine: Bool, _ outcome: inout Outcome
    ) async throws {
        let size = batch.pixels.count / batch.count, stored = try await file.images(rows: rows)
        var maps: [(again: [UInt8], stored: [UInt8])] = []
        for (name, again) in batch.maps where file.structures.contains(name) {
            maps.append((again, try await file.map(name, rows: rows)))
        }
        for (place, row) in rows.enumerated() {
            let range = place * size..<(place + 1) * size
            let mapRange = place * size / 3..<(place + 1) * size / 3
            compare(
                [(Array(batch.pixels[range]), Array(stored[range]))]
                    + maps.map { (Array($0.again[mapRange]), Array($0.stored[mapRange])) },
                row: row, isSameMachine: isSameMachine, &outcome)
        }
    }

    /// - Parameter parts: the picture, then its structure maps, each as drawn again and as stored in the set.
    private func compare(
        _ parts: [(again: [UInt8], stored: [UInt8])], row: Int, isSameMachine: Bool, _ outcome: inout Outcome
    ) {
        outcome.checked += 1
        let isIntact = Digest(of: parts[0].stored) == file.digests[row]
        var isEqual = isIntact && parts.allSatisfy { $0.again == $0.stored }
        if isIntact, !isEqual {
            let ratio = parts.map { Replay.ratio($0.again, $0.stored) }.min() ?? 0
            outcome.lowestRatio = min(outcome.lowestRatio ?? .infinity, ratio)
            isEqual = !isSameMachine && ratio >= Replay.requiredRatio
        }
        if isEqual { outcome.equal += 1 } else { outcome.failures.append(row) }
    }

    /// Peak signal-to-noise ratio in dB: 10 log10(255^2 / mean squared difference).
    static func ratio(_ a: [UInt8], _ b: [UInt8]) -> Double {
        let sum = zip(a, b).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
        return sum == 0 ? .infinity : 10 * log10(255 * 255 * Double(a.count) / Double(sum))
    }
}

extension RunRecord {
    /// Whether this process rounds in the same way as the process that made the samples.
    var isOfThisMachine: Bool {
        openBLASVersion == ComputeEnvironment.blasVersion && blasCore == ComputeEnvironment.blasCore
            && kernelISA == ComputeEnvironment.instructionSet
    }
}
