import Files
import Foundation
import Networks
import TensorCore

/// Everything that changes in training: the parameters, their moving averages, Adam's moments, and the progress.
public struct TrainingState: Sendable {
    public package(set) var parameters: ParameterMap
    /// Moving averages of several lengths, in the order of `TrainingConfiguration.averageLengths`.
    public internal(set) var averages: [ParameterMap]
    /// The index of the average with the lowest loss in the last validation.
    public internal(set) var chosenAverage = 0
    var moment1: ParameterMap
    var moment2: ParameterMap
    /// The number of updates so far.
    public internal(set) var step = 0
    public internal(set) var imagesSeen = 0
    /// The lowest validation loss so far; `bestImagesSeen` says when it was measured.
    public internal(set) var bestValidationLoss = Double.infinity
    public internal(set) var bestImagesSeen = 0

    /// The state before the first step, with `parameters` or random values.
    public init(
        _ specifications: [ParameterSpecification], seed: UInt64, averages count: Int, parameters: ParameterMap? = nil
    ) {
        self.parameters = parameters ?? ParameterMap(specifications, seed: seed)
        averages = [ParameterMap](repeating: self.parameters, count: count)
        moment1 = .zeros(specifications)
        moment2 = .zeros(specifications)
    }

    /// Takes over Adam's moments from another training of the same parameters. Without moments, Adam's first steps
    /// follow the sign of each gradient, whatever its size. If every site began a round with such steps, they would add
    /// noise to the merge.
    /// - Throws: `Failure(.badData)` that names tensors which are missing, unexpected or of another shape.
    mutating func takeMoments(fileTensors: [String: Tensor], numbers: [String: Double], file: String) throws {
        for (prefix, path) in [("moment1/", \TrainingState.moment1), ("moment2/", \.moment2)] {
            let own = fileTensors.filter { $0.key.hasPrefix(prefix) }.map {
                (String($0.key.dropFirst(prefix.count)), $0.value)
            }
            self[keyPath: path] = try ParameterMap(
                parameters.specifications, fileTensors: Dictionary(uniqueKeysWithValues: own),
                file: "\(file) (\(prefix.dropLast()))")
        }
        step = Int(max(0, min(1e15, numbers["step"] ?? 0)))
    }

    /// One update of all parameters.
    package mutating func apply(_ gradients: [Tensor], _ settings: AdamSettings, imagesSeen: Int) {
        step += 1
        self.imagesSeen = imagesSeen
        let none = Tensor.zeros([0])
        for i in gradients.indices {
            // The averages are moved out and put back, so that nobody else holds them while they change in place.
            var each = averages.indices.map { k in
                defer { averages[k].tensors[i] = none }
                return averages[k].tensors[i]
            }
            adamStep(
                settings, step: step, gradient: gradients[i], parameter: &parameters.tensors[i],
                moment1: &moment1.tensors[i], moment2: &moment2.tensors[i], averages: &each)
            for k in averages.indices { averages[k].tensors[i] = each[k] }
        }
    }

    /// The average with the lowest loss in the last validation.
    var average: ParameterMap { averages[chosenAverage] }

    private var parts: [(prefix: String, path: WritableKeyPath<TrainingState, ParameterMap>)] {
        [("parameters/", \.parameters), ("moment1/", \.moment1), ("moment2/", \.moment2)]
            + averages.indices.map { ("average-\($0)/", \.averages[$0]) }
    }

    /// The tensors of a checkpoint.
    func fileSources() -> [String: TensorSource] {
        var result: [String: TensorSource] = [:]
        for part in parts {
            for (path, source) in self[keyPath: part.path].fileSources() { result[part.prefix + path] = source }
        }
        return result
    }

    /// The numbers of a checkpoint's manifest.
    func numbers() -> [String: Double] {
        var result = [
            "step": Double(step), "bestImagesSeen": Double(bestImagesSeen), "chosenAverage": Double(chosenAverage),
        ]
        if bestValidationLoss.isFinite { result["bestValidationLoss"] = bestValidationLoss }
        return result
    }

    /// - Throws: `Failure(.badData)` that names tensors which are missing, unexpected or of another shape, or a number
    ///   of the state that is wrong.
    init(
        _ specifications: [ParameterSpecification], averages count: Int, fileTensors: [String: Tensor],
        numbers: [String: Double], imagesSeen: Int, file: String
    ) throws {
        self.init(specifications, seed: 0, averages: count)
        var rest = fileTensors
        for part in parts {
            let own = rest.filter { $0.key.hasPrefix(part.prefix) }
            for key in own.keys { rest[key] = nil }
            self[keyPath: part.path] = try ParameterMap(
                specifications,
                fileTensors: Dictionary(
                    uniqueKeysWithValues: own.map { (String($0.key.dropFirst(part.prefix.count)), $0.value) }),
                file: "\(file) (\(part.prefix.dropLast()))")
        }
        guard rest.isEmpty else {
            throw Failure(.badData, file, "unexpected tensors: \(rest.keys.sorted().prefix(8).joined(separator: ", "))")
        }
        guard let step = numbers["step"], step >= 0, step <= 1e15, imagesSeen >= 0 else {
            throw Failure(
                .badData, file, field: "state.step", expected: "a whole number", found: "\(numbers["step"] ?? -1)")
        }
        let chosen = numbers["chosenAverage"] ?? -1
        guard (0..<Double(count)).contains(chosen) else {
            throw Failure(
                .badData, file, field: "state.chosenAverage", expected: "0 to \(count - 1)", found: "\(chosen)")
        }
        chosenAverage = Int(chosen)
        self.step = Int(step)
        self.imagesSeen = imagesSeen
        bestValidationLoss = numbers["bestValidationLoss"] ?? .infinity
        bestImagesSeen = Int(numbers["bestImagesSeen"] ?? 0)
    }
}
