import Files

/// Finds copies of a photograph: those with the same decoded pixels, and those re-encoded, resized or cut.
///
/// A perceptual hash makes only a generous shortlist, because its distance alone calls many different photographs
/// alike. A copy has an aligned correlation of at least 0.98 inside the common field of view. Another photograph of the
/// same eye, with another pose and light, stays far below that.
public struct CopyFinder: Sendable {
    /// Whether the decoded pixels are the same, or only nearly.
    public enum Kind: String, Sendable, Codable {
        case exact, near
    }

    public static let minimumCorrelation = 0.98
    /// The number of the hash's 64 signs in which a copy may differ. Re-encoded and resized copies differ in at most a
    /// few.
    public static let shortlistDistance = 22

    /// A photograph that is a copy of an earlier one.
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

    /// Two photographs of one eye in nearly the same pose (a burst, or one photograph that was edited): correlation 0.9
    /// to 0.98. Both stay and belong to one patient. Photographs in another pose are found by `EyeFinder`. Over 412
    /// photographs of one camera, the largest correlation of different eyes is 0.76.
    public struct SameEye: Hashable, Sendable {
        public let index: Int
        public let other: Int
    }

    public static let minimumCorrelationOfOneEye = 0.9

    /// What a search found.
    public struct Findings: Sendable {
        public var copies: [Copy] = []
        public var sameEye: [SameEye] = []
    }

    /// Finds the copies among photographs in a fixed order. The first of several copies stays.
    /// - Parameters:
    ///   - digests: digests of the decoded pixels, one for each photograph.
    ///   - signatures: one for each photograph.
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
            // A photograph with the same pixels as a copy is a copy of the same original.
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
