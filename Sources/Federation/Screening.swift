import CheckpointStore
import Files
import Foundation
import TensorCore

/// Looks for updates that are unlike the others: by their norm, their direction and, where the coordinator has pictures
/// for it, what they do to the loss on a canary batch. It names them; what follows is the coordinator's business.
public struct Screening: Codable, Hashable, Sendable {
    /// What was found of one site.
    public struct Site: Codable, Hashable, Sendable {
        public var name: String
        /// Norm of its update, relative to the median of all.
        public var norm: Double
        /// Median of the cosines between its update and the others'.
        public var cosine: Double
        /// Loss of the base with this update alone on the canary batch; nil where there is none.
        public var canaryLoss: Double?
        /// Why it is an outlier; empty where it is none.
        public var reasons: [String]
    }

    /// Fewer sites say nothing of what is usual.
    public static let fewestSites = 5

    /// `done`, or `too few` where there are fewer than five sites.
    public var state: String
    public var sites: [Site]

    public static let tooFew = "too few"

    public var outliers: [Site] { sites.filter { !$0.reasons.isEmpty } }

    /// - Throws: `Failure(.notPermitted)` that names the outliers.
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

    /// - Parameters:
    ///   - names: of the sites.
    ///   - norms: of their updates.
    ///   - cosines: between each two of them.
    ///   - canary: losses; empty where there is no canary batch.
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
            // Honest updates of different patients still point into one half space; their spread is measured, not
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

    /// Whether a number lies further from the median than 3.5 robust deviations (Iglewicz and Hoaglin 1993) and than
    /// `least`.
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
    /// Cosines between the updates, [sites][sites].
    ///
    /// The frozen factors of `ffa` adapters are orthonormal, so that the cosine of two B is that of their updates; of
    /// `lora` adapters it is that of A and B side by side, which is enough to see who turns round.
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
