/// What a generator, or somebody who hides, may do to a photograph that it copies. The power of every test is its
/// recall of training photographs in these disguises at the threshold in use.
package enum Disguise: String, CaseIterable, Codable, Sendable {
    case plain, flip, rotation, recolour, recompression, crop
    case halfBlend = "half-blend"
}
