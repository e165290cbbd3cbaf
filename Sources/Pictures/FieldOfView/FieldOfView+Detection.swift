import Files
import Foundation

extension FieldOfView {
    /// The longest side of the picture on which the search works, in pixels.
    private static let searchSide = 512

    /// Finds the illuminated disc of a fundus photograph.
    ///
    /// The surround's colour is taken from the corners. The disc's outline is that of the largest connected region that
    /// differs from the surround, and a circle is fitted to the outline's curved parts. If the disc is cut off at top
    /// or bottom (by the frame or by a black band), the circle stays, and `top` and `bottom` say where the disc ends.
    /// If it is cut off at left or right, the result is the largest circle that touches the disc's circle from inside
    /// and is not cut off there.
    /// A disc that fills only a small part of the frame is looked for in what surrounds it closely.
    /// - Parameter name: the file's name, for messages.
    /// - Returns: the field of view in pixels of `picture`; (0, 0) is the upper left corner of the first pixel.
    /// - Throws: `Failure(.badData)` if there is no lit region on a darker surround, if its outline is not a circle,
    ///   if there are two discs, if the disc has hardly any shades, or if the picture is too small.
    public static func detected(in picture: Picture, name: String) throws -> FieldOfView {
        let found = try disc(in: picture, name: name)
        try Shades.require(in: picture, found, name: name)
        return found
    }

    /// The field of view of a picture that a model or a program drew: the disc of the largest lit region, whatever else
    /// the picture shows. It is the same in every version, because samples are replayed byte by byte.
    /// - Throws: `Failure(.badData)` as `detected`, but not for two discs or few shades.
    package static func ofDrawing(_ picture: Picture, name: String) throws -> FieldOfView {
        try largeDisc(in: picture, name: name, isAlone: false)
    }

    private static func disc(in picture: Picture, name: String) throws -> FieldOfView {
        do {
            return try largeDisc(in: picture, name: name)
        } catch let failure as Failure {
            if let found = smallDisc(in: picture, name: name) { return found }
            if holdsTwoHalves(picture) { throw twoDiscs(name) }
            throw failure
        }
    }

    /// The disc in the part of the picture that is lit, if that is a small part.
    private static func smallDisc(in picture: Picture, name: String) -> FieldOfView? {
        guard let (distance, sx, sy) = try? reduced(picture, name: name), let region = distance.smallRegion(),
            region.x.count * 3 < distance.width
        else { return nil }
        // A quarter of the region on every side is surround enough.
        let margin = max(region.x.count, region.y.count) / 4 + 2
        let left = max(0, Int(Double(region.x.lowerBound - margin) * sx))
        let top = max(0, Int(Double(region.y.lowerBound - margin) * sy))
        let right = min(picture.width, Int(Double(region.x.upperBound + margin) * sx))
        let bottom = min(picture.height, Int(Double(region.y.upperBound + margin) * sy))
        let part = picture.cropped(x: left, y: top, width: right - left, height: bottom - top)
        guard var found = try? largeDisc(in: part, name: name) else { return nil }
        found.centerX += Float(left)
        found.centerY += Float(top)
        found.top += Float(top)
        found.bottom += Float(top)
        return found
    }

    /// Whether each half of a picture of twice the usual shape holds a disc, as where both eyes were put side by side.
    private static func holdsTwoHalves(_ picture: Picture) -> Bool {
        let (width, height) = (picture.width, picture.height)
        let halves: [Picture]
        if width * 10 >= height * 16 {
            halves = [0, width - width / 2].map { picture.cropped(x: $0, y: 0, width: width / 2, height: height) }
        } else if height * 10 >= width * 16 {
            halves = [0, height - height / 2].map { picture.cropped(x: 0, y: $0, width: width, height: height / 2) }
        } else {
            return false
        }
        return halves.allSatisfy { (try? largeDisc(in: $0, name: "")) != nil }
    }

    private static func twoDiscs(_ name: String) -> Failure {
        Failure(
            .badData, name,
            "holds two discs, perhaps both eyes of a patient; cut it into two files with one disc each")
    }

    /// The picture at the size of the search, and how many pixels of the picture one of its pixels is.
    /// - Throws: `Failure(.badData)` if it is too small.
    private static func reduced(
        _ picture: Picture, name: String
    ) throws -> (SurroundDistance, x: Double, y: Double) {
        let scale = max(1, Double(max(picture.width, picture.height)) / Double(searchSide))
        let width = max(1, Int((Double(picture.width) / scale).rounded()))
        let height = max(1, Int((Double(picture.height) / scale).rounded()))
        guard min(width, height) >= 32 else {
            throw Failure(
                .badData, name,
                "is too small or too narrow for a fundus photograph (\(picture.width) x \(picture.height))")
        }
        return (
            SurroundDistance(picture.resized(width: width, height: height)),
            Double(picture.width) / Double(width), Double(picture.height) / Double(height)
        )
    }

    /// - Parameter isAlone: whether a second disc is a reason to refuse the picture.
    private static func largeDisc(in picture: Picture, name: String, isAlone: Bool = true) throws -> FieldOfView {
        let (distance, sx, sy) = try reduced(picture, name: name)
        let found = try search(distance, name: name, isAlone: isAlone)
        return FieldOfView(
            centerX: Float(Double(found.centerX) * sx), centerY: Float(Double(found.centerY) * sy),
            radius: Float(Double(found.radius) * (sx * sy).squareRoot()),
            top: Float(Double(found.top) * sy), bottom: Float(Double(found.bottom) * sy))
    }

    private static func search(
        _ distance: SurroundDistance, name: String, isAlone: Bool
    ) throws -> FieldOfView {
        func refused(_ why: String) -> Failure { Failure(.badData, name, "no field of view was found: \(why)") }
        let width = distance.width, height = distance.height
        guard distance.bright >= 8 else { throw refused("the picture is of one colour") }
        guard distance.threshold < distance.bright * 0.7 else { throw refused("there is no even surround") }
        let regions = distance.largestComponents(), region = regions[0]
        guard Double(region.count) >= 0.05 * Double(width * height) else {
            throw refused("there is no large lit region on the surround")
        }
        guard Double(region.count) <= 0.985 * Double(width * height) else {
            throw refused("the picture fills its frame, so that there is no surround")
        }

        let outline = Outline(distance, mask: region.mask)
        guard let circle = roundOutline(outline, mask: region.mask, width: width, height: height) else {
            throw refused("the lit region's outline is not a circle")
        }
        let second = regions[1]
        if isAlone, second.count * 4 >= region.count,
            roundOutline(Outline(distance, mask: second.mask), mask: second.mask, width: width, height: height) != nil
        {
            throw twoDiscs(name)
        }
        return cutOff(circle, outline: outline, width: Double(width), height: Double(height))
    }

    /// The circle whose inside a region is; nil if it has another shape.
    private static func roundOutline(_ outline: Outline, mask: [Bool], width: Int, height: Int) -> Circle? {
        let shorter = Double(min(width, height))
        guard let fit = CircleFit.consensus(outline.points, radii: 0.2 * shorter...1.2 * Double(max(width, height)))
        else { return nil }
        let agreement = Double(fit.inliers.count) / Double(max(1, outline.points.count))
        let arc = Outline.angularCoverage(fit.inliers, of: fit.circle)
        let (litInside, litOutside) = litShares(mask, width: width, height: height, circle: fit.circle)
        // A disc that is cut off on two sides keeps a quarter of its rim. Holes are haemorrhages or shadows.
        return arc >= 0.2 && agreement >= 0.35 && litInside >= 0.6 && litOutside <= 0.2 ? fit.circle : nil
    }

    /// The shares of the pixels inside and outside the circle that belong to the region.
    private static func litShares(_ mask: [Bool], width: Int, height: Int, circle: Circle) -> (
        inside: Double, outside: Double
    ) {
        var lit = (0, 0), all = (0, 0)
        for y in 0..<height {
            for x in 0..<width {
                let away = circle.distance(to: SIMD2(Double(x) + 0.5, Double(y) + 0.5))
                if away < 0 {
                    all.0 += 1
                    if mask[y * width + x] { lit.0 += 1 }
                } else if away > 2 {
                    all.1 += 1
                    if mask[y * width + x] { lit.1 += 1 }
                }
            }
        }
        // A part of the disc may lie under a black band, but at most 40 % of the disc that the frame shows.
        return (Double(lit.0) / Double(max(1, all.0)), all.1 < 20 ? 0 : Double(lit.1) / Double(all.1))
    }

    /// The field of view of `circle`, which ends where the outline or the frame ends it.
    private static func cutOff(_ circle: Circle, outline: Outline, width: Double, height: Double) -> FieldOfView {
        var (centerX, radius) = (circle.centerX, circle.radius)
        var top = max(circle.centerY - radius, 0), bottom = min(circle.centerY + radius, height)
        if let edge = outline.straightEdge(\.top, of: circle, side: -1) { top = max(top, edge) }
        if let edge = outline.straightEdge(\.bottom, of: circle, side: 1) { bottom = min(bottom, edge) }
        // The new circle touches the original circle from inside, between the left and the right side of the frame.
        let left = max(0, centerX - radius), right = min(width, centerX + radius)
        if right - left < 2 * radius {
            centerX = (left + right) / 2
            radius = (right - left) / 2
            top = max(top, circle.centerY - radius)
            bottom = min(bottom, circle.centerY + radius)
        }
        return FieldOfView(
            centerX: Float(centerX), centerY: Float(circle.centerY), radius: Float(radius), top: Float(top),
            bottom: Float(bottom))
    }
}
