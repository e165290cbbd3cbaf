import Pictures

/// The vessels of a fundus photograph, for overlays and for comparison with a human observer.
/// - Returns: the filter's response, larger on vessels and in no unit, and which pixels lie in the field of view without its rim; both
///   [height, width]. The map is 0 outside.
package func vesselMap(_ picture: Picture) -> (map: [Float], insideFieldOfView: [Bool]) {
    let lit = LitRegion.mask(of: picture)
    let filter = VesselFilter(FlatField.values(of: picture, inside: lit), width: picture.width, height: picture.height)
    let rim = max(2, (max(picture.width, picture.height) + 50) / 100)
    let inside = LitRegion.eroded(lit, width: picture.width, height: picture.height, by: rim)
    return (zip(filter.strength, inside).map { $1 ? $0 : 0 }, inside)
}
