import CheckpointStore
import Files

/// What a site says of its size. Nobody can check it from outside, so it is bounded, and what it earns is capped.
public struct ClaimedSize: Hashable, Sendable {
    public let patients: Int
    public let images: Int

    /// More patients, or training images, than any site has.
    static let mostPatients = 10_000_000, mostImages = 1_000_000_000_000

    /// - Parameter most: patients that the list of trust allows the site; nil where it says nothing.
    /// - Throws: `Failure(.badData)` for numbers that are negative or that no site has, and for patients that its own
    ///   cohort counts do not bear out; `.notPermitted` for more than the list allows.
    public init(_ data: [TrainingData], imagesSeen: Int, most: Int?, path: String) throws {
        func refuse(_ field: String, _ expected: String, _ found: Int) -> Failure {
            Failure(.badData, path, field: field, expected: expected, found: "\(found)")
        }
        guard (0...ClaimedSize.mostImages).contains(imagesSeen) else {
            throw refuse("imagesSeen", "0 to \(ClaimedSize.mostImages)", imagesSeen)
        }
        var patients = 0
        for set in data where set.inherited != true {
            guard (0...ClaimedSize.mostPatients).contains(set.patients) else {
                throw refuse("patients", "0 to \(ClaimedSize.mostPatients)", set.patients)
            }
            patients += set.patients
            guard set.patients == 0 || set.cohortCounts.values.contains(where: { !$0.isEmpty }) else {
                throw Failure(
                    .badData, path, field: "cohortCounts",
                    expected: "counts that bear out its \(set.patients) patients", found: "none")
            }
            for (attribute, counts) in set.cohortCounts.sorted(by: { $0.key < $1.key }) {
                for (code, count) in counts.sorted(by: { $0.key < $1.key })
                where !(0...ClaimedSize.mostPatients).contains(count) {
                    throw refuse("cohortCounts.\(attribute).\(code)", "0 to \(ClaimedSize.mostPatients)", count)
                }
                // Every patient has a value, unknown if no other; each count was rounded to 5.
                let most = counts.values.reduce(0, +) + 3 * (counts.count + 1)
                if !counts.isEmpty, set.patients > most {
                    throw refuse("patients", "at most \(most), after the counts by \(attribute)", set.patients)
                }
            }
        }
        guard patients <= ClaimedSize.mostPatients else {
            throw refuse("patients", "at most \(ClaimedSize.mostPatients)", patients)
        }
        if let most, patients > most {
            throw Failure(
                .notPermitted, path, field: "patients", expected: "at most \(most), after the list of trust",
                found: "\(patients)")
        }
        self.patients = patients
        images = imagesSeen
    }

    /// - Throws: `Failure(.badData)` for zero, which has no weight.
    func weight(_ weighting: MergeRecord.Weighting, path: String) throws -> Double {
        let claim =
            switch weighting {
            case .patients: patients
            case .images: images
            case .equal: 1
            }
        guard claim > 0 else {
            throw Failure(
                .badData, path, field: weighting.rawValue, expected: "more than 0, to be weighted by them", found: "0")
        }
        return Double(claim)
    }
}

/// Shares of a merge.
public enum Shares {
    /// Shares that follow the claims, none above its cap: what is cut goes to the others in proportion to their claims.
    /// Where the caps together allow less than all, they count as claims.
    ///
    /// - Parameters:
    ///   - claims: positive.
    ///   - caps: of a share, in (0, 1].
    /// - Returns: as many numbers, which sum to 1 but for rounding.
    public static func shares(_ claims: [Double], caps: [Double]) -> [Double] {
        let allowed = caps.reduce(0, +)
        guard allowed > 1 else { return caps.map { $0 / allowed } }
        var shares = claims, isCapped = [Bool](repeating: false, count: claims.count)
        while true {
            let free = claims.indices.filter { !isCapped[$0] }
            let rest = 1 - claims.indices.filter { isCapped[$0] }.reduce(0) { $0 + caps[$1] }
            let total = free.reduce(0) { $0 + claims[$1] }
            for i in claims.indices { shares[i] = isCapped[i] ? caps[i] : claims[i] / total * rest }
            let above = free.filter { shares[$0] > caps[$0] }
            if above.isEmpty { return shares }
            for i in above { isCapped[i] = true }
        }
    }
}
