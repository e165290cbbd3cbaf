import Networks
import Pictures
import TensorCore

/// Tells copies of a photograph from photographs of other eyes: a self-supervised contrastive encoder (SimCLR, Chen et
/// al. 2020) whose cosine similarity is high between a picture and its disguised copies (Somepalli et al. 2023, Dar et
/// al. 2025).
package struct CopyDetector: Sendable {
    package let configuration: CopyDetectorConfiguration
    let parameters: ParameterMap
    let network: DetectorNetwork

    init(_ configuration: CopyDetectorConfiguration, _ parameters: ParameterMap) {
        self.configuration = configuration
        self.parameters = parameters
        network = DetectorNetwork(configuration)
    }

    /// The length of a feature vector.
    package var width: Int { configuration.width }

    /// How many pictures go through the network together. A picture's features do not depend on this number.
    private static let portion = 32

    /// The angles in radians and the scales over which a picture's features are averaged. The features of one pose
    /// alone are noisier, above all for cropped copies.
    private static let poses = [(0, 1), (0.1, 1), (-0.1, 1), (0, 0.93), (0, 1.07)]

    /// Features as unit vectors, [count, width], row-major. Each depends on its picture alone, and is the mean over a
    /// few poses of that picture.
    /// - Parameter mirrored: whether the features are those of the pictures' mirror images.
    package func features(of pictures: PictureSet, mirrored: Bool = false) -> [Float] {
        let side = configuration.side
        let constants = parameters.constants(reused: true)
        var result: [Float] = []
        result.reserveCapacity(pictures.count * width)
        for first in stride(from: 0, to: pictures.count, by: Self.portion) {
            let count = min(Self.portion, pictures.count - first)
            var portion = [FloatPicture?](repeating: nil, count: count)
            portion.withUnsafeMutableBufferPointer { portion in
                parallelFor(count) { portion[$0] = FloatPicture(pictures[first + $0], side: side) }
            }
            let plain = portion.compactMap { $0 }
            var sum = Tensor.zeros([count, width])
            for (angle, scale) in Self.poses {
                let pose = ViewPose(mirrored: mirrored, angle: angle, scale: scale)
                sum = sum + UnitVectors.of(network(Variable(FloatPicture.input(plain[...], pose)), constants).tensor)
            }
            result += UnitVectors.of(sum).elements
        }
        return result
    }

    /// The cosine of each probe, or of its mirror image where that is higher, to every row of a gallery.
    /// - Parameter gallery: features, [count, width], not empty.
    package func cosines(of probes: PictureSet, in gallery: [Float]) -> [[Float]] {
        let rows = gallery.count / width
        let target = Variable(Tensor(gallery, shape: [rows, width]))
        let sides = [false, true].map { mirrored in
            Variable(Tensor(features(of: probes, mirrored: mirrored), shape: [probes.count, width])).matmul(
                target, transposed: true
            ).tensor.elements
        }
        return (0..<probes.count).map { probe in
            (0..<rows).map { max(sides[0][probe * rows + $0], sides[1][probe * rows + $0]) }
        }
    }

    /// The highest of `cosines` for each probe, and its row in the gallery.
    package func nearest(of probes: PictureSet, in gallery: [Float]) -> [(cosine: Float, row: Int)] {
        cosines(of: probes, in: gallery).map { all in
            all.indices.reduce(into: (cosine: -2, row: -1)) { best, row in
                if all[row] > best.cosine { best = (all[row], row) }
            }
        }
    }
}
