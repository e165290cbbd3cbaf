/// How far samples lie where photographs lie, and photographs where samples lie. Around each picture of a set there is
/// a ball that reaches to its k-th neighbour in that set.
package struct Coverage: Codable, Hashable, Sendable {
    /// The share of samples in some photograph's ball, and of photographs in some sample's ball (Kynkäänniemi et al.
    /// 2019, equations 1 and 2).
    package let precision, recall: Double
    /// In how many photographs' balls a sample lies, divided by k; and the share of photographs with a sample in their
    /// ball (Naeem et al. 2020, equations 4 and 5).
    package let density, coverage: Double

    /// - Parameters:
    ///   - photographs, samples: more than `neighbours` rows each.
    ///   - neighbours: k; 5 in the papers.
    package init(photographs: FeatureRows, samples: FeatureRows, neighbours: Int = 5) {
        guard photographs.width == samples.width, neighbours > 0, min(photographs.count, samples.count) > neighbours
        else { fatalError("Coverage: \(photographs.count) and \(samples.count) rows, \(neighbours) neighbours") }
        let radii = Coverage.radii(photographs, neighbours), ownRadii = Coverage.radii(samples, neighbours)
        let balls = samples.map { sample in
            Double(
                (0..<photographs.count).count { samples.squaredDistance(sample, to: photographs, $0) < radii[$0] })
        }
        let near = photographs.map { photograph in
            let distances = (0..<samples.count).map { photographs.squaredDistance(photograph, to: samples, $0) }
            let isReached = zip(distances, ownRadii).contains { $0 < $1 }
            return (isReached ? 1 : 0) + ((distances.min() ?? .infinity) < radii[photograph] ? 2 : 0)
        }
        precision = Double(balls.count { $0 > 0 }) / Double(samples.count)
        density = balls.reduce(0, +) / Double(neighbours * samples.count)
        recall = Double(near.count { Int($0) & 1 != 0 }) / Double(photographs.count)
        coverage = Double(near.count { Int($0) & 2 != 0 }) / Double(photographs.count)
    }

    /// The squared distance of each row to its k-th neighbour.
    private static func radii(_ rows: FeatureRows, _ neighbours: Int) -> [Double] {
        rows.map { row in
            (0..<rows.count).filter { $0 != row }.map { rows.squaredDistance(row, to: rows, $0) }.sorted()[
                neighbours - 1]
        }
    }
}
