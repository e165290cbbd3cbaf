import Foundation

/// How many pieces of one level there are by their level and size.
private struct Pieces {
    /// Entries with counts above 0, in a fixed order.
    let entries: [(level: Double, size: Double, count: Double)]

    /// What pyradiomics calls the features of pieces.
    struct Words {
        let short: String, long: String, piece: String, nonUniformity: String
    }

    static let runs = Words(short: "ShortRun", long: "LongRun", piece: "Run", nonUniformity: "RunLength")
    static let zones = Words(short: "SmallArea", long: "LargeArea", piece: "Zone", nonUniformity: "SizeZone")

    /// (Galloway 1975, Chu et al. 1990, Dasarathy and Holder 1991; IBSI sections 3.7 and 3.8, which have the same
    /// formulas.)
    func features(_ words: Words) -> [NamedFeature] {
        let total = entries.reduce(0) { $0 + $1.count }
        /// The mean over pieces.
        func mean(_ value: (Double, Double) -> Double) -> Double {
            entries.reduce(0) { $0 + $1.count * value($1.level, $1.size) } / total
        }
        /// The sum of the squared counts of all pieces that have a property in common.
        func squares(_ property: (Double, Double) -> Double) -> Double {
            var counts: [Double: Double] = [:]
            for entry in entries { counts[property(entry.level, entry.size), default: 0] += entry.count }
            // Whole numbers, whose sum does not depend on the order.
            return counts.values.reduce(0) { $0 + $1 * $1 }
        }
        let level = mean { level, _ in level }, size = mean { $1 }
        let ofLevels = squares { level, _ in level } / total, ofSizes = squares { $1 } / total
        let (short, long, piece) = (words.short, words.long, words.piece)
        return [
            ("GrayLevelNonUniformity", ofLevels), ("GrayLevelNonUniformityNormalized", ofLevels / total),
            ("GrayLevelVariance", mean { i, _ in (i - level) * (i - level) }),
            ("HighGrayLevel\(piece)Emphasis", mean { i, _ in i * i }), ("\(long)Emphasis", mean { $1 * $1 }),
            ("\(long)HighGrayLevelEmphasis", mean { $0 * $0 * $1 * $1 }),
            ("\(long)LowGrayLevelEmphasis", mean { $1 * $1 / ($0 * $0) }),
            ("LowGrayLevel\(piece)Emphasis", mean { i, _ in 1 / (i * i) }),
            ("\(piece)Entropy", entropy(entries.lazy.map { $0.count / total })),
            ("\(words.nonUniformity)NonUniformity", ofSizes),
            ("\(words.nonUniformity)NonUniformityNormalized", ofSizes / total), ("\(piece)Percentage", 1 / size),
            ("\(piece)Variance", mean { ($1 - size) * ($1 - size) }), ("\(short)Emphasis", mean { 1 / ($1 * $1) }),
            ("\(short)HighGrayLevelEmphasis", mean { $0 * $0 / ($1 * $1) }),
            ("\(short)LowGrayLevelEmphasis", mean { 1 / ($0 * $0 * $1 * $1) }),
        ]
    }
}

extension GreyLevels {
    /// How long lines of one level are: pyradiomics' class `glrlm`.
    var runFeatures: [NamedFeature] {
        meanOverDirections { step in Pieces(entries: runs(step)).features(Pieces.runs) }
    }

    private func runs(_ step: Int) -> [(level: Double, size: Double, count: Double)] {
        // No line is longer than there are lines or columns.
        let longest = max(stride, levels.count / stride)
        var counts = [Int](repeating: 0, count: (highest + 1) * longest)
        levels.withUnsafeBufferPointer { levels in
            for place in stride..<levels.count - stride {
                let level = levels[place]
                if level == 0 || levels[place - step] == level { continue }
                var length = 1
                while levels[place + length * step] == level { length += 1 }
                counts[Int(level) * longest + length] += 1
            }
        }
        return counts.indices.filter { counts[$0] > 0 }.map {
            (Double($0 / longest), Double($0 % longest), Double(counts[$0]))
        }
    }

    /// How large connected parts of one level are, across corners, too: pyradiomics' class `glszm`.
    var zoneFeatures: [NamedFeature] { Pieces(entries: zones).features(Pieces.zones) }

    private var zones: [(level: Double, size: Double, count: Double)] {
        struct Zone: Hashable {
            let level: Int32, size: Int
        }
        let neighbours = directions + directions.map(-)
        var left = levels, counts: [Zone: Int] = [:], stack: [Int] = []
        left.withUnsafeMutableBufferPointer { left in
            for start in left.indices where left[start] > 0 {
                let level = left[start]
                var size = 0
                left[start] = 0
                stack.append(start)
                while let place = stack.popLast() {
                    size += 1
                    for step in neighbours where left[place + step] == level {
                        left[place + step] = 0
                        stack.append(place + step)
                    }
                }
                counts[Zone(level: level, size: size), default: 0] += 1
            }
        }
        return counts.sorted { ($0.key.level, $0.key.size) < ($1.key.level, $1.key.size) }.map {
            (Double($0.key.level), Double($0.key.size), Double($0.value))
        }
    }
}
