import Cryptography
import Datasets
import Files
import Foundation

/// Decides to which split each patient belongs.
///
/// A patient's place depends only on the site and the patient's name, so that a later import with more patients moves
/// nobody from the holdout into training. There is one exception: if a split would stay empty, a patient is moved into
/// it.
public struct PatientSplit: Sendable {
    /// The shares of the patients; all others are for training.
    public var validation = 0.1
    public var holdout = 0.1

    public init(validation: Double = 0.1, holdout: Double = 0.1) {
        self.validation = validation
        self.holdout = holdout
    }

    /// The split of each patient.
    /// - Parameter fillsEmpty: whether a patient is moved so that, with three or more patients, no split is empty.
    public func splits(of patients: some Sequence<String>, site: String, fillsEmpty: Bool = true) -> [String: Split] {
        let placed = Set(patients).map { (patient: $0, position: position($0, site)) }
            .sorted { ($0.position, $0.patient) < ($1.position, $1.patient) }
        var splits = placed.map { entry -> Split in
            if entry.position >= 1 - holdout { return .holdout }
            return entry.position >= 1 - holdout - validation ? .validation : .train
        }
        // Sorted by position: training first, holdout last.
        if fillsEmpty, splits.count >= 3 {
            if !splits.contains(.holdout) { splits[splits.count - 1] = .holdout }
            if !splits.contains(.train) { splits[0] = .train }
            if !splits.contains(.validation) {
                let donor =
                    splits.count { $0 == .holdout } > 1 ? splits.firstIndex(of: .holdout) : splits.lastIndex(of: .train)
                splits[donor!] = .validation
            }
        }
        return Dictionary(uniqueKeysWithValues: zip(placed.map(\.patient), splits))
    }

    /// A number from 0 up to 1, distributed uniformly over patients.
    private func position(_ patient: String, _ site: String) -> Double {
        let digest = SHA256.hash(of: Array("fovea-split-1\0\(site)\0\(patient)".utf8))
        let number = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Double(number >> 11) / Double(UInt64(1) << 53)
    }
}

/// Opaque keys of patients. Without the site's secret, a key does not lead back to the patient's name.
public struct PatientKeys: Sendable {
    private let secret: SecretBytes

    /// - Parameter secret: at least 16 bytes that the site keeps, so that each import gives the same keys. If it is
    ///   nil, a secret is drawn and forgotten with this value, so that two imports cannot be linked.
    public init(secret: SecretBytes?) {
        self.secret = secret ?? SecretBytes(randomCount: 32)
    }

    /// 32 hexadecimal digits: half of HMAC-SHA256.
    public func key(of patient: String) -> String {
        let code = HMAC.sha256(Array("fovea-patient-1\0\(patient)".utf8), key: secret)
        return code.prefix(16).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}

/// Sets that grow together (union-find). The smallest name of a set represents it.
struct PatientGroups {
    private var parent: [String: String] = [:]

    /// Turns names into numbers: equal names get equal numbers, in the order in which the names come.
    static func numbers(_ names: [String]) -> [Int] {
        var numbers: [String: Int] = [:]
        return names.map { name in
            let number = numbers[name] ?? numbers.count
            numbers[name] = number
            return number
        }
    }

    func representative(of name: String) -> String {
        var name = name
        while let next = parent[name] { name = next }
        return name
    }

    mutating func join(_ a: String, _ b: String) {
        let a = representative(of: a), b = representative(of: b)
        if a != b { parent[max(a, b)] = min(a, b) }
    }
}
