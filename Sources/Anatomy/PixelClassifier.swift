import Foundation

/// How likely each pixel is a vessel, a bright lesion, a dark lesion, or none of these.
///
/// A network with one hidden layer of rectified units and a softmax, on features of lines of four widths (after Staal
/// et al., "Ridge-based vessel segmentation in color images of the retina", IEEE TMI 23(4), 2004).
package struct PixelClassifier: Sendable {
    package enum Kind: Int, CaseIterable, Sendable {
        case background, vessel, bright, dark
    }

    /// [side, side] for each kind but the background, from 0 to 1; 0 outside the field of view.
    package let vessel: [Float], bright: [Float], dark: [Float]

    private static let block = 512
    /// A feature farther from its mean, in deviations, counts as this far; and a picture's feature.
    private static let limit: Float = 4, pictureLimit: Float = 2.5

    package init(_ features: PixelFeatures, pixels: Int) {
        let ofPixel = PixelFeatures.count, ofPicture = PixelFeatures.pictureCount, inputs = ofPixel + ofPicture
        let hidden = Self.hidden, kinds = Kind.allCases.count
        let first = 2 * inputs, firstBias = first + inputs * hidden, second = firstBias + hidden
        let secondBias = second + hidden * kinds
        let numbers = Self.numbers
        func scaled(_ value: Float, _ input: Int) -> Float {
            min(max((value - numbers[input]) * numbers[inputs + input], -Self.pictureLimit), Self.pictureLimit)
        }
        let ofAll = (0..<hidden).map { j in
            (0..<ofPicture).reduce(numbers[firstBias + j]) { sum, k in
                sum + scaled(features.picture[k], ofPixel + k) * numbers[first + (ofPixel + k) * hidden + j]
            }
        }
        var vessel = [Float](repeating: 0, count: pixels), bright = vessel, dark = vessel
        var inputsOfBlock = [Float](repeating: 0, count: ofPixel * Self.block)
        var unit = [Float](repeating: 0, count: Self.block)
        var sums = [Float](repeating: 0, count: kinds * Self.block)
        for start in stride(from: 0, to: features.places.count, by: Self.block) {
            let length = min(Self.block, features.places.count - start)
            for c in 0..<ofPixel {
                let mean = numbers[c], factor = numbers[inputs + c], plane = features.planes[c]
                for k in 0..<length {
                    inputsOfBlock[c * Self.block + k] = min(
                        max((plane[start + k] - mean) * factor, -Self.limit), Self.limit)
                }
            }
            for kind in 0..<kinds {
                for k in 0..<length { sums[kind * Self.block + k] = numbers[secondBias + kind] }
            }
            inputsOfBlock.withUnsafeBufferPointer { x in
                unit.withUnsafeMutableBufferPointer { unit in
                    sums.withUnsafeMutableBufferPointer { sums in
                        for j in 0..<hidden {
                            let bias = ofAll[j]
                            for k in 0..<Self.block { unit[k] = bias }
                            for c in 0..<ofPixel {
                                let weight = numbers[first + c * hidden + j]
                                for k in 0..<Self.block { unit[k] += weight * x[c * Self.block + k] }
                            }
                            for kind in 0..<kinds {
                                let weight = numbers[second + j * kinds + kind]
                                for k in 0..<Self.block { sums[kind * Self.block + k] += weight * max(0, unit[k]) }
                            }
                        }
                    }
                }
            }
            for k in 0..<length {
                func power(_ kind: Kind) -> Float { exp(min(sums[kind.rawValue * Self.block + k], 60)) }
                let powers = (vessel: power(.vessel), bright: power(.bright), dark: power(.dark))
                let total = power(.background) + powers.vessel + powers.bright + powers.dark
                let place = features.places[start + k]
                vessel[place] = powers.vessel / total
                bright[place] = powers.bright / total
                dark[place] = powers.dark / total
            }
        }
        (self.vessel, self.bright, self.dark) = (vessel, bright, dark)
    }
}
