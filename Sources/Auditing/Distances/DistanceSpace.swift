import Pictures
import TensorCore

/// The space in which distances between whole sets of pictures are taken: standardised pixels at 32 x 32. Nothing in it
/// was trained, so that photographs of the training set and of the holdout are measured alike. (The copy detector has
/// seen photographs of the training set, but not those of the holdout with which they are compared.)
struct DistanceSpace: Sendable {
    static let side = 32
    /// [count, 1, side * side * 3]
    let vectors: NeighborVectors
    let patients: [Int]

    /// - Parameter mirrored: whether mirror images of all pictures follow the pictures. A model that was trained with
    ///   mirror images may copy a photograph mirrored.
    init(_ pictures: PictureSet, mirrored: Bool) {
        let side = DistanceSpace.side, width = side * side * 3, copies = mirrored ? 2 : 1
        var elements = [Float](repeating: 0, count: pictures.count * copies * width)
        elements.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let target = buffer
            parallelFor(pictures.count) { index in
                let values = pictures[index].standardised(side: side)
                for y in 0..<side {
                    for x in 0..<side {
                        for channel in 0..<3 {
                            let value = values[(y * side + x) * 3 + channel]
                            target[index * width + (y * side + x) * 3 + channel] = value
                            if mirrored {
                                target[(pictures.count + index) * width + (y * side + side - 1 - x) * 3 + channel] =
                                    value
                            }
                        }
                    }
                }
            }
        }
        vectors = NeighborVectors(elements, count: pictures.count * copies, width: width)
        patients = (0..<copies).flatMap { _ in pictures.patients }
    }

    private init(_ vectors: NeighborVectors, patients: [Int]) {
        self.vectors = vectors
        self.patients = patients
    }

    /// The space of some pictures, followed by their mirror images where `self` has them.
    /// - Parameter pictures: the number of pictures in `self` without mirror images.
    func selecting(_ rows: [Int], of pictures: Int) -> DistanceSpace {
        let all = stride(from: 0, to: vectors.count, by: max(1, pictures)).flatMap { offset in rows.map { offset + $0 }
        }
        return DistanceSpace(vectors.selecting(all), patients: all.map { patients[$0] })
    }

    /// The distances of each probe to its `k` nearest rows.
    func nearest(to probes: DistanceSpace, k: Int = 1, excludingOwnPatient: Bool = false) -> [[Double]] {
        let found = nearestNeighbors(
            of: probes.vectors, in: vectors, k: k, exclude: excludingOwnPatient ? (probes.patients, patients) : nil)
        return (0..<probes.vectors.count).map { row in
            found.distances[row * found.k..<(row + 1) * found.k].map { $0.squareRoot() }
        }
    }
}

extension Picture {
    /// The picture at width and height `side`, [side, side, 3]. Every channel has mean 0 and deviation 1 inside the
    /// field of view, and is 0 outside it.
    func standardised(side: Int) -> [Float] {
        let small = resized(width: side, height: side), inside = small.insideFieldOfView
        var result = [Float](repeating: 0, count: side * side * 3)
        for channel in 0..<3 {
            var sum = 0.0, squares = 0.0, count = 0.0
            for pixel in inside.indices where inside[pixel] {
                let value = Double(small.pixels[3 * pixel + channel])
                (sum, squares, count) = (sum + value, squares + value * value, count + 1)
            }
            guard count > 1 else { continue }
            let mean = sum / count, deviation = max(1, (squares / count - mean * mean).squareRoot())
            for pixel in inside.indices where inside[pixel] {
                result[3 * pixel + channel] = Float((Double(small.pixels[3 * pixel + channel]) - mean) / deviation)
            }
        }
        return result
    }
}
