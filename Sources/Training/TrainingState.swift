import Files
import Foundation
import Networks
import TensorCore

/// Everything that changes in training: parameters, their moving average, Adam's moments, and how far it is.
public struct TrainingState: Sendable {
    public package(set) var parameters: ParameterMap
    public internal(set) var ema: ParameterMap
    var moment1: ParameterMap
    var moment2: ParameterMap
    /// Updates taken.
    public internal(set) var step = 0
    public internal(set) var imagesSeen = 0
    /// The lowest validation loss so far, and where it was.
    public internal(set) var bestValidationLoss = Double.infinity
    public internal(set) var bestImagesSeen = 0

    /// A start from random parameters.
    public init(_ specifications: [ParameterSpecification], seed: UInt64) {
        parameters = ParameterMap(specifications, seed: seed)
        ema = parameters
        moment1 = .zeros(specifications)
        moment2 = .zeros(specifications)
    }

    /// One update of all parameters.
    package mutating func apply(_ gradients: [Tensor], _ settings: AdamSettings, imagesSeen: Int) {
        step += 1
        self.imagesSeen = imagesSeen
        for i in gradients.indices {
            adamStep(
                settings, step: step, gradient: gradients[i], parameter: &parameters.tensors[i],
                moment1: &moment1.tensors[i], moment2: &moment2.tensors[i], ema: &ema.tensors[i])
        }
    }

    private static var parts: [(prefix: String, path: WritableKeyPath<TrainingState, ParameterMap>)] {
        [("parameters/", \.parameters), ("ema/", \.ema), ("moment1/", \.moment1), ("moment2/", \.moment2)]
    }

    /// The tensors of a checkpoint.
    func fileTensors() -> [String: Tensor] {
        var result: [String: Tensor] = [:]
        for part in TrainingState.parts {
            for (path, tensor) in self[keyPath: part.path].fileTensors() { result[part.prefix + path] = tensor }
        }
        return result
    }

    /// The numbers of a checkpoint's manifest.
    func numbers() -> [String: Double] {
        var result = ["step": Double(step), "bestImagesSeen": Double(bestImagesSeen)]
        if bestValidationLoss.isFinite { result["bestValidationLoss"] = bestValidationLoss }
        return result
    }

    /// - Throws: `Failure(.badData)` that names tensors which are missing, unexpected or of another shape.
    init(
        _ specifications: [ParameterSpecification], fileTensors: [String: Tensor], numbers: [String: Double],
        imagesSeen: Int, file: String
    ) throws {
        self.init(specifications, seed: 0)
        var rest = fileTensors
        for part in TrainingState.parts {
            let own = rest.filter { $0.key.hasPrefix(part.prefix) }
            for key in own.keys { rest[key] = nil }
            self[keyPath: part.path] = try ParameterMap(
                specifications,
                fileTensors: Dictionary(uniqueKeysWithValues: own.map { (String($0.key.dropFirst(part.prefix.count)), $0.value) }),
                file: "\(file) (\(part.prefix.dropLast()))")
        }
        guard rest.isEmpty else {
            throw Failure(.badData, file, "unexpected tensors: \(rest.keys.sorted().prefix(8).joined(separator: ", "))")
        }
        guard let step = numbers["step"], step >= 0, step <= 1e15, imagesSeen >= 0 else {
            throw Failure(.badData, file, field: "state.step", expected: "a whole number", found: "\(numbers["step"] ?? -1)")
        }
        self.step = Int(step)
        self.imagesSeen = imagesSeen
        bestValidationLoss = numbers["bestValidationLoss"] ?? .infinity
        bestImagesSeen = Int(numbers["bestImagesSeen"] ?? 0)
    }
}
