import Files

/// Finds photographs that are the same photograph: byte for byte once decoded, or re-encoded, resized or cut.
///
/// A perceptual hash only shortlists, generously: its distance alone calls many different photographs alike. A copy is
/// an aligned correlation of at least 0.98 inside the common field of view. Another photograph of the same eye, with
/// another pose and light, stays far below.
public struct CopyFinder: Sendable {
    public enum Kind: String, Sendable, Codable {
        case exact, near
    }

    public static let minimumCorrelation = 0.98
    /// Signs of 64 that a copy's hash may differ in: re-encoded and resized copies differ in at most a few.
    public static let shortlistDistance = 22

    public struct Copy: Hashable, Sendable {
        public let index: Int
        /// The photograph that stays.
        public let original: Int
        public let kind: Kind

        public init(index: Int, original: Int, kind: Kind) {
            self.index = index
            self.original = original
            self.kind = kind
        }
    }

    /// Two photographs of one eye in nearly one pose (a burst, or one photograph edited): correlation 0.9 to 0.98. Both
    /// stay, and belong to one patient. In another pose, `EyeFinder` finds them. Over 412 photographs of one camera the
    /// largest correlation of different eyes is 0.76.
    public struct SameEye: Hashable, Sendable {
        public let index: Int
        public let other: Int
    }

    public static let minimumCorrelationOfOneEye = 0.9

    public struct Findings: Sendable {
        public var copies: [Copy] = []
        public var sameEye: [SameEye] = []
    }

    /// The copies among photographs in a fixed order, of which the first of its kind stays.
    /// - Parameters:
    ///   - digests: of the decoded pixels, one a photograph.
    ///   - signatures: one a photograph.
    public static func search(digests: [Digest], signatures: [DetailSignature]) -> Findings {
        guard digests.count == signatures.count else {
            fatalError("CopyFinder: \(digests.count) digests, \(signatures.count) signatures")
        }
        var firstOfDigest: [Digest: Int] = [:]
        var kept: [Int] = []
        var findings = Findings()
        for index in signatures.indices {
            if let original = firstOfDigest[digests[index]] {
                findings.copies.append(Copy(index: index, original: original, kind: .exact))
                continue
            }
            var original: Int?
            var sameEye: [SameEye] = []
            for candidate in kept {
                guard signatures[candidate].hashDistance(to: signatures[index]) <= shortlistDistance,
                    signatures[candidate].resemblance(to: signatures[index]) >= DetailSignature.minimumResemblance
                else { continue }
                let correlation = signatures[candidate].correlation(with: signatures[index])
                if correlation >= minimumCorrelation {
                    original = candidate
                    break
                }
                if correlation >= minimumCorrelationOfOneEye { sameEye.append(SameEye(index: index, other: candidate)) }
            }
            // What equals a copy byte for byte is a copy of the same original.
            firstOfDigest[digests[index]] = original ?? index
            if let original {
                findings.copies.append(Copy(index: index, original: original, kind: .near))
            } else {
                kept.append(index)
                findings.sameEye += sameEye
            }
        }
        return findings
    }
}
