/// A float32 tensor, row-major and contiguous; pictures are [N, H, W, C].
///
/// It is a value: operations make new tensors. Two tensors may share storage (`reshaped`). This is never visible,
/// because storage is written only while it is made, or by `withUnsafeMutableBuffer` on a tensor that nobody else
/// holds.
public struct Tensor: Sendable {
    public private(set) var shape: [Int]
    var storage: Storage
    /// Values that operations derived from the elements; nil where they are not kept.
    private var derived: DerivedValues?

    public var count: Int { shape.reduce(1, *) }
    public var rank: Int { shape.count }

    /// A tensor of unknown content, for the operation that fills it.
    init(uninitialized shape: [Int]) {
        self.shape = shape
        storage = Storage(count: shape.reduce(1, *))
    }

    /// A tensor whose elements are all `value`.
    public init(repeating value: Float, shape: [Int]) {
        self.init(uninitialized: shape)
        pointer.update(repeating: value, count: count)
    }

    /// - Parameter elements: as many as `shape` holds, row-major.
    public init(_ elements: [Float], shape: [Int]) {
        self.init(uninitialized: shape)
        requireShape(elements.count == count, "Tensor.init", "\(elements.count) elements", shape)
        elements.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            pointer.update(from: base, count: source.count)
        }
    }

    /// A tensor that `body` fills; it is given the elements in row-major order.
    public init(shape: [Int], filledBy body: (UnsafeMutableBufferPointer<Float>) throws -> Void) rethrows {
        self.init(uninitialized: shape)
        try body(UnsafeMutableBufferPointer(start: pointer, count: count))
    }

    public static func zeros(_ shape: [Int]) -> Tensor { Tensor(repeating: 0, shape: shape) }

    var pointer: UnsafeMutablePointer<Float> { storage.pointer }

    /// The elements, row-major.
    public var elements: [Float] {
        Array(UnsafeBufferPointer(start: pointer, count: count))
    }

    /// Calls `body` with the elements in row-major order.
    public func withUnsafeBuffer<Result>(
        _ body: (UnsafeBufferPointer<Float>) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(storage) {
            try body(UnsafeBufferPointer(start: storage.pointer, count: count))
        }
    }

    /// Changes the elements in place. They are copied first where another tensor shares them.
    public mutating func withUnsafeMutableBuffer<Result>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws -> Result
    ) rethrows -> Result {
        if !isKnownUniquelyReferenced(&storage) {
            let copy = Storage(count: count)
            copy.pointer.update(from: storage.pointer, count: count)
            storage = copy
        }
        let storage = self.storage
        derived = nil
        return try withExtendedLifetime(storage) {
            try body(UnsafeMutableBufferPointer(start: storage.pointer, count: count))
        }
    }

    /// The same elements under another shape with the same number of elements.
    public func reshaped(_ shape: [Int]) -> Tensor {
        requireShape(shape.reduce(1, *) == count, "reshaped", self.shape, shape)
        var tensor = self
        tensor.shape = shape
        return tensor
    }

    /// The same elements, but operations keep with them what they derive (packed and transformed weights). This is for
    /// weights that are used again and again; it takes up to five times their memory.
    public func keepingDerived() -> Tensor {
        var tensor = self
        tensor.derived = DerivedValues()
        return tensor
    }

    /// The same elements without derived values, for a derived value that itself holds the elements.
    func forgettingDerived() -> Tensor {
        var tensor = self
        tensor.derived = nil
        return tensor
    }

    /// What `make` derives from the elements; made only once where the tensor keeps derived values.
    func derived<Value: Sendable>(_ make: () -> Value) -> Value {
        guard let derived else { return make() }
        return derived.value(make)
    }

    /// The element of a tensor that has exactly one.
    public var scalar: Float {
        requireShape(count == 1, "scalar", shape, [])
        return pointer[0]
    }

    /// A copy of the rows `range` along the first axis.
    public func rows(_ range: Range<Int>) -> Tensor {
        requireShape(rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0], "rows", shape, range)
        let row = shape.dropFirst().reduce(1, *)
        var result = shape
        result[0] = range.count
        return Tensor(shape: result) { target in
            guard let base = target.baseAddress else { return }
            base.update(from: pointer + range.lowerBound * row, count: range.count * row)
        }
    }
}

/// Stops the program with the operands where a programmer's error is found. (`precondition` loses its message in
/// release builds.)
@inline(__always)
func requireShape(
    _ condition: @autoclosure () -> Bool, _ operation: StaticString, _ first: @autoclosure () -> Any,
    _ second: @autoclosure () -> Any
) {
    if !condition() {
        fatalError("\(operation): \(first()) against \(second())")
    }
}
