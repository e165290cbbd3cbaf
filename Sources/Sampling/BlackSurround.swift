import Datasets
import Pictures
import TensorCore

/// Makes everything outside the field of view of samples black, as the import does for photographs.
package enum BlackSurround {
    /// - Parameter pixels: [count, height, width, 3]. A picture in which no field of view is found stays as it is.
    package static func apply(_ pixels: inout [UInt8], width: Int, height: Int) {
        let size = width * height * 3
        pixels.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let buffer = buffer
            parallelFor(buffer.count / size) { number in
                let own = UnsafeMutableBufferPointer(rebasing: buffer[number * size..<(number + 1) * size])
                let picture = Picture(width: width, height: height, pixels: Array(own))
                guard let view = try? FieldOfView.ofDrawing(picture, name: "sample") else { return }
                for y in 0..<height {
                    for x in 0..<width where view.signedDistance(x: Float(x) + 0.5, y: Float(y) + 0.5) < 0 {
                        for c in 0..<3 { own[(y * width + x) * 3 + c] = 0 }
                    }
                }
            }
        }
    }
}
