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
        for (number, run) in file.runs.enumerated() {
            let rows = rows.filter { Int(file.runOfSample[$0]) == number }
            guard !rows.isEmpty else { continue }
            guard run.modelDigest == model.digest else {
                throw Failure(
                    .badData, file.path, field: "model of row \(rows[0])", expected: run.modelDigest.description,
                    found: "\(model.digest) (\(model.path))")
            }
            if !run.isOfThisMachine { outcome.mode = .psnr }
            let drawn = Set(model.manifest.model.space.maps.map(\.rawValue))
            if let other = file.structures.first(where: { !drawn.contains($0) }) {
                throw Failure(
                    .badData, file.path, field: "/structure", expected: "a structure that \(model.path) draws",
                    found: other)
            }
            let sampler = try Sampler(
                model, try settings(run, batchSize: batchSize), samples: rows.map { file.planned(row: $0) })
            for batch in sampler {
                let batchRows = rows[batch.start..<batch.start + batch.count], size = batch.pixels.count / batch.count
                let stored = try await file.images(rows: Array(batchRows))
                var maps: [(again: [UInt8], stored: [UInt8])] = []
                for (name, again) in batch.maps where file.structures.contains(name) {
                    maps.append((again, try await file.map(name, rows: Array(batchRows))))
                }
                for (place, row) in batchRows.enumerated() {
                    let range = place * size..<(place + 1) * size
                    let mapRange = place * size / 3..<(place + 1) * size / 3
                    compare(
                        [(Array(batch.pixels[range]), Array(stored[range]))]
                            + maps.map { (Array($0.again[mapRange]), Array($0.stored[mapRange])) },
                        row: row, isSameMachine: run.isOfThisMachine, &outcome)
                }
                progress(outcome.checked)
                try Cancellation.check(
                    "\(outcome.checked) of \(rows.count) samples were compared, \(outcome.failures.count) failed")
            }
        }
        outcome.failures.sort()
        return outcome
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

    private func settings(_ run: RunRecord, batchSize: Int) throws -> SamplerSettings {
        let place = "\(file.path) /runs/schedule"
        let schedule = try JSONText.decode(RecordedSchedule.self, Data(run.schedule.utf8), place: place)
        if let problem = schedule.problem { throw Failure(.badData, place, problem) }
        guard let sampler = SamplerKind(rawValue: run.sampler) else {
            let known = SamplerKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.badData, "\(file.path) /runs/sampler", field: "sampler", expected: known, found: run.sampler)
        }
        var settings = SamplerSettings()
        settings.sampler = sampler
        settings.steps = schedule.steps
        settings.sigmaMin = schedule.sigmaMin
        settings.sigmaMax = schedule.sigmaMax
        settings.sigmaStart = schedule.sigmaStart
        settings.noiseGain = schedule.noiseGain.map { NoiseGain(factor: $0[0], below: $0[1]) }
        settings.autoguidance = schedule.autoguidance.map { Autoguidance(scale: $0[0], levels: $0[1]...$0[2]) }
        settings.rho = schedule.rho
        settings.guidanceScale = run.guidance
        settings.guidanceInterval = schedule.guidanceInterval.map { $0[0]...$0[1] }
        settings.blackensSurround = schedule.surround == RecordedSchedule.blackSurround
        settings.guidedAttributes = schedule.guidedAttributes
        settings.batchSize = batchSize
        if let problem = settings.problem { throw Failure(.badData, place, problem) }
        return settings
    }
}

extension RunRecord {
    /// Whether this process rounds in the same way as the process that made the samples.
    var isOfThisMachine: Bool {
        openBLASVersion == ComputeEnvironment.blasVersion && blasCore == ComputeEnvironment.blasCore
            && kernelISA == ComputeEnvironment.instructionSet
    }
}
