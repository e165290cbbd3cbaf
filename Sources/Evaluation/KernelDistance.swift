/// The squared maximum mean discrepancy of two sets under the kernel (x y / width + 1)^3, without bias (Binkowski et
/// al. 2018, "Demystifying MMD GANs", section 3; equation 3 of Gretton et al. 2012): the mean over the pairs of each
/// set less twice the mean over pairs of both. About 0 for equal distributions, and then it may be below 0.
struct KernelDistance {
    private let one: Kernels, other: Kernels, both: Kernels

    /// The kernels of all rows of one set with all rows of another, [rows][columns].
    private struct Kernels {
        let values: [[Double]]

        init(_ one: FeatureRows, _ other: FeatureRows) {
            values = one.mapRows { row in
                (0..<other.count).map { column in
                    let base = one.product(row, with: other, column) / Double(one.width) + 1
                    return base * base * base
                }
            }
        }

        /// The sum over pairs, each as often as its rows and columns are taken; a row and itself are no pair.
        func sum(_ rows: [Double], _ columns: [Double], isSame: Bool) -> Double {
            var sum = 0.0
            for (row, line) in values.enumerated() where rows[row] > 0 {
                var part = 0.0
                for (column, value) in line.enumerated() { part += columns[column] * value }
                sum += rows[row] * (isSame ? part - columns[row] * line[row] : part)
            }
            return sum
        }
    }

    /// - Parameters:
    ///   - one, other: at least two rows each.
    init(_ one: FeatureRows, _ other: FeatureRows) {
        (self.one, self.other, both) = (Kernels(one, one), Kernels(other, other), Kernels(one, other))
    }

    /// The distance of the sets.
    var value: Double {
        value(
            [Double](repeating: 1, count: one.values.count), [Double](repeating: 1, count: other.values.count))
    }

    /// The distance where each row is taken as often as stated. A row that is taken twice makes no pair with itself: a
    /// pair of equal pictures would say that the set is narrower than it is.
    /// - Returns: NaN where a set has no pairs.
    func value(_ first: [Double], _ second: [Double]) -> Double {
        func within(_ kernels: Kernels, _ times: [Double]) -> Double {
            let all = times.reduce(0, +), same = times.reduce(0) { $0 + $1 * $1 }
            return kernels.sum(times, times, isSame: true) / (all * all - same)
        }
        let pairs = first.reduce(0, +) * second.reduce(0, +)
        return within(one, first) + within(other, second) - 2 * both.sum(first, second, isSame: false) / pairs
    }
}
