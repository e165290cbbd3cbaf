import Foundation
import RetinalMatching

/// What the classifier of pixels sees: features of each pixel, and features of the picture that are the same for all.
package struct PixelFeatures {
    /// The deviation across a line and half a segment's length, in pixels.
    private static let widths: [(sigma: Double, half: Double)] = [(0.7, 3), (1, 4), (1.5, 5), (2.2, 6)]
    /// The number of features of a pixel.
    package static let count = 2 * widths.count + 8
    /// The number of features of a picture.
    package static let pictureCount = 5 * widths.count + 6
    private static let shares = [0.5, 0.8, 0.9, 0.95, 0.98]

    /// The pixels inside the field of view, as indices into the picture.
    package let places: [Int]
    /// [count, places]
    package let planes: [[Float]]
    /// [pictureCount]
    package let picture: [Float]

    package init(_ scene: EyeScene) {
        let side = EyeScene.side, places = scene.inside.indices.filter { scene.inside[$0] }
        self.places = places
        let darkness = scene.darkness
        func gather(_ plane: [Float]) -> [Float] { places.map { plane[$0] } }
        var strongest: [[Float]] = [], weakest: [[Float]] = []
        var along = [Float](repeating: 0, count: places.count), across = along, whole = along
        for width in Self.widths {
            let filter = VesselFilter(darkness, width: side, height: side, widths: [width])
            strongest.append(gather(filter.strength))
            weakest.append(gather(filter.weakest))
            for (k, i) in places.enumerated() {
                let strength = max(0, filter.strength[i])
                along[k] += strength * filter.cosine[i]
                across[k] += strength * filter.sine[i]
                whole[k] += strength
            }
        }
        let contrast = max(whole.quantiles([0.97])[0], 1e-3)
        func scaled(_ plane: [Float]) -> [Float] { plane.map { $0 / contrast } }
        let coherence = places.indices.map { k in
            (along[k] * along[k] + across[k] * across[k]).squareRoot() / (whole[k] + 0.02 * contrast)
        }
        func blurred(_ plane: [Float], _ sigma: Double) -> [Float] {
            gather(BoxBlur(width: side, height: side, sigma: sigma).applied(to: plane))
        }
        planes =
            (strongest + weakest).map(scaled) + [
                coherence, scaled(gather(darkness)), scaled(blurred(darkness, 1.4)), scaled(blurred(darkness, 3.5)),
                scaled(blurred(scene.redDarkness, 1.4)),
                // The darkest and the lightest near a pixel: a vessel's edge is half as dark as its middle.
                scaled(gather(largest(darkness, side: side, reach: 1))),
                scaled(gather(largest(darkness, side: side, reach: 2))),
                scaled(gather(largest(darkness.map { -$0 }, side: side, reach: 1))),
            ]
        func logarithm(_ value: Float) -> Float { log(max(value, 0.01)) }
        var ofPicture = [log(contrast)]
        for plane in planes[0..<Self.widths.count] { ofPicture += plane.quantiles(Self.shares).map(logarithm) }
        for plane in [planes[Self.widths.count], planes[2 * Self.widths.count - 1]] {
            ofPicture += plane.quantiles([0.1, 0.5]).map { logarithm(-$0) }
        }
        ofPicture.append(log(max(scene.noise, 1e-3)))
        picture = ofPicture
    }
}

extension EyeScene {
    /// The deviation of white noise as a share of the median level (after Immerkaer, "Fast noise variance estimation",
    /// Computer Vision and Image Understanding 64(2), 1996, with the median in place of the mean).
    fileprivate var noise: Float {
        let side = Self.side
        var laplacians: [Float] = [], levels: [Float] = []
        for i in inside.indices where inside[i] && i % 5 == 0 {
            let above = green[i - side - 1] - 2 * green[i - side] + green[i - side + 1]
            let here = green[i - 1] - 2 * green[i] + green[i + 1]
            let below = green[i + side - 1] - 2 * green[i + side] + green[i + side + 1]
            laplacians.append(abs(above - 2 * here + below))
            levels.append(green[i])
        }
        return laplacians.quantiles([0.5])[0] / 0.6745 / 6 / max(levels.quantiles([0.5])[0], 1)
    }
}
