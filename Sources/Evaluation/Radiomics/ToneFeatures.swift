import Foundation

extension GreyLevels {
    /// How much a pixel differs from the mean of its neighbours: pyradiomics' class `ngtdm`, at distance 1. (Amadasun
    /// and King, "Textural features corresponding to textural properties", 1989; IBSI section 3.10.)
    var toneFeatures: [NamedFeature] {
        let neighbours = directions + directions.map(-)
        var counts = [Double](repeating: 0, count: highest + 1), sums = counts
        levels.withUnsafeBufferPointer { levels in
            for place in levels.indices where levels[place] > 0 {
                let level = levels[place]
                var sum: Int32 = 0, known = 0
                for step in neighbours where levels[place + step] > 0 {
                    sum += levels[place + step]
                    known += 1
                }
                if known == 0 { continue }
                counts[Int(level)] += 1
                sums[Int(level)] += abs(Double(level) - Double(sum) / Double(known))
            }
        }
        let total = counts.reduce(0, +), difference = sums.reduce(0, +)
        // Levels that occur: the level, its share, and its differences.
        let present = counts.indices.filter { counts[$0] > 0 }.map {
            (level: Double($0), share: counts[$0] / total, sum: sums[$0])
        }
        let weighted = present.reduce(0) { $0 + $1.share * $1.sum }
        var contrast = 0.0, busyness = 0.0, complexity = 0.0, strength = 0.0
        for a in present {
            for b in present {
                let apart = abs(a.level - b.level)
                contrast += a.share * b.share * apart * apart
                busyness += abs(a.level * a.share - b.level * b.share)
                complexity += apart * (a.share * a.sum + b.share * b.sum) / (a.share + b.share)
                strength += (a.share + b.share) * apart * apart
            }
        }
        let kinds = Double(present.count)
        return [
            ("Busyness", busyness > 0 ? weighted / busyness : 0), ("Coarseness", weighted > 0 ? 1 / weighted : 1e6),
            ("Complexity", complexity / total),
            ("Contrast", kinds > 1 ? contrast / (kinds * (kinds - 1)) * difference / total : 0),
            ("Strength", difference > 0 ? strength / difference : 0),
        ]
    }
}
