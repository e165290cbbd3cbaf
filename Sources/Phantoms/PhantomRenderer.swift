import Datasets
import Foundation
import Pictures

/// Paints one visit of one eye. The order is retina, blood, lesions, light, blur, noise, field of view.
struct PhantomRenderer {
    let eye: PhantomEye
    let visit: PhantomVisit
    let size: Int
    private let fieldOfView: FieldOfView
    private let transform: PhantomTransform

    init(_ eye: PhantomEye, _ visit: PhantomVisit, size: Int) {
        self.eye = eye
        self.visit = visit
        self.size = size
        fieldOfView = visit.fieldOfView(size: size)
        transform = visit.pose.transform(fieldOfView)
    }

    /// - Returns: the picture, [size, size, 3] bytes, and the masks.
    func render() -> ([UInt8], PhantomMasks) {
        let raster = PhantomRaster(eye, transform: transform, size: size)
        let inside = coverage()
        return (develop(blurred(paint(raster)), inside), masks(raster, inside))
    }

    /// The share of each pixel that the field of view covers, [size, size]: 0, 1, or a value between at the rim.
    private func coverage() -> [Float] {
        var inside = [Float](repeating: 0, count: size * size)
        for y in 0..<size {
            let v = Float(y) + 0.5
            guard v > fieldOfView.top, v < fieldOfView.bottom else { continue }
            for x in 0..<size {
                let distance = length(PhantomPoint(Float(x) + 0.5 - fieldOfView.centerX, v - fieldOfView.centerY))
                // The rim fades inwards: a pixel whose centre is outside is 0.
                inside[y * size + x] = min(max(fieldOfView.radius - distance, 0), 1)
            }
        }
        return inside
    }

    /// The retina as the camera shows it, [size, size]. It is also painted a little outside the rim, where the blur
    /// needs neighbours.
    private func paint(_ raster: PhantomRaster) -> [SIMD3<Float>] {
        var picture = [SIMD3<Float>](repeating: SIMD3(), count: size * size)
        let pixel = 1 / transform.scale
        let surface = eye.surface
        let beyond = fieldOfView.radius + 3 * blurDeviation + 2
        for y in 0..<size {
            for x in 0..<size {
                let point = PhantomPoint(Float(x) + 0.5, Float(y) + 0.5)
                let place = point - PhantomPoint(fieldOfView.centerX, fieldOfView.centerY)
                if length(place) > beyond { continue }
                let i = y * size + x
                var colour = surface.colour(transform.eye(point), of: eye, pixel: pixel)
                let cotton = raster.cottonWool[i]
                colour += (Self.cottonColour - colour) * (0.62 * cotton)
                colour *= 1 - Self.spiltBloodTakes * raster.darkLesions[i]
                let blood: Float = raster.blood[i] * (1 - 0.45 * cotton)
                colour *= 1 - (1 - surface.blood) * blood
                colour += (Self.exudateColour - colour) * (0.85 * raster.exudates[i])
                picture[i] = visit.light.apply(colour, at: place / fieldOfView.radius)
            }
        }
        return picture
    }

    private static let cottonColour = SIMD3<Float>(0.92, 0.76, 0.46)
    private static let exudateColour = SIMD3<Float>(1.0, 0.82, 0.30)
    /// The share of red, green and blue that blood outside vessels absorbs.
    private static let spiltBloodTakes = SIMD3<Float>(0.38, 0.70, 0.55)

    /// The deviation of the blur in pixels: that of the camera, and a little from the pixels themselves, which gather
    /// light over an area.
    private var blurDeviation: Float {
        let camera = visit.blur * transform.scale
        return (camera * camera + 0.1).squareRoot()
    }

    /// A Gaussian blur, rows then columns.
    private func blurred(_ picture: [SIMD3<Float>]) -> [SIMD3<Float>] {
        let deviation = blurDeviation
        let reach = Int((3 * deviation).rounded(.up))
        var weights = (-reach...reach).map { exp(-Float($0 * $0) / (2 * deviation * deviation)) }
        let sum = weights.reduce(0, +)
        weights = weights.map { $0 / sum }
        return smooth(smooth(picture, weights, reach, step: 1, line: size), weights, reach, step: size, line: 1)
    }

    /// Weighted means of neighbours that are `step` elements apart. Lines start `line` elements apart, and the elements
    /// at their ends are repeated.
    private func smooth(
        _ picture: [SIMD3<Float>], _ weights: [Float], _ reach: Int, step: Int, line: Int
    ) -> [SIMD3<Float>] {
        var result = picture
        for start in 0..<size {
            for position in 0..<size {
                var sum = SIMD3<Float>()
                for k in -reach...reach {
                    let neighbour = min(max(position + k, 0), size - 1)
                    sum += weights[k + reach] * picture[start * line + neighbour * step]
                }
                result[start * line + position * step] = sum
            }
        }
        return result
    }

    /// Adds noise, converts to bytes, and makes everything outside the field of view black.
    private func develop(_ picture: [SIMD3<Float>], _ inside: [Float]) -> [UInt8] {
        var pixels = [UInt8](repeating: 0, count: size * size * 3)
        var random = visit.noiseStream
        // Larger pixels gather more light, so the noise of a pixel falls with the pixel's side.
        let deviation = visit.noise * (Float(size) / 256).squareRoot()
        for i in 0..<size * size {
            // The sum of four random bytes is nearly normal, with mean 510 and deviation 147.8.
            for channel in 0..<3 {
                let word = random.next()
                guard inside[i] > 0 else { continue }
                let sum = (word & 0xFF) + (word >> 8 & 0xFF) + (word >> 16 & 0xFF) + (word >> 24)
                let grain = (Float(sum) - 510) / 147.8 * deviation
                let value = (picture[i][channel] + grain) * inside[i]
                pixels[i * 3 + channel] = UInt8(min(max(value * 255, 0), 255).rounded())
            }
        }
        return pixels
    }

    private func masks(_ raster: PhantomRaster, _ inside: [Float]) -> PhantomMasks {
        let none = [UInt8](repeating: 0, count: size * size)
        var masks = PhantomMasks(vessels: none, opticDisc: none, opticCup: none, macula: none, lesions: none)
        for y in 0..<size {
            for x in 0..<size where inside[y * size + x] > 0 {
                let i = y * size + x
                let point = transform.eye(PhantomPoint(Float(x) + 0.5, Float(y) + 0.5))
                if raster.vessels[i] >= 0.5 { masks.vessels[i] = 255 }
                if raster.lesions[i] >= 0.5 { masks.lesions[i] = 255 }
                if eye.opticDisc.level(point) <= 1 { masks.opticDisc[i] = 255 }
                if eye.opticCup.level(point) <= 1 { masks.opticCup[i] = 255 }
                if length(point) <= PhantomEye.maculaRadius { masks.macula[i] = 255 }
            }
        }
        return masks
    }
}
