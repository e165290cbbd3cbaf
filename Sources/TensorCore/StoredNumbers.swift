import CKernels

// Conversion between tensors and the numbers and layouts of files.

/// A tensor that is made only when it is written, so that the tensors of a file need not be in memory together.
public struct TensorSource: Sendable {
    public let shape: [Int]
    public let make: @Sendable () -> Tensor

    public init(shape: [Int], make: @escaping @Sendable () -> Tensor) {
        self.shape = shape
        self.make = make
    }
}

extension Tensor {
    /// Reads little-endian float32 numbers, at any alignment.
    public init(float32 bytes: UnsafeRawBufferPointer, shape: [Int]) {
        self.init(uninitialized: shape)
        requireShape(bytes.count == 4 * count, "Tensor.init", "\(bytes.count) bytes", shape)
        UnsafeMutableRawBufferPointer(start: pointer, count: bytes.count).copyMemory(from: bytes)
    }

    /// Reads little-endian IEEE half-precision numbers.
    public init(float16 bytes: UnsafeRawBufferPointer, shape: [Int]) {
        self.init(uninitialized: shape)
        requireShape(bytes.count == 2 * count, "Tensor.init", "\(bytes.count) bytes", shape)
        let target = pointer
        parallelRuns(count) { first, length in
            withUnsafeTemporaryAllocation(of: UInt16.self, capacity: length) { aligned in
                UnsafeMutableRawBufferPointer(aligned).copyMemory(
                    from: .init(rebasing: bytes[2 * first..<2 * (first + length)]))
                Kernels.table.widen_half(length, aligned.baseAddress, target + first)
            }
        }
    }

    /// Reads little-endian bfloat16 numbers, which are the upper halves of float32.
    public init(bfloat16 bytes: UnsafeRawBufferPointer, shape: [Int]) {
        self.init(uninitialized: shape)
        requireShape(bytes.count == 2 * count, "Tensor.init", "\(bytes.count) bytes", shape)
        let target = pointer
        parallelRuns(count) { first, length in
            for i in first..<first + length {
                target[i] = Float(bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)) << 16)
            }
        }
    }

    /// Turns a weight from the layout of files, [out, in, taps...], into [taps..., in, out].
    public func filtersFromFile() -> Tensor {
        let taps = shape.dropFirst(2).reduce(1, *)
        return exchanged(
            Array(shape.dropFirst(2)) + [shape[1], shape[0]], inputs: shape[1], outputs: shape[0], taps: taps
        ) {
            source, target, file, own in target[own] = source[file]
        }
    }

    /// Turns a weight [taps..., in, out] into the layout of files, [out, in, taps...].
    public func filtersToFile() -> Tensor {
        let (inputs, outputs) = (shape[rank - 2], shape[rank - 1])
        let taps = shape.dropLast(2).reduce(1, *)
        return exchanged([outputs, inputs] + shape.dropLast(2), inputs: inputs, outputs: outputs, taps: taps) {
            source, target, file, own in target[file] = source[own]
        }
    }

    /// Calls `copy` for every weight with its place in the file and its place in our layout. A task has sixteen inputs,
    /// so that its cache lines stay in the first-level cache.
    @inline(__always)
    private func exchanged(
        _ result: [Int], inputs: Int, outputs: Int, taps: Int,
        _ copy: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, _ file: Int, _ own: Int) -> Void
    ) -> Tensor {
        let tensor = Tensor(uninitialized: result)
        let source = UnsafePointer(pointer), target = tensor.pointer
        parallelRuns(inputs, grain: 16) { first, length in
            for output in 0..<outputs {
                for input in first..<first + length {
                    for tap in 0..<taps {
                        copy(
                            source, target, (output * inputs + input) * taps + tap,
                            (tap * inputs + input) * outputs + output)
                    }
                }
            }
        }
        return tensor
    }
}
