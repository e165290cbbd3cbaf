import Files
import TensorCore

// Conversion between our layouts and those of PyTorch, where files are read and written.

extension ParameterMap {
    /// The tensors under their paths, in the layouts that files use.
    public func fileTensors() -> [String: Tensor] { fileSources().mapValues { $0.make() } }

    /// Like `fileTensors`, but each tensor is made only when it is written.
    public func fileSources() -> [String: TensorSource] {
        var result: [String: TensorSource] = [:]
        for (specification, tensor) in zip(specifications, tensors) {
            result[specification.path] = TensorSource(shape: specification.fileShape) {
                specification.layout.toFile(tensor)
            }
        }
        return result
    }

    /// Takes the tensors of a file, which must be exactly those of the specifications.
    ///
    /// - Parameter file: the file's name, for the error.
    /// - Throws: `Failure(.badData)` that names every path that is missing, unexpected or of another shape.
    public init(_ specifications: [ParameterSpecification], fileTensors: consuming [String: Tensor], file: String)
        throws
    {
        var fileTensors = fileTensors
        let known = Set(specifications.map(\.path))
        let missing = specifications.map(\.path).filter { fileTensors[$0] == nil }
        let unexpected = fileTensors.keys.filter { !known.contains($0) }.sorted()
        let mismatched = specifications.compactMap { specification -> String? in
            guard let found = fileTensors[specification.path], found.shape != specification.fileShape else {
                return nil
            }
            return "\(specification.path) (expected \(specification.fileShape), found \(found.shape))"
        }
        func list(_ word: String, _ paths: [String]) -> String? {
            guard !paths.isEmpty else { return nil }
            let more = paths.count > 8 ? " and \(paths.count - 8) more" : ""
            return "\(word): \(paths.prefix(8).joined(separator: ", "))\(more)"
        }
        let problems = [list("missing", missing), list("unexpected", unexpected), list("mismatched", mismatched)]
            .compactMap { $0 }
        guard problems.isEmpty else {
            throw Failure(.badData, file, "tensors do not fit the architecture; \(problems.joined(separator: "; "))")
        }
        // Each tensor of the file is freed before the next is converted, so that its memory is used again.
        var tensors: [Tensor] = []
        for specification in specifications {
            tensors.append(
                specification.layout.fromFile(
                    fileTensors.removeValue(forKey: specification.path) ?? .zeros(specification.fileShape)))
        }
        self.init(specifications, tensors: tensors)
    }
}

extension ParameterLayout {
    func toFile(_ tensor: Tensor) -> Tensor { self == .plain ? tensor : tensor.filtersToFile() }

    func fromFile(_ tensor: Tensor) -> Tensor { self == .plain ? tensor : tensor.filtersFromFile() }
}

/// The tensor with its axes in another order. It is only used on weights, when files are read or written.
public func permuted(_ tensor: Tensor, _ order: [Int]) -> Tensor {
    let shape = order.map { tensor.shape[$0] }
    var strides = [Int](repeating: 1, count: tensor.rank)
    for axis in stride(from: tensor.rank - 2, through: 0, by: -1) {
        strides[axis] = strides[axis + 1] * tensor.shape[axis + 1]
    }
    let steps = order.map { strides[$0] }
    return tensor.withUnsafeBuffer { source in
        Tensor(shape: shape) { target in
            var position = [Int](repeating: 0, count: shape.count)
            var offset = 0
            for i in target.indices {
                target[i] = source[offset]
                for axis in stride(from: shape.count - 1, through: 0, by: -1) {
                    position[axis] += 1
                    offset += steps[axis]
                    if position[axis] < shape[axis] { break }
                    offset -= steps[axis] * shape[axis]
                    position[axis] = 0
                }
            }
        }
    }
}
