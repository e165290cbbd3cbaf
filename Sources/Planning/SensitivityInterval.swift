import Statistics

/// How exactly the sensitivity of a classifier can be told on some patients with the disease.
public enum SensitivityInterval {
    /// The sensitivity that is assumed: where it is known before a test, no test is needed.
    public static let assumed = 0.8

    /// Half the width of the exact 95 % interval (Clopper and Pearson 1934) where 80 % of `patients` are found, 0 to
    /// 0.5; nil without patients.
    public static func halfWidth(patients: Int) -> Double? {
        guard patients > 0 else { return nil }
        let found = Rate(hits: Int((assumed * Double(patients)).rounded()), count: patients)
        return (found.upperBound(confidence: 0.975) - found.lowerBound(confidence: 0.975)) / 2
    }

    /// The fewest patients, in fives, of whom that half-width is at most `width`.
    public static func patients(for width: Double) -> Int {
        var low = 0, high = 1
        while halfWidth(patients: 5 * high).map({ $0 > width }) ?? true { high *= 2 }
        // `low` is too few, and `high` is enough. With whole fives, the half-width falls with every step.
        while high - low > 1 {
            let middle = (low + high) / 2
            if halfWidth(patients: 5 * middle).map({ $0 > width }) ?? true { low = middle } else { high = middle }
        }
        return 5 * high
    }
}
