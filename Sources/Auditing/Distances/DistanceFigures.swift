import Foundation
import Pictures
import Randomness
import Statistics
import TensorCore
import Verdicts

extension DistanceFigures {
    /// How often half of the holdout's patients, and as many training patients, are drawn. The intervals are those of
    /// half the data, which makes them wider.
    private static let rounds = 100

    package init(samples pictures: PictureSet, train: PictureSet, holdout: PictureSet) {
        let samples = DistanceSpace(pictures, mirrored: false)
        let trainSpace = DistanceSpace(train, mirrored: true), holdoutSpace = DistanceSpace(holdout, mirrored: false)
        let dataCopying = DataCopying(samples: samples, train: trainSpace, holdout: holdoutSpace)
        // About a thousand samples, evenly spread, are enough.
        let step = max(1, pictures.count / 1000),
            some = DistanceSpace(
                pictures.selecting(Array(stride(from: 0, to: pictures.count, by: step))), mirrored: false)
        let own = some.nearest(to: some, k: 2).map { $0.count > 1 ? $0[1] : .infinity }
        let sides = [Side(train), Side(holdout)]
        let half = max(2, sides[1].patients.count / 2)
        var drawn: [[[Double]]] = [[], []]
        for round in 0..<DistanceFigures.rounds {
            for (number, side) in sides.enumerated() {
                var random = Philox(seed: UInt64(number), stream: .bootstrap, index: UInt64(round) | 1 << 40)
                let order = random.permutation(side.patients.count).prefix(half)
                drawn[number].append(side.measures(order.flatMap { side.patients[$0] }, some, own))
            }
        }
        func measure(_ index: Int) -> Measure {
            let values = drawn.map { rounds in rounds.map { $0[index] } }
            let differences = zip(values[0], values[1]).map { $0 - $1 }.sorted()
            func mean(_ a: [Double]) -> Double { a.reduce(0, +) / Double(a.count) }
            let difference = Estimate(
                value: mean(differences), low: quantile(differences, 0.025), high: quantile(differences, 0.975))
            return Measure(train: mean(values[0]), holdout: mean(values[1]), difference: difference)
        }
        self.init(
            dataCopying: dataCopying, authenticity: measure(0), nearestNeighborDistanceRatio: measure(1),
            distanceToClosestRecord: measure(2), adversarialAccuracy: measure(3))
    }

    /// The photographs of one side, by patient.
    private struct Side {
        private let count: Int
        /// All photographs of the side, with mirror images and without. They are standardised once for all draws.
        private let space, plain: DistanceSpace
        /// The rows of each patient.
        let patients: [[Int]]

        init(_ pictures: PictureSet) {
            count = pictures.count
            (space, plain) = (DistanceSpace(pictures, mirrored: true), DistanceSpace(pictures, mirrored: false))
            patients = Dictionary(grouping: 0..<pictures.count) { pictures.patients[$0] }.sorted { $0.key < $1.key }
                .map(\.value)
        }

        /// The four measures with some of the side's photographs.
        func measures(_ rows: [Int], _ samples: DistanceSpace, _ own: [Double]) -> [Double] {
            let space = space.selecting(rows, of: count), plain = plain.selecting(rows, of: count)
            let found = nearestNeighbors(of: samples.vectors, in: space.vectors, k: 4)
            let between = space.nearest(to: plain, excludingOwnPatient: true).map { $0[0] }
            var authentic = 0.0, ratios: [Double] = [], closest: [Double] = [], farther = 0.0
            for row in 0..<samples.vectors.count {
                let places = (row * found.k)..<(row + 1) * found.k
                let distances = places.map { found.distances[$0].squareRoot() },
                    index = found.indices[row * found.k] % rows.count
                if distances[0] > between[index] { authentic += 1 }
                // The second nearest must be another photograph, not the mirror image of the nearest.
                let second = places.first { found.indices[$0] >= 0 && found.indices[$0] % rows.count != index }.map {
                    found.distances[$0].squareRoot()
                }
                if let second, second > 0 { ratios.append(distances[0] / second) }
                closest.append(distances[0])
                if distances[0] > own[row] { farther += 1 }
            }
            let back = samples.nearest(to: plain).map { $0[0] }
            let apart = zip(back, between).count { $0 > $1 }
            let count = Double(samples.vectors.count)
            return [
                authentic / count, ratios.sorted()[ratios.count / 2],
                closest.sorted()[Int(0.05 * Double(closest.count))],
                0.5 * (Double(apart) / Double(rows.count) + farther / count),
            ]
        }
    }
}
