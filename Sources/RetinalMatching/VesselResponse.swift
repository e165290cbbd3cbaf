import Pictures

/// What the filter for vessels finds in a photograph that is cut to its field of view. `VesselField` and
/// `PhotographFigures` are both made from it, so that a photograph is filtered once.
package struct VesselResponse: Sendable {
    /// The width of the rim that is left out, in pixels.
    private static let rim = 5

    /// [side, side], where the side is `VesselField.workingSide`.
    let picture: Picture
    let filter: VesselFilter
    /// The pixels of the lit field of view without its rim. [side, side]
    let inside: [Bool]

    /// - Parameter picture: larger pictures are shrunk, and smaller pictures are enlarged.
    package init(_ picture: Picture) {
        let side = VesselField.workingSide
        self.picture = picture.resized(width: side, height: side)
        let lit = LitRegion.mask(of: self.picture)
        filter = VesselFilter(FlatField.values(of: self.picture, inside: lit), width: side, height: side)
        inside = LitRegion.eroded(lit, width: side, height: side, by: Self.rim)
    }
}
