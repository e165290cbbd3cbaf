import Randomness
import TensorCore

/// How a parameter is laid out in memory here, and in files, which use PyTorch's layouts.
public enum ParameterLayout: Hashable, Sendable {
    /// [k, k, in, out] here, [out, in, k, k] in files.
    case convolution
    /// [in, out] here, [out, in] in files.
    case linear
    /// The same here and in files: vectors, and tables of embeddings [rows, width].
    case plain
}

/// The distribution of a parameter's first values.
public enum Initialization: Hashable, Sendable {
    /// Uniform in (-1/sqrt(fanIn), 1/sqrt(fanIn)), PyTorch's default for convolutions and linear layers.
    case uniform(fanIn: Int)
    /// Normal with mean 0 and this standard deviation.
    case normal(deviation: Float)
    case constant(Float)
}

/// A parameter's path, shape and layout, and the distribution of its first values.
public struct ParameterSpecification: Hashable, Sendable {
    public let path: String
    public let shape: [Int]
    public let layout: ParameterLayout
    public let initialization: Initialization

    /// The shape that files use.
    public var fileShape: [Int] {
        switch layout {
        case .convolution: [shape[3], shape[2], shape[0], shape[1]]
        case .linear: [shape[1], shape[0]]
        case .plain: shape
        }
    }
}

/// Collects parameters while a network is built. A parameter's number is its place in the order of registration.
public final class ParameterRegistry {
    public private(set) var specifications: [ParameterSpecification] = []
    private var paths: Set<String> = []
    private var prefix = ""

    public init() {}

    /// Registers what `body` builds under paths that begin with `prefix`.
    public func nested<Network>(_ prefix: String, _ body: (ParameterRegistry) -> Network) -> Network {
        let before = self.prefix
        self.prefix = before + prefix
        defer { self.prefix = before }
        return body(self)
    }

    /// The number of registered parameters, which is the number of the next parameter.
    var count: Int { specifications.count }

    /// Registers a parameter under `prefix + path` and returns its number.
    public func register(
        _ path: String, _ shape: [Int], _ layout: ParameterLayout, _ initialization: Initialization
    ) -> Int {
        let path = prefix + path
        if !paths.insert(path).inserted { fatalError("parameter \(path) is registered twice") }
        specifications.append(
            ParameterSpecification(path: path, shape: shape, layout: layout, initialization: initialization))
        return specifications.count - 1
    }
}

/// The values of a network's parameters, in the order of registration. The optimizer, the moving average, checkpoints
/// and merges all use this type.
public struct ParameterMap: Sendable {
    public let specifications: [ParameterSpecification]
    public var tensors: [Tensor]

    public init(_ specifications: [ParameterSpecification], tensors: [Tensor]) {
        if specifications.map(\.shape) != tensors.map(\.shape) {
            fatalError("ParameterMap: \(tensors.count) tensors do not fit \(specifications.count) specifications")
        }
        self.specifications = specifications
        self.tensors = tensors
    }

    /// Values drawn from `seed`. A parameter's values depend only on the seed and on the parameter's number.
    public init(_ specifications: [ParameterSpecification], seed: UInt64) {
        self.specifications = specifications
        tensors = specifications.enumerated().map { number, specification in
            var random = Philox(seed: seed, stream: .parameters, index: UInt64(number))
            return Tensor(shape: specification.shape) { buffer in
                switch specification.initialization {
                case .constant(let value):
                    buffer.update(repeating: value)
                case .uniform(let fanIn):
                    let bound = 1 / Double(fanIn).squareRoot()
                    for i in buffer.indices { buffer[i] = Float((2 * random.nextUniform() - 1) * bound) }
                case .normal(let deviation):
                    random.fillNormal(buffer)
                    for i in buffer.indices { buffer[i] *= deviation }
                }
            }
        }
    }

    /// A parameter map of zeros.
    public static func zeros(_ specifications: [ParameterSpecification]) -> ParameterMap {
        ParameterMap(specifications, tensors: specifications.map { .zeros($0.shape) })
    }

    /// The number of values in all parameters.
    public var parameterCount: Int { tensors.reduce(0) { $0 + $1.count } }

    /// The parameters as constants, for inference.
    ///
    /// - Parameter reused: whether they are used many times. Convolutions then keep what they derive from their
    ///   weights, which takes up to five times the weights' memory.
    public func constants(reused: Bool = false) -> BoundParameters {
        BoundParameters(tensors.map { Variable(reused ? $0.keepingDerived() : $0) })
    }

    /// The parameters as variables on a tape, for training.
    ///
    /// - Parameter recompute: whether blocks keep only their inputs and run again in the backward pass. This halves the
    ///   activations and takes a third more time.
    public func variables(on tape: Tape, recompute: Bool = false) -> BoundParameters {
        BoundParameters(tensors.map { tape.variable($0) }, recomputes: recompute)
    }
}

/// Parameters ready for a forward pass.
public struct BoundParameters {
    public let variables: [Variable]
    /// The number of the first variable.
    private let first: Int
    private let recomputes: Bool

    public init(_ variables: [Variable], recomputes: Bool = false) {
        self.init(variables, first: 0, recomputes: recomputes)
    }

    private init(_ variables: [Variable], first: Int, recomputes: Bool) {
        (self.variables, self.first, self.recomputes) = (variables, first, recomputes)
    }

    /// The parameter with this number.
    public subscript(number: Int) -> Variable { variables[number - first] }

    /// Runs a block that uses the parameters `own` and `inputs` as one operation.
    func block(
        _ own: Range<Int>, _ inputs: [Variable], _ body: @escaping ([Variable], BoundParameters) -> Variable
    ) -> Variable {
        let count = inputs.count
        return .block(inputs + variables[own], recompute: recomputes) { variables in
            body(
                Array(variables[..<count]),
                BoundParameters(Array(variables[count...]), first: own.lowerBound, recomputes: false))
        }
    }
}
