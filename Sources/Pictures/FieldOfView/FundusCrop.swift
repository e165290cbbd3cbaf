/// A photograph cut to its field of view.
public struct FundusCrop: Sendable {
    /// [size, size]. The disc's centre is the picture's centre, and everything outside the field of view is black.
    public let picture: Picture
    /// The field of view in pixels of `picture`.
    public let fieldOfView: FieldOfView

    /// Black pixels between the disc and the border. They keep a network's padding away from the rim.
    public static let margin = 1.0

    /// Crops, centres and squares `photograph`, and sets everything outside `found` to 0, which also removes burned-in
    /// letters.
    /// - Parameters:
    ///   - found: the field of view in pixels of `photograph`.
    ///   - size: the side of the result in pixels.
    public init(_ photograph: Picture, fieldOfView found: FieldOfView, size: Int) {
        let radius = Double(size) / 2 - FundusCrop.margin
        let scale = Double(found.radius) / radius
        let side = Double(size) * scale
        var result = photograph.resampled(
            x: Double(found.centerX) - side / 2, y: Double(found.centerY) - side / 2, width: side, height: side,
            toWidth: size, height: size)
        let center = Double(size) / 2
        func row(_ y: Float) -> Double { center + (Double(y) - Double(found.centerY)) / scale }
        let top = max(row(found.top), center - radius), bottom = min(row(found.bottom), center + radius)
        for y in 0..<size {
            let dy = Double(y) + 0.5 - center
            // A row counts as outside if its centre is outside.
            let isCut = Double(y) + 0.5 < top || Double(y) + 0.5 > bottom
            let half = isCut ? -1 : max(0, radius * radius - dy * dy).squareRoot()
            for x in 0..<size where abs(Double(x) + 0.5 - center) > half {
                result[x, y] = SIMD3(0, 0, 0)
            }
        }
        picture = result
        fieldOfView = FieldOfView(
            centerX: Float(center), centerY: Float(center), radius: Float(radius), top: Float(top),
            bottom: Float(bottom))
    }
}
