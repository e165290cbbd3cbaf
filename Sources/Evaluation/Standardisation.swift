import Statistics

/// Brings features to mean 0 and deviation 1 of one set.
struct Standardisation {
    /// What becomes of features that are constant in that set.
    enum Constants {
        case leftOut
        /// Their differences stay as they are, as in scikit-learn's `StandardScaler`.
        case keptAsTheyAre
    }

    private let means: [Double], scales: [Double], kept: [Int]
    /// The number of features that are left.
    var width: Int { kept.count }

    init(_ rows: FeatureRows, constants: Constants) {
        let columns = (0..<rows.width).map { feature in
            stride(from: feature, to: rows.elements.count, by: rows.width).map { rows.elements[$0] }
        }
        let deviations = columns.map(\.deviation), means = columns.map(\.mean)
        // The deviation of a constant may be some rounding.
        let isConstant = columns.map { $0.min() == $0.max() }
        (self.means, scales) = (means, zip(deviations, isConstant).map { $1 ? 1 : $0 })
        kept = isConstant.indices.filter { !isConstant[$0] || constants == .keptAsTheyAre }
    }

    /// - Parameter cut: values beyond it are brought to it, so that one odd picture does not decide.
    func applied(to rows: FeatureRows, cut: Double = .infinity) -> FeatureRows {
        FeatureRows(
            (0..<rows.count).map { row in
                kept.map { feature in
                    let value = (rows.elements[row * rows.width + feature] - means[feature]) / scales[feature]
                    return min(cut, max(-cut, value))
                }
            })
    }
}
