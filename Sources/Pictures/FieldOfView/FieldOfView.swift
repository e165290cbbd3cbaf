/// The illuminated part of a fundus photograph, in pixels of the picture: a disc, often cut off at top and bottom.
public struct FieldOfView: Hashable, Sendable, Codable {
    public var centerX: Float
    public var centerY: Float
    public var radius: Float
    /// The upper and the lower end of the visible disc, as coordinates. Pixels above `top` and below `bottom` are
    /// outside the field of view.
    public var top: Float
    public var bottom: Float

    public init(centerX: Float, centerY: Float, radius: Float, top: Float, bottom: Float) {
        self.centerX = centerX
        self.centerY = centerY
        self.radius = radius
        self.top = top
        self.bottom = bottom
    }

    /// The whole of a square picture, as a disc that reaches beyond its corners.
    package static func everything(_ size: Int) -> FieldOfView {
        FieldOfView(
            centerX: Float(size) / 2, centerY: Float(size) / 2, radius: Float(size), top: 0, bottom: Float(size))
    }

    /// The same field of view in a picture that was resized by this factor.
    public func scaled(by factor: Float) -> FieldOfView {
        FieldOfView(
            centerX: centerX * factor, centerY: centerY * factor, radius: radius * factor, top: top * factor,
            bottom: bottom * factor)
    }

    /// The distance in pixels from a point to the nearest boundary: the disc's rim or a cut. It is negative outside.
    public func signedDistance(x: Float, y: Float) -> Float {
        let dx = x - centerX, dy = y - centerY
        return min(radius - (dx * dx + dy * dy).squareRoot(), min(y - top, bottom - y))
    }
}
