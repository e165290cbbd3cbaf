import CheckpointStore
import Files
import Foundation
import TensorCore

/// Looks for updates that are unlike the others: by their norm, their direction and, where the coordinator has pictures
/// of its own, their effect on the loss on these pictures (the canary batch). The screening only names outliers; the
/// coordinator decides what to do.
public struct Screening: Codable, Hashable, Sendable {
    /// What was found out about one site.
    public struct Site: Codable, Hashable, Sendable {
        public var name: String
        /// The norm of the site's update, relative to the median of all norms.
        public var norm: Double
        /// The median of the cosines between the site's update and the others'.
        public var cosine: Double
        /// The loss on the canary batch of the base with this update alone; nil where there is no canary batch.
        public var canaryLoss: Double?
        /// Why the site is an outlier; empty where it is not.
        public var reasons: [String]
    }

    /// The fewest sites for which a screening is done. With fewer sites, nobody can say what is usual.
    public static let fewestSites = 5

    /// `done`, or `too few` where there are fewer than five sites.
    public var state: String
    public var sites: [Site]

    /// The state where there are fewer than `fewestSites`.
    public static let tooFew = "too few"

    /// The sites that have a reason.
    public var outliers: [Site] { sites.filter { !$0.reasons.isEmpty } }

    /// Checks that there are no outliers.
    /// - Throws: `Failure(.notPermitted)` naming the outliers.
    public func requireNone() throws {
        guard let first = outliers.first else { return }
        throw Failure(
            .notPermitted, nil,
            """
            the screening names \(outliers.map(\.name).joined(separator: ", ")): \(first.name) has \
            \(first.reasons.joined(separator: "; ")); nothing was written
            """
        )
    }

    /// Screens the updates of all sites.
    /// - Parameters:
    ///   - names: the names of the sites.
    ///   - norms: the norms of the sites' updates.
    ///   - cosines: the cosines between each two updates, [sites][sites].
    ///   - canary: each site's loss on the canary batch; empty where there is no canary batch.
    ///   - baseLoss: the base's loss on the canary batch.
    public init(names: [String], norms: [Double], cosines: [[Double]], canary: [Double], baseLoss: Double?) {
        let count = names.count
        let middle = median(norms)
        let typical = (0..<count).map { i in median((0..<count).filter { $0 != i }.map { cosines[i][$0] }) }
        sites = (0..<count).map { i in
            Site(
                name: names[i], norm: middle > 0 ? norms[i] / middle : norms[i] > 0 ? .greatestFiniteMagnitude : 1,
                cosine: typical[i], canaryLoss: canary.isEmpty ? nil : canary[i], reasons: [])
        }
        guard count >= Screening.fewestSites else {
            state = Screening.tooFew
            return
        }
        state = "done"
        let logs = sites.map { log(max($0.norm, 1e-12)) }
        for i in 0..<count {
            if Screening.isFar(logs[i], among: logs, least: log(3)) {
                sites[i].reasons.append("norm \(Screening.short(sites[i].norm)) times the median")
            }
            // Honest updates from different patients still point into one half space. Their spread is measured, not
            // assumed.
            if typical[i] < 0, median(typical) > 0 || Screening.isFar(typical[i], among: typical, least: 0.05) {
                sites[i].reasons.append(
                    """
                    cosine \(Screening.short(typical[i])) to the others, whose median is \
                    \(Screening.short(median(typical)))
                    """
                )
            } else if typical[i] < median(typical) / 4, Screening.isFar(typical[i], among: typical, least: 0.2) {
                sites[i].reasons.append(
                    """
                    cosine \(Screening.short(typical[i])) to the others, whose median is \
                    \(Screening.short(median(typical)))
                    """
                )
            }
            if let twin = (0..<count).first(where: { $0 != i && cosines[i][$0] > 0.999 }) {
                sites[i].reasons.append(
                    """
                    cosine \(String(format: "%.5f", cosines[i][twin])) to \(names[twin]): one may be a copy of the other
                    """
                )
            }
            if !canary.isEmpty {
                let isNoNumber = !canary[i].isFinite
                let isFar =
                    Screening.isFar(
                        log(max(canary[i], 1e-12)), among: canary.filter(\.isFinite).map { log(max($0, 1e-12)) },
                        least: log(1.5)) && canary[i] > median(canary)
                if isNoNumber || isFar {
                    sites[i].reasons.append(
                        """
                        loss \(Screening.short(canary[i])) on the canary batch, where the median is \
                        \(Screening.short(median(canary))) and the base's \(baseLoss.map(Screening.short) ?? "unknown")
                        """
                    )
                }
            }
        }
    }

    private static func short(_ number: Double) -> String { String(format: "%.3g", number) }

    /// Whether the distance of a number from the median is more than 3.5 robust deviations (Iglewicz and Hoaglin 1993)
    /// and more than `least`.
    static func isFar(_ number: Double, among all: [Double], least: Double) -> Bool {
        let middle = median(all), deviation = 1.4826 * median(all.map { abs($0 - middle) })
        return !(abs(number - middle) <= max(least, 3.5 * deviation))
    }
}

private func median(_ numbers: [Double]) -> Double {
    let sorted = numbers.sorted()
    return sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

extension Admission {
    /// The cosines between the updates, [sites][sites].
    ///
    /// The frozen factors A of `ffa` adapters are orthonormal, so that the cosine between two factors B is the cosine
    /// between the updates. For `lora` adapters, the cosine is taken between the numbers of A and B together. That is
    /// enough to see an update whose direction is reversed.
    /// - Throws: `Failure(.badData)` where a parcel lacks a tensor; `Failure(.readOrWriteFailed)`.
    public func cosines(_ base: MergeBase) throws -> [[Double]] {
        let count = admitted.count, run = 1 << 16
        var gram = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
        guard let entries = admitted.first?.parcel.index.entries, count > 1 else { return gram.map { _ in [1] } }
        let scales = admitted.map { Float($0.length > 0 ? 1 / $0.length : 0) }
        for entry in entries {
            let own = try admitted.map { one in
                guard let own = one.parcel.index.entries.first(where: { $0.name == entry.name }) else {
                    throw Failure(.badData, one.parcel.path, field: entry.name, expected: "a tensor", found: "none")
                }
                return own
            }
            for start in stride(from: 0, to: entry.count, by: run) {
                let numbers = start..<min(start + run, entry.count)
                let rows = try Tensor(shape: [count, numbers.count]) { target in
                    for (place, one) in admitted.enumerated() {
                        let values = own[place].decoded(
                            try one.parcel.index.bytes(own[place], numbers), shape: [numbers.count])
                        let origin = base.reference?[entry.name]
                        values.withUnsafeBuffer { values in
                            for i in values.indices { target[place * numbers.count + i] = values[i] }
                        }
                        origin?.withUnsafeBuffer { origin in
                            for i in 0..<numbers.count { target[place * numbers.count + i] -= origin[start + i] }
                        }
                        for i in 0..<numbers.count { target[place * numbers.count + i] *= scales[place] }
                    }
                }
                let products = Variable(rows).matmul(Variable(rows), transposed: true).tensor.elements
                for i in 0..<count {
                    for j in 0..<count { gram[i][j] += Double(products[i * count + j]) }
                }
            }
        }
        return gram
    }
}
