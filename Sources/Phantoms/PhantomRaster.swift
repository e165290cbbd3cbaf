import Foundation

/// How much vessels and lesions cover each pixel of a picture, from 0 to 1, antialiased by area.
package struct PhantomRaster {
    package let size: Int
    package let transform: PhantomTransform
    /// How much of its colour a vessel gives to a pixel; reflexes are subtracted.
    private(set) var blood: [Float]
    /// The share of each pixel that vessels cover.
    package private(set) var vessels: [Float]
    private(set) var darkLesions: [Float]
    private(set) var exudates: [Float]
    private(set) var cottonWool: [Float]
    /// The share of each pixel that lesions cover. It is 1 for the pixel with a lesion's centre, even where the lesion
    /// is very small.
    private(set) var lesions: [Float]

    package init(_ eye: PhantomEye, transform: PhantomTransform, size: Int) {
        self.size = size
        self.transform = transform
        let none = [Float](repeating: 0, count: size * size)
        (blood, vessels, darkLesions, exudates, cottonWool, lesions) = (none, none, none, none, none, none)
        for vessel in eye.vessels { draw(vessel) }
        for lesion in eye.lesions { draw(lesion) }
    }

    private mutating func draw(_ vessel: PhantomVessel) {
        let density: Float = vessel.kind == .vein ? 1 : 0.7
        let reflex: Float = vessel.kind == .vein ? 0.12 : 0.5
        let scale = transform.scale
        strokes(vessel) { raster, pixel, width, distance in
            let cover = Self.cover(distance, halfWidth: width)
            // A vessel is a cylinder, so there is less blood at its edges and in thin vessels. The reflex is visible
            // where pixels can resolve it.
            let across = min(distance / max(width, 0.5), 1)
            let column = min(0.45 + 0.55 * width / (0.075 * scale), 1)
            let depth = column * (0.72 + 0.28 * (1 - across * across).squareRoot())
            let resolved = min(max((width - 0.7) / 1.3, 0), 1)
            let shine = 1 - reflex * resolved * exp(-across * across * 9)
            raster.vessels[pixel] = max(raster.vessels[pixel], cover)
            raster.blood[pixel] = max(raster.blood[pixel], cover * density * depth * shine)
        }
    }

    private mutating func draw(_ lesion: PhantomLesion) {
        for path in lesion.paths {
            strokes(path) { raster, pixel, width, distance in
                let cover = Self.cover(distance, halfWidth: width)
                raster.blood[pixel] = max(raster.blood[pixel], cover * 0.9)
                raster.lesions[pixel] = max(raster.lesions[pixel], cover)
            }
        }
        guard lesion.paths.isEmpty else { return }
        let center = transform.picture(lesion.center)
        let radius = lesion.radius * transform.scale
        // A lesion that is smaller than a pixel is drawn with a pixel's width, but paler.
        let drawn = max(radius, 0.55)
        let strength = min(1, (radius / drawn) * (radius / drawn) * 1.3) * lesion.strength
        let softness: Float =
            switch lesion.kind {
            case .cottonWoolSpot: max(1.2, 1 / drawn)
            case .haemorrhage: max(0.6, 1 / drawn)
            case .preretinalHaemorrhage: max(0.25, 1 / drawn)
            case .microaneurysm, .hardExudate, .neovascularisation: 1 / drawn
            }
        let reach = drawn * lesion.aspect.squareRoot() * (1.9 + softness) + 1
        for y in pixels(center.y - reach, center.y + reach) {
            for x in pixels(center.x - reach, center.x + reach) {
                let point = transform.eye(PhantomPoint(Float(x) + 0.5, Float(y) + 0.5))
                let level = lesion.level(point) * radius / drawn
                let t = min(max((1 - level) / softness + 0.5, 0), 1)
                let cover = t * t * (3 - 2 * t) * strength
                guard cover > 0 else { continue }
                let pixel = y * size + x
                switch lesion.kind {
                case .hardExudate: exudates[pixel] = max(exudates[pixel], cover)
                case .cottonWoolSpot: cottonWool[pixel] = max(cottonWool[pixel], cover)
                default: darkLesions[pixel] = max(darkLesions[pixel], cover)
                }
                lesions[pixel] = max(lesions[pixel], cover / lesion.strength)
            }
        }
        let (x, y) = (Int(center.x.rounded(.down)), Int(center.y.rounded(.down)))
        if x >= 0, y >= 0, x < size, y < size { lesions[y * size + x] = 1 }
    }

    /// Calls `paint` for each pixel near each segment of `vessel`, with the vessel's half width there and the pixel's
    /// distance from the middle line, both in pixels.
    private mutating func strokes(
        _ vessel: PhantomVessel,
        paint: (inout PhantomRaster, _ pixel: Int, _ halfWidth: Float, _ distance: Float) -> Void
    ) {
        guard vessel.points.count > 1 else { return }
        var start = transform.picture(vessel.points[0])
        for i in 1..<vessel.points.count {
            let end = transform.picture(vessel.points[i])
            let (wide, narrow) = (vessel.radii[i - 1] * transform.scale, vessel.radii[i] * transform.scale)
            let reach = max(wide, narrow) + 0.5
            let way = end - start
            let square = max(way.x * way.x + way.y * way.y, 1e-6)
            for y in pixels(min(start.y, end.y) - reach, max(start.y, end.y) + reach) {
                for x in pixels(min(start.x, end.x) - reach, max(start.x, end.x) + reach) {
                    let d = PhantomPoint(Float(x) + 0.5, Float(y) + 0.5) - start
                    let t = min(max((d.x * way.x + d.y * way.y) / square, 0), 1)
                    let halfWidth = wide + (narrow - wide) * t
                    let distance = length(d - way * t)
                    if distance < halfWidth + 0.5 { paint(&self, y * size + x, halfWidth, distance) }
                }
            }
            start = end
        }
    }

    /// The share of a pixel, 1 wide, that a line covers if its middle is `distance` from the pixel's middle.
    package static func cover(_ distance: Float, halfWidth: Float) -> Float {
        max(0, min(distance + 0.5, halfWidth) - max(distance - 0.5, -halfWidth))
    }

    /// The rows or columns of the picture whose pixels lie between two coordinates.
    private func pixels(_ from: Float, _ to: Float) -> Range<Int> {
        let first = Int(min(max(from.rounded(.down), 0), Float(size)))
        let last = Int(min(max(to.rounded(.up), 0), Float(size)))
        return first..<max(first, last)
    }
}
