import Pictures
import TensorCore

extension FloatPicture {
    /// The network's input for some pictures, [N, side, side, 3].
    /// - Parameters:
    ///   - pictures: at least one picture.
    ///   - pose: the pose through which the pictures are seen; nil for no pose.
    static func input(_ pictures: ArraySlice<FloatPicture>, _ pose: ViewPose? = nil) -> Tensor {
        let pictures = Array(pictures), side = pictures[0].side, length = 3 * side * side
        return Tensor(shape: [pictures.count, side, side, 3]) { target in
            parallelFor(pictures.count) { i in
                let contrast = (pose.map { pictures[i].seen(through: $0) } ?? pictures[i]).localContrast()
                for k in 0..<length { target[i * length + k] = contrast[k] }
            }
        }
    }

    /// Replaces every pixel by the mean of a square of 3 x 3 pixels around it.
    func smoothed() -> FloatPicture {
        var result = self
        for y in 0..<side {
            for x in 0..<side {
                for channel in 0..<3 {
                    var sum: Float = 0
                    for dy in -1...1 {
                        let row = min(side - 1, max(0, y + dy)) * side
                        for dx in -1...1 { sum += pixels[3 * (row + min(side - 1, max(0, x + dx))) + channel] }
                    }
                    result.pixels[3 * (y * side + x) + channel] = sum / 9
                }
            }
        }
        return result
    }
}
