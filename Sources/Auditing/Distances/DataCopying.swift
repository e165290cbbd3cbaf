import Foundation
import Statistics
import TensorCore
import Verdicts

extension DataCopying {
    init(samples: DistanceSpace, train: DistanceSpace, holdout: DistanceSpace) {
        let wanted = max(1, min(5, holdout.vectors.count / 20))
        let centers = DataCopying.centers(train, count: wanted)
        func cell(_ space: DistanceSpace) -> [Int] { nearestNeighbors(of: space.vectors, in: centers, k: 1).indices }
        let sampleCells = cell(samples), holdoutCells = cell(holdout)
        let sampleDistances = train.nearest(to: samples).map { $0[0] },
            holdoutDistances = train.nearest(to: holdout).map { $0[0] }
        var sum = 0.0, weights = 0.0, used = 0
        for index in 0..<centers.count {
            let own = sampleDistances.indices.filter { sampleCells[$0] == index }.map { sampleDistances[$0] }
            let others = holdoutDistances.indices.filter { holdoutCells[$0] == index }.map { holdoutDistances[$0] }
            // A cell with hardly any samples or holdout photographs says nothing.
            guard own.count >= 10, others.count >= 5 else { continue }
            sum += Double(others.count) * RankTest.mannWhitney(own, above: others).z
            weights += Double(others.count)
            used += 1
        }
        self.init(
            zScore: used > 0 ? sum / weights : RankTest.mannWhitney(sampleDistances, above: holdoutDistances).z,
            cells: max(1, used))
    }

    /// The centers of k-means over the training photographs (Lloyd 1982), seeded with the farthest points.
    private static func centers(_ space: DistanceSpace, count: Int) -> NeighborVectors {
        let vectors = space.vectors, width = vectors.width
        func row(_ i: Int) -> ArraySlice<Float> { vectors.elements[i * width..<(i + 1) * width] }
        var chosen = [0]
        while chosen.count < count {
            let current = NeighborVectors(chosen.flatMap { row($0) }, count: chosen.count, width: width)
            let distances = nearestNeighbors(of: vectors, in: current, k: 1).distances
            chosen.append(distances.indices.max { distances[$0] < distances[$1] } ?? 0)
        }
        var centers = NeighborVectors(chosen.flatMap { row($0) }, count: count, width: width)
        for _ in 0..<10 where count > 1 {
            let cells = nearestNeighbors(of: vectors, in: centers, k: 1).indices
            var sums = [Double](repeating: 0, count: count * width), sizes = [Double](repeating: 0, count: count)
            for (i, cell) in cells.enumerated() {
                sizes[cell] += 1
                for (c, value) in row(i).enumerated() { sums[cell * width + c] += Double(value) }
            }
            let means: [Float] = sums.indices.map { place in
                let size = sizes[place / width]
                return size > 0 ? Float(sums[place] / size) : centers.elements[place]
            }
            centers = NeighborVectors(means, count: count, width: width)
        }
        return centers
    }
}
