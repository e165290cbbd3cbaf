import Files
import TensorCore

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

    /// A photograph as the search sees it.
    package struct Entry {
        /// The digest of the decoded pixels.
        let digest: Digest
        /// The number of pixels of the file. Of several copies, the largest stays; of equally large ones, one in
        /// colour, and of these the first.
        let pixelCount: Int
        /// Whether it has colours. A colour photograph stays before a grey one of as many pixels.
        let isColour: Bool
        /// Whether the photograph is no copy whatever it resembles, because it is in the data set already.
        let stays: Bool

        package init(digest: Digest, pixelCount: Int, isColour: Bool = true, stays: Bool = false) {
            self.digest = digest
            self.pixelCount = pixelCount
            self.isColour = isColour
            self.stays = stays
        }
    }

    /// The number of photographs up to which each is compared with all others. Of more photographs, each is compared
    /// with those of the nearest outlooks.
    package static let exhaustiveLimit = 3000
    /// How many photographs of a large set each one is compared with.
    package static let compared = 32
    /// Photographs of a large set whose outlooks have a smaller cosine without any shift are not compared.
    private static let minimumCosine: Float = 0.3

    private let entries: [Entry]
    private let signature: @Sendable (Int) throws -> DetailSignature
    private let limit: Int
    private let compared: Int
    private var firstOfDigest: [Digest: Int] = [:]
    private var kept: [Int] = []
    private var originals: [Int: Int] = [:]
    /// The hashes of all photographs of a large set, so that few signatures have to be read.
    private var hashes: [UInt64] = []
    private var findings = Findings()

    private init(
        _ entries: [Entry], limit: Int, compared: Int, signature: @escaping @Sendable (Int) throws -> DetailSignature
    ) {
        (self.entries, self.limit, self.compared, self.signature) = (entries, limit, compared, signature)
    }

    /// Finds the copies among photographs.
    /// - Parameters:
    ///   - known: digests of which a copy is known, with the photograph that stays.
    ///   - limit: the number of photographs up to which each is compared with all others.
    ///   - compared: with how many others each is compared where there are more.
    ///   - signature: gives the signature of a photograph.
    ///   - progress: receives the numbers of steps that are done and of all; it may throw to stop.
    /// - Throws: what `signature` and `progress` throw.
    package static func search(
        _ entries: [Entry], known: [Digest: Int] = [:], exhaustiveUpTo limit: Int = exhaustiveLimit,
        comparing compared: Int = compared,
        signature: @escaping @Sendable (Int) throws -> DetailSignature,
        progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> Findings {
        var finder = CopyFinder(entries, limit: limit, compared: compared, signature: signature)
        finder.firstOfDigest = known
        try finder.run(progress)
        return finder.findings
    }

    private mutating func run(_ progress: (Int, Int) throws -> Void) throws {
        func rank(_ index: Int) -> (Int, Int) {
            let entry = entries[index]
            return (entry.stays ? .max : entry.pixelCount, entry.isColour ? 1 : 0)
        }
        let order = entries.indices.sorted { rank($0) == rank($1) ? $0 < $1 : rank($0) > rank($1) }
        if order.count <= limit {
            let all = try entries.indices.map { index in
                if index % 64 == 0 { try progress(0, order.count) }
                return try signature(index)
            }
            for (done, index) in order.enumerated() {
                if done % 64 == 0 { try progress(done, order.count) }
                try add(index, all[index], among: kept) { all[$0] }
            }
            return
        }
        let near = try nearest(progress)
        var place = [Int](repeating: 0, count: order.count)
        for (position, index) in order.enumerated() { place[index] = position }
        for (done, index) in order.enumerated() {
            if done % 64 == 0 { try progress(order.count + done, 2 * order.count) }
            // A copy of a copy is a copy of its original.
            let candidates = Set(near[index].filter { place[$0] < done }.map { originals[$0] ?? $0 }).filter {
                (hashes[$0] ^ hashes[index]).nonzeroBitCount <= CopyFinder.shortlistDistance
            }
            if candidates.isEmpty, firstOfDigest[entries[index].digest] == nil {
                firstOfDigest[entries[index].digest] = index
            } else {
                try add(index, try signature(index), among: candidates.sorted { place[$0] < place[$1] }, signature)
            }
        }
    }

    /// Compares one photograph with those that came before it.
    private mutating func add(
        _ index: Int, _ own: DetailSignature, among candidates: [Int], _ signature: (Int) throws -> DetailSignature
    ) throws {
        let digest = entries[index].digest
        if entries[index].stays {
            firstOfDigest[digest] = firstOfDigest[digest] ?? index
            kept.append(index)
            return
        }
        if let original = firstOfDigest[digest] {
            findings.copies.append(Copy(index: index, original: original, kind: .exact))
            originals[index] = original
            return
        }
        var original: Int?
        var sameEye: [SameEye] = []
        for candidate in candidates {
            let other = try signature(candidate)
            guard other.hashDistance(to: own) <= CopyFinder.shortlistDistance,
                other.resemblance(to: own) >= DetailSignature.minimumResemblance
            else { continue }
            let correlation = other.correlation(with: own)
            if correlation >= CopyFinder.minimumCorrelation {
                original = candidate
                break
            }
            if correlation >= CopyFinder.minimumCorrelationOfOneEye {
                sameEye.append(SameEye(index: index, other: candidate))
            }
        }
        // A photograph with the same pixels as a copy is a copy of the same original.
        firstOfDigest[digest] = original ?? index
        if let original {
            findings.copies.append(Copy(index: index, original: original, kind: .near))
            originals[index] = original
        } else {
            kept.append(index)
            findings.sameEye += sameEye
        }
    }

    /// The photographs whose outlooks are nearest to each photograph's.
    private mutating func nearest(_ progress: (Int, Int) throws -> Void) throws -> [[Int]] {
        let length = DetailSignature.outlookLength
        var outlooks = [Float](repeating: 0, count: entries.count * length)
        for index in entries.indices {
            if index % 64 == 0 { try progress(index / 2, 2 * entries.count) }
            let own = try signature(index)
            outlooks.replaceSubrange(index * length..<(index + 1) * length, with: own.outlook)
            hashes.append(own.hash)
        }
        let vectors = NeighborVectors(outlooks, count: entries.count, width: length)
        var near: [[Int]] = []
        near.reserveCapacity(entries.count)
        for start in stride(from: 0, to: entries.count, by: 4096) {
            try progress((entries.count + start) / 2, 2 * entries.count)
            let rows = Array(start..<min(start + 4096, entries.count))
            // Each photograph is its own nearest neighbour.
            let found = nearestNeighbors(of: vectors.selecting(rows), in: vectors, k: compared + 1)
            for (offset, row) in rows.enumerated() {
                near.append(
                    (offset * found.k..<(offset + 1) * found.k).filter {
                        found.indices[$0] != row && 1 - found.distances[$0] / 2 >= Double(CopyFinder.minimumCosine)
                    }.map { found.indices[$0] })
            }
        }
        return near
    }
}
