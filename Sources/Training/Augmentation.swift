import Foundation
import Randomness
import TensorCore

/// How one training picture is changed, as values that the network is given. In sampling all of them are 0. So the
/// network also learns from changed pictures, but its samples do not show the changes (Karras et al. 2022, appendix
/// F.2).
///
/// This makes more of a few hundred photographs: a changed photograph is hardly ever seen twice in the same way.
package struct Augmentation: Sendable {
    /// Standard normal values for rotation, size, shift to the right, shift downwards, exposure and colour temperature.
    /// All are 0 for an unchanged picture.
    package let numbers: [Float]

    package static let count = 6
    static let none = Augmentation(numbers: [Float](repeating: 0, count: count))

    /// - Parameter share: the share of pictures that are changed.
    package init(_ random: inout Philox, share: Double) {
        guard random.nextUniform() < share else {
            self = .none
            return
        }
        numbers = (0..<Augmentation.count).map { _ in Float(max(-3, min(3, random.nextNormal()))) }
    }

    /// - Parameter numbers: one value for each kind of change.
    package init(numbers: [Float]) { self.numbers = numbers }

    private var isNone: Bool { numbers.allSatisfy { $0 == 0 } }

    /// One standard deviation of each change is 8.6 degrees, a tenth of the size, 2 % of the side, a tenth of the
    /// light, and 7 % from red to blue.
    private var angle: Float { 0.15 * numbers[0] }
    private var size: Float { exp(0.1 * numbers[1]) }
    private var shift: (x: Float, y: Float) { (0.02 * numbers[2], 0.02 * numbers[3]) }
    /// Factors of (colour + 1) for red, green and blue, so that black stays black.
    private var gains: [Float] { [1, 0, -1].map { exp(0.1 * numbers[4] + 0.07 * numbers[5] * $0) } }

    /// Each picture of [N, H, W, 3 or more] in [-1, 1], changed by its own values, with bilinear interpolation; it is
    /// black outside its border. Planes after the three colours are structure maps. They move with the picture but keep
    /// their values, and are 0 outside the border.
    package static func applied(_ changes: [Augmentation], to pictures: Tensor) -> Tensor {
        if changes.allSatisfy(\.isNone) { return pictures }
        let (height, width, depth) = (pictures.shape[1], pictures.shape[2], pictures.shape[3])
        return pictures.withUnsafeBuffer { source in
            Tensor(shape: pictures.shape) { target in
                nonisolated(unsafe) let (source, target) = (source, target)
                parallelFor(changes.count * height) { row in
                    let change = changes[row / height], from = row / height * height * width * depth,
                        to = row * width * depth
                    if change.isNone {
                        for i in 0..<depth * width { target[to + i] = source[to + i] }
                    } else {
                        change.fillRow(
                            row % height, width: width, height: height, depth: depth,
                            from: UnsafeBufferPointer(rebasing: source[from..<from + height * width * depth]),
                            into: UnsafeMutableBufferPointer(rebasing: target[to..<to + width * depth]))
                    }
                }
            }
        }
    }

    private func fillRow(
        _ y: Int, width: Int, height: Int, depth: Int, from source: UnsafeBufferPointer<Float>,
        into target: UnsafeMutableBufferPointer<Float>
    ) {
        let (cosine, sine) = (cos(angle) / size, sin(angle) / size), gains = gains
        let middle = (x: Float(width) / 2, y: Float(height) / 2)
        let dy = Float(y) + 0.5 - middle.y - shift.y * Float(height)
        for x in 0..<width {
            let dx = Float(x) + 0.5 - middle.x - shift.x * Float(width)
            // The place of the source that moves to this pixel.
            let fromX = cosine * dx + sine * dy + middle.x - 0.5, fromY = cosine * dy - sine * dx + middle.y - 0.5
            let left = fromX.rounded(.down), top = fromY.rounded(.down)
            let (column, row) = (Int(left), Int(top)), (right, below) = (fromX - left, fromY - top)
            for c in 0..<depth {
                let empty: Float = c < 3 ? -1 : 0
                func value(_ column: Int, _ row: Int) -> Float {
                    guard column >= 0, column < width, row >= 0, row < height else { return empty }
                    return source[(row * width + column) * depth + c]
                }
                let upper = value(column, row) * (1 - right) + value(column + 1, row) * right
                let lower = value(column, row + 1) * (1 - right) + value(column + 1, row + 1) * right
                let value = upper * (1 - below) + lower * below
                target[depth * x + c] = c < 3 ? (value + 1) * gains[c] - 1 : value
            }
        }
    }
}
