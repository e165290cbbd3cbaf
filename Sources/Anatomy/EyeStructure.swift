import Pictures
import TensorCore

/// A structure of the eye of which a map can be read from a picture. The raw value is the name in files;
/// docs/anatomy.md has methods and errors.
package enum EyeStructure: String, CaseIterable, Sendable {
    case vessels
    case opticDisc = "optic_disc"
    case opticCup = "optic_cup"
    case macula
    case brightLesions = "bright_lesions"
    case darkLesions = "dark_lesions"

    /// The radius of the macula's circle in disc diameters, as grading scales define it.
    static let maculaRadius: Float = 1

    /// The maps of some structures in pictures, read from the pixels.
    /// - Parameters:
    ///   - pixels: [count, side, side, 3], black outside the field of view.
    ///   - side: the pictures' width and height, at least `EyeAnatomy.leastSideForVessels`.
    /// - Returns: for each structure [count, side, side], from 0 for nowhere to 255 where it is certain. Where no field
    ///   of view was found, the maps of a picture are 0.
    package static func maps(_ structures: [EyeStructure], of pixels: [UInt8], side: Int) -> [[UInt8]] {
        let area = side * side, count = pixels.count / (3 * area)
        var maps = [[UInt8]](repeating: [], count: count * structures.count)
        maps.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let maps = buffer
            parallelFor(count) { number in
                let own = Array(pixels[3 * area * number..<3 * area * (number + 1)])
                let findings = EyeFindings(Picture(width: side, height: side, pixels: own))
                for (place, structure) in structures.enumerated() {
                    maps[count * place + number] =
                        findings.map { resized($0.map(structure), to: side) } ?? [UInt8](repeating: 0, count: area)
                }
            }
        }
        return structures.indices.map { place in maps[count * place..<count * (place + 1)].flatMap { $0 } }
    }

    /// A map of the scene's size at another size, each pixel from the nearest one.
    private static func resized(_ map: [UInt8], to side: Int) -> [UInt8] {
        let own = EyeScene.side
        if own == side { return map }
        let from = (0..<side).map { (2 * $0 + 1) * own / (2 * side) }
        return from.flatMap { y in from.map { x in map[y * own + x] } }
    }
}
