import Pictures
import Statistics

/// The vessels of a fundus photograph, for overlays and for comparison with a human observer.
/// - Returns: the filter's response, larger on vessels and in no unit, and which pixels lie in the field of view
///   without its rim; both [height, width]. The map is 0 outside.
package func vesselMap(_ picture: Picture) -> (map: [Float], insideFieldOfView: [Bool]) {
    let lit = LitRegion.mask(of: picture)
    let filter = VesselFilter(FlatField.values(of: picture, inside: lit), width: picture.width, height: picture.height)
    let inside = withoutRim(lit, of: picture)
    return (zip(filter.strength, inside).map { $1 ? $0 : 0 }, inside)
}

/// Which pixels of a photograph lie in its field of view without its rim, [height, width]. None where nothing is lit.
package func fieldOfView(of picture: Picture) -> [Bool] { withoutRim(LitRegion.mask(of: picture), of: picture) }

private func withoutRim(_ lit: [Bool], of picture: Picture) -> [Bool] {
    let rim = max(2, (max(picture.width, picture.height) + 50) / 100)
    return LitRegion.eroded(lit, width: picture.width, height: picture.height, by: rim)
}

/// How likely each pixel is a vessel, from 0 to 1, [height, width]. It is 0 at the filter's response to the background
/// (the 80th percentile inside the field of view) and 1 at the response to clear vessels (the 97th percentile).
package func vesselShares(_ picture: Picture) -> [Float] {
    let (map, inside) = vesselMap(picture)
    let known = zip(map, inside).filter(\.1).map(\.0).sorted()
    guard known.count > 100 else { return [Float](repeating: 0, count: map.count) }
    let ground = max(0, known[known.count * 80 / 100]), clear = max(known[known.count * 97 / 100], ground + 1e-6)
    return map.map { min(1, max(0, ($0 - ground) / (clear - ground))) }
}

/// How well the vessels of two pictures of one eye agree that lie upon each other: the correlation of the filter's
/// responses where both fields of view are, -1 to 1. Nil where a picture has no field of view.
package func vesselAgreement(_ one: Picture, _ other: Picture) -> Double? {
    let maps = (vesselMap(one), vesselMap(other))
    let common = maps.0.map.indices.filter { maps.0.insideFieldOfView[$0] && maps.1.insideFieldOfView[$0] }
    guard !common.isEmpty else { return nil }
    return RankCorrelation.pearson(common.map { Double(maps.0.map[$0]) }, common.map { Double(maps.1.map[$0]) })
}
