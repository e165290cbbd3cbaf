import CheckpointStore
import Files

/// What a site says about its size. Nobody can check that from outside. For this reason, the claim is bounded, and the
/// share that follows from it is capped.
public struct ClaimedSize: Hashable, Sendable {
    public let patients: Int
    /// The number of training images that the weights saw.
    public let images: Int

    /// Bounds that no site reaches, for patients and for training images.
    static let mostPatients = 10_000_000, mostImages = 1_000_000_000_000

    /// Reads and checks a site's claim.
    /// - Parameter most: the most patients that the list of trust allows the site; nil where the list has no limit.
    /// - Throws: `Failure(.badData)` where a number is negative or larger than any site's, or where the site's own
    ///   cohort counts have fewer patients than it claims; `Failure(.notPermitted)` where the site claims more patients
    ///   than the list allows.
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
                    expected: "counts that add up to its \(set.patients) patients", found: "none")
            }
            for (attribute, counts) in set.cohortCounts.sorted(by: { $0.key < $1.key }) {
                for (code, count) in counts.sorted(by: { $0.key < $1.key })
                where !(0...ClaimedSize.mostPatients).contains(count) {
                    throw refuse("cohortCounts.\(attribute).\(code)", "0 to \(ClaimedSize.mostPatients)", count)
                }
                // Every patient is counted under one value, which may be unknown. Each count was rounded to 5.
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

    /// The claim as a weight.
    /// - Throws: `Failure(.badData)` where the claim is zero.
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

/// Computes the shares of a merge.
public enum Shares {
    /// Shares that are proportional to the claims, with none above its cap. What a cap cuts off goes to the other
    /// shares in proportion to their claims. Where the caps sum to 1 or less, the shares are proportional to the caps.
    ///
    /// - Parameters:
    ///   - claims: positive numbers.
    ///   - caps: the largest value of each share, in (0, 1].
    /// - Returns: one share for each claim; the shares sum to 1 but for rounding.
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
