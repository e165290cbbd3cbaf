extension Variable {
    /// The same elements under another shape.
    public func reshaped(_ target: [Int]) -> Variable {
        Tape.record([self], tensor.reshaped(target)) { [shape] grad in [grad.reshaped(shape)] }
    }
}
