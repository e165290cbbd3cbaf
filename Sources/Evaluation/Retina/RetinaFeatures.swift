import Foundation
import Pictures
import RetinalMatching
import Statistics

/// Features of a picture as a photograph of a retina: those of `PhotographFeatures` (colours, spectrum by octave,
/// coarse layout), and its vessels, its brightest spot and its texture. Nothing in them is trained.
package enum RetinaFeatures {
    /// What each feature is, for pictures of `size` by `size` pixels.
    package static func names(size: Int) -> [String] {
        let side = PhotographFeatures.side(ofSize: size)
        return PhotographFeatures.names(side: side)
            + ownFeatures(of: Picture(width: side, height: side)).map(\.name)
    }

    /// [count, names.count]
    package static func rows(_ pictures: PictureSet) -> FeatureRows {
        let side = PhotographFeatures.side(ofSize: pictures.size)
        return FeatureRows(pictures) { picture in
            let picture = picture.resized(width: side, height: side)
            return PhotographFeatures.features(picture) + ownFeatures(of: picture).map(\.value)
        }
    }

    /// - Parameter picture: a square.
    private static func ownFeatures(of picture: Picture) -> [NamedFeature] {
        let side = picture.width, vessels = vesselMap(picture), inside = describedRegion(vessels.insideFieldOfView)
        let places = inside.indices.filter { inside[$0] }
        let planes = (0..<3).map { channel in inside.indices.map { Double(picture.pixels[3 * $0 + channel]) } }
        return colours(planes, places) + vesselFeatures(vessels.map, places, side: side)
            + brightSpot(planes, inside, side: side) + texture(planes[1], inside, side: side)
    }

    /// How far the channels say the same.
    private static func colours(_ planes: [[Double]], _ places: [Int]) -> [NamedFeature] {
        func correlation(_ a: Int, _ b: Int) -> Double {
            let one = places.map { planes[a][$0] }, other = places.map { planes[b][$0] }
            let (mean, otherMean) = (one.mean, other.mean), scale = one.deviation * other.deviation
            let product = zip(one, other).map { ($0 - mean) * ($1 - otherMean) }.mean
            return scale > 0 ? product / scale : 0
        }
        return [("red with green", correlation(0, 1)), ("green with blue", correlation(1, 2))]
    }

    /// The response of the vessel filter above which a twelfth of the pixels counts as vessels.
    private static let vesselShare = 11.0 / 12
    /// The sides of the grid in which vessels are counted.
    private static let grid = 3

    /// How strong the vessels are, where they lie, and how well they hold together.
    private static func vesselFeatures(_ map: [Float], _ places: [Int], side: Int) -> [NamedFeature] {
        let quantile = Quantiles(places.map { Double(map[$0]) }), clear = quantile(vesselShare)
        var features: [NamedFeature] = [0.5, 0.8, 0.9, 0.97, 0.99].map {
            ("vessel response at \($0)", quantile($0))
        }
        let isVessel = map.map { Double($0) > clear }
        var cells = [Double](repeating: 0, count: grid * grid), neighbours = 0.0, count = 0.0
        for place in places where isVessel[place] {
            let x = place % side, y = place / side
            cells[y * grid / side * grid + x * grid / side] += 1
            count += 1
            for step in [-side - 1, -side, -side + 1, -1, 1, side - 1, side, side + 1] {
                let other = place + step
                if map.indices.contains(other), isVessel[other] { neighbours += 1 }
            }
        }
        for cell in cells.indices {
            features.append(("vessels at row \(cell / grid) column \(cell % grid)", cells[cell] / max(1, count)))
        }
        return features + [("vessel neighbours", neighbours / max(1, count))]
    }

    /// The number of cells along a side in which brightness is averaged for the bright spot, which covers three by
    /// three of them: about an optic disc.
    private static let cells = 32

    /// Where the brightest spot lies, and how much it stands out.
    private static func brightSpot(_ planes: [[Double]], _ inside: [Bool], side: Int) -> [NamedFeature] {
        let cell = side / cells
        var sums = [Double](repeating: 0, count: cells * cells), counts = sums
        for place in inside.indices where inside[place] {
            let index = place / side / cell * cells + place % side / cell
            sums[index] += (planes[0][place] + planes[1][place]) / 2
            counts[index] += 1
        }
        let full = Double(cell * cell)
        var best = (x: cells / 2, y: cells / 2, value: -1.0), all: [Double] = []
        for y in 1..<cells - 1 {
            for x in 1..<cells - 1 {
                let near = [-1, 0, 1].flatMap { dy in [-1, 0, 1].map { (y + dy) * cells + x + $0 } }
                guard near.allSatisfy({ counts[$0] == full }) else { continue }
                let value = near.reduce(0) { $0 + sums[$1] } / (9 * full)
                all.append(value)
                if value > best.value { best = (x, y, value) }
            }
        }
        let mean = all.mean, deviation = all.deviation, half = (best.value + mean) / 2
        return [
            ("bright spot x", Double(best.x) / Double(cells)), ("bright spot y", Double(best.y) / Double(cells)),
            ("bright spot contrast", deviation > 0 ? (best.value - mean) / deviation : 0),
            ("bright share", all.isEmpty ? 0 : Double(all.count { $0 > half }) / Double(all.count)),
        ]
    }

    /// The width of a step of green.
    private static let binWidth = 8.0

    private static func texture(_ green: [Double], _ inside: [Bool], side: Int) -> [NamedFeature] {
        let grey = GreyLevels(green, isInside: inside, width: side, binWidth: binWidth)
        let chosen: Set = ["Contrast", "Correlation", "Idm", "JointEntropy"]
        return grey.cooccurrenceFeatures.filter { chosen.contains($0.name) }
            + grey.toneFeatures.map {
                ("tone \($0.name)", $0.value)
            }
    }
}
