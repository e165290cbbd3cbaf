/// What a generator, or somebody who hides a copy, may do to a copied photograph. The power of a test is the share of
/// training photographs in these disguises that it finds at the threshold in use.
package enum Disguise: String, CaseIterable, Codable, Sendable {
    case plain, flip, rotation, recolour, recompression, crop
    case halfBlend = "half-blend"
}
