import Datasets
import Foundation
import Pictures

/// A point or a vector. In the eye's frame the unit is a disc radius from the fovea, with x towards the nose and y
/// downwards. In a picture the unit is a pixel, with x to the right and y downwards; the centre of the first pixel is
/// (0.5, 0.5).
public typealias PhantomPoint = SIMD2<Float>

/// How a picture of one visit shows the eye: a similarity transform, mirrored for left eyes.
public struct PhantomPose: Hashable, Sendable {
    /// The point of the eye in the middle of the field of view.
    public var gaze: PhantomPoint
    /// Radians, clockwise in the picture.
    public var rotation: Float
    /// Radius of the field of view, in disc radii.
    public var extent: Float
    /// Whether x of the eye points to the left of the picture (left eyes).
    public var isMirrored: Bool

    public init(gaze: PhantomPoint, rotation: Float, extent: Float, isMirrored: Bool) {
        self.gaze = gaze
        self.rotation = rotation
        self.extent = extent
        self.isMirrored = isMirrored
    }

    /// The transform into a picture whose field of view is `fieldOfView`.
    public func transform(_ fieldOfView: FieldOfView) -> PhantomTransform {
        let scale = fieldOfView.radius / extent
        let (c, s) = (cos(rotation) * scale, sin(rotation) * scale)
        let mirror: Float = isMirrored ? -1 : 1
        return PhantomTransform(
            columnX: PhantomPoint(c, s) * mirror, columnY: PhantomPoint(-s, c),
            gaze: gaze, middle: PhantomPoint(fieldOfView.centerX, fieldOfView.centerY))
    }
}

/// The map between the eye's frame and a picture's pixels.
public struct PhantomTransform: Sendable {
    /// A step of one disc radius along the eye's x, and along its y, in pixels.
    let columnX: PhantomPoint, columnY: PhantomPoint
    let gaze: PhantomPoint
    let middle: PhantomPoint

    /// The number of pixels in a disc radius.
    public var scale: Float { (columnX.x * columnX.x + columnX.y * columnX.y).squareRoot() }

    /// The pixel coordinates of a point of the eye.
    public func picture(_ eye: PhantomPoint) -> PhantomPoint {
        let d = eye - gaze
        return middle + columnX * d.x + columnY * d.y
    }

    /// The point of the eye at these pixel coordinates.
    public func eye(_ picture: PhantomPoint) -> PhantomPoint {
        let d = picture - middle
        let square = columnX.x * columnX.x + columnX.y * columnX.y
        let x = columnX.x * d.x + columnX.y * d.y
        let y = columnY.x * d.x + columnY.y * d.y
        return gaze + PhantomPoint(x, y) / square
    }
}

package func length(_ v: PhantomPoint) -> Float { (v.x * v.x + v.y * v.y).squareRoot() }

/// The unit vector at `angle` radians.
func direction(_ angle: Float) -> PhantomPoint { PhantomPoint(cos(angle), sin(angle)) }

/// `angle`, shifted by turns into -pi ... pi.
func wrapped(_ angle: Float) -> Float { angle - (2 * .pi) * (angle / (2 * .pi)).rounded() }
