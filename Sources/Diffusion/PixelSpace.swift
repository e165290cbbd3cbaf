import TensorCore

/// Pictures of 8 bits as tensors in [-1, 1].
public enum PixelSpace {
    /// 0 -> -1, 255 -> 1.
    @inlinable public static func encoded(_ pixel: UInt8) -> Float { Float(pixel) / 127.5 - 1 }

    /// The nearest 8-bit values, bounded to 0 ... 255. What is not a number becomes 0.
    public static func decoded(_ pictures: Tensor) -> [UInt8] {
        pictures.withUnsafeBuffer { source in
            source.map { value in
                let scaled = (value + 1) * 127.5
                return scaled >= 255 ? 255 : scaled > 0 ? UInt8(scaled.rounded()) : 0
            }
        }
    }
}
