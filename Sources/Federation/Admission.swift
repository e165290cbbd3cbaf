import CheckpointStore
import Files
import Foundation
import TensorCore

/// Decides which parcels take part in a merge.
public struct Admission<Model: Codable & Sendable>: Sendable {
    /// A parcel that takes part.
    public struct Admitted: Sendable {
        public let parcel: Parcel<Model>
        /// The largest share of the merge that the list of trust allows the parcel's site.
        public let largestShare: Double
        /// What the site says about its size.
        public let size: ClaimedSize
        /// The Euclidean norm of the parcel's update; for `lora`, an upper bound of the norm.
        public let norm: Double
        /// The Euclidean norm of the parcel's tensors. For full weights, the base's tensors are subtracted first.
        let length: Double
        /// SHA-256 of the parcel's numbers, which does not depend on how they are stored.
        let numbers: Digest
    }

    /// A parcel that does not take part.
    public struct Refused: Sendable {
        public let path: String
        /// The site whose key signed the parcel; nil where that is not known.
        public let site: String?
        /// Why the parcel is refused.
        public let failure: Failure
    }

    /// A parcel that does not count, and stops nothing: a copy of another, or one that its site has replaced.
    public struct Ignored: Sendable {
        public let path: String
        /// The site whose key signed the parcel.
        public let site: String
        /// One clause on why it does not count.
        public let reason: String
    }

    /// The parcels that take part, sorted by site.
    public let admitted: [Admitted]
    /// The parcels that do not take part, sorted by name and reason.
    public let refused: [Refused]
    /// The parcels that do not count, sorted by path.
    public let ignored: [Ignored]
    /// The round that is merged.
    public let round: Int

    /// The largest norm that an update may have, relative to the norm of the base's weights.
    static var largestNorm: Double { 10 }

    /// Decides about every parcel. A parcel that does not fit is refused; nothing is thrown.
    /// - Parameters:
    ///   - round: the round to merge; nil for the round after the base's last merge.
    ///   - weighting: what the shares are proportional to.
    ///   - ledger: the parcels that were taken before; nil where no list of them is kept.
    ///   - requireModel: throws where a manifest describes other weights than the base's.
    public init(
        _ opened: Opened, base: MergeBase, round: Int?, weighting: MergeRecord.Weighting, ledger: ParcelLedger?,
        requireModel: (Parcel<Model>) throws -> Void
    ) {
        let round = round ?? base.nextRound
        self.round = round
        ignored = opened.ignored
        var candidates: [Admitted] = [], refused = opened.refused
        for (parcel, member) in opened.parcels {
            do {
                do {
                    try Admission.requireFit(parcel, base: base, round: round)
                } catch let failure as Failure where failure.sentence.hasPrefix(Admission.tensorsDoNotFit) {
                    // Where the manifest tells of another model, that says more than the names of tensors.
                    try requireModel(parcel)
                    throw failure
                }
                try requireModel(parcel)
                let size = try ClaimedSize(
                    parcel.manifest.trainingData, imagesSeen: parcel.manifest.imagesSeen, most: member.mostPatients,
                    path: parcel.path)
                _ = try size.weight(weighting, path: parcel.path)
                try ledger?.requireNewest(parcel)
                let survey = try Admission.survey(parcel, base)
                try Admission.requireNew(parcel, survey.numbers, base: base)
                candidates.append(
                    Admitted(
                        parcel: parcel, largestShare: member.largestShare, size: size, norm: survey.norm,
                        length: survey.length, numbers: survey.numbers))
            } catch let failure as Failure {
                refused.append(Refused(path: parcel.path, site: member.name, failure: failure))
            } catch {
                refused.append(
                    Refused(
                        path: parcel.path, site: member.name, failure: StagedFile.failure(parcel.path, error, "read")))
            }
        }
        candidates.sort {
            ($0.parcel.statement.site, $0.parcel.digest.description, $0.parcel.path) < (
                $1.parcel.statement.site, $1.parcel.digest.description, $1.parcel.path
            )
        }
        admitted = Admission.withoutRepeats(candidates, &refused)
        self.refused = refused.sorted {
            ($0.site ?? $0.path, $0.failure.sentence, $0.path) < ($1.site ?? $1.path, $1.failure.sentence, $1.path)
        }
    }

    /// The parcels of an earlier merge without those of some sites. The merge's record says byte for byte what was
    /// taken, so that the list of trust is not asked again.
    ///
    /// - Parameter path: gives the path of a part's parcel.
    /// - Throws: what `path` throws; `Failure(.badData)` where a file is not the parcel that was merged, or does not
    ///   fit the base; `Failure(.notPermitted)` where a parcel's signature does not fit or it is of another round.
    public init(
        _ record: MergeRecord, without sites: Set<String>, base: MergeBase, path: (MergeRecord.Part) throws -> String
    ) throws {
        round = record.round
        (refused, ignored) = ([], [])
        admitted = try record.parts.filter { !sites.contains($0.site) }.map { part in
            let parcel = try Parcel<Model>(contentsOf: try path(part))
            guard parcel.digest == part.parcel else {
                throw Failure(
                    .badData, parcel.path, field: "digest", expected: part.parcel.description,
                    found: parcel.digest.description)
            }
            guard parcel.statement.site == part.site else {
                throw Failure(.badData, parcel.path, field: "site", expected: part.site, found: parcel.statement.site)
            }
            try Admission.requireFit(parcel, base: base, round: record.round)
            let size = try ClaimedSize(
                parcel.manifest.trainingData, imagesSeen: parcel.manifest.imagesSeen, most: nil, path: parcel.path)
            let survey = try Admission.survey(parcel, base)
            return Admitted(
                parcel: parcel, largestShare: part.largestShare, size: size, norm: survey.norm, length: survey.length,
                numbers: survey.numbers)
        }
    }

    /// How the failure begins that names tensors.
    private static var tensorsDoNotFit: String { "tensors do not fit the base" }

    /// Checks that a parcel's base, sites, round, kind and tensors fit.
    private static func requireFit(_ parcel: Parcel<Model>, base: MergeBase, round: Int) throws {
        let path = parcel.path, said = parcel.statement
        guard said.base == base.digest.description else {
            throw Failure(.badData, path, field: "base", expected: "\(base.digest)", found: said.base)
        }
        guard parcel.manifest.parents.first == said.base else {
            throw Failure(
                .badData, path, field: "parents", expected: "the base that its statement names",
                found: parcel.manifest.parents.first ?? "none")
        }
        for set in parcel.manifest.trainingData where set.inherited != true {
            guard set.site == said.site else {
                throw Failure(
                    .badData, path, field: "trainingData.site", expected: said.site, found: set.site.printable)
            }
        }
        if let problem = parcel.manifest.trainingData.lazy.compactMap({ SiteName.problem($0.site) }).first {
            throw Failure(.badData, path, "trainingData.site: \(problem)")
        }
        guard said.round == round else {
            throw Failure(
                .notPermitted, path, field: "round", expected: "\(round)",
                found: "\(said.round): it is replayed, or early")
        }
        guard parcel.manifest.kind == base.kind else {
            throw Failure(
                .badData, path, field: "kind", expected: "\(base.kind.rawValue), as the other parcels",
                found: parcel.manifest.kind.rawValue)
        }
        let found = parcel.table.mapValues(\.shape)
        let missing = base.shapes.keys.filter { found[$0] == nil }.sorted(),
            unexpected = found.keys.filter { base.shapes[$0] == nil }.sorted()
        let mismatched = base.shapes.keys.sorted().filter { found[$0] != nil && found[$0] != base.shapes[$0] }
        func list(_ word: String, _ names: [String]) -> [String] {
            if names.isEmpty { return [] }
            let first = names.prefix(4).map(\.printable).joined(separator: ", ")
            return ["\(word): \(first)\(names.count > 4 ? " and \(names.count - 4) more" : "")"]
        }
        let shapes = mismatched.map { "\($0) (expected \(base.shapes[$0] ?? []), found \(found[$0] ?? []))" }
        let problems = list("missing", missing) + list("unexpected", unexpected) + list("mismatched", shapes)
        guard problems.isEmpty else {
            throw Failure(.badData, path, "\(tensorsDoNotFit); \(problems.joined(separator: "; "))")
        }
    }

    /// Refuses a parcel whose file or numbers have been merged into the base before.
    private static func requireNew(_ parcel: Parcel<Model>, _ numbers: Digest, base: MergeBase) throws {
        guard
            let before = base.merges.first(where: {
                $0.parts.contains { $0.parcel == parcel.digest || $0.tensors == numbers }
            })
        else { return }
        throw Failure(.notPermitted, parcel.path, "is replayed: it was merged in round \(before.round) already")
    }

    /// Reads every number once.
    /// - Throws: `Failure(.badData)` naming a tensor that is not finite, and where the update is too large.
    private static func survey(_ parcel: Parcel<Model>, _ base: MergeBase) throws -> (
        norm: Double, length: Double, numbers: Digest
    ) {
        var digest = DigestBuilder(), lengths: [String: Double] = [:]
        for entry in parcel.index.entries {
            let tensor = try parcel.index.tensor(entry)
            guard tensor.isFinite else {
                throw Failure(
                    .badData, parcel.path, field: entry.name.printable, expected: "finite numbers",
                    found: "infinity or NaN")
            }
            tensor.withUnsafeBuffer { digest.update(UnsafeRawBufferPointer($0)) }
            lengths[entry.name] = squares(tensor, minus: base.reference?[entry.name]).squareRoot()
        }
        let length = lengths.values.sorted().reduce(0) { $0 + $1 * $1 }.squareRoot()
        // |A B| <= |A| |B|. An orthonormal A does not change the norm of B.
        let products = base.factors.map { base.scale * ($0.a.flatMap { lengths[$0] } ?? 1) * (lengths[$0.b] ?? 0) }
        let norm = base.factors.isEmpty ? length : products.reduce(0) { $0 + $1 * $1 }.squareRoot(),
            most = largestNorm * base.norm
        guard norm <= most else {
            throw Failure(
                .badData, parcel.path, field: "norm of the update",
                expected: "at most \(Int(largestNorm)) times that of the base's weights, \(short(most))",
                found: short(norm))
        }
        return (norm, length, digest.finalize())
    }

    private static func short(_ number: Double) -> String { String(format: "%.3g", number) }

    private static func squares(_ tensor: Tensor, minus reference: Tensor? = nil) -> Double {
        tensor.withUnsafeBuffer { values in
            var sum = 0.0
            guard let reference else {
                for value in values { sum += Double(value) * Double(value) }
                return sum
            }
            reference.withUnsafeBuffer { origin in
                for i in values.indices {
                    let difference = Double(values[i]) - Double(origin[i])
                    sum += difference * difference
                }
            }
            return sum
        }
    }

    /// Refuses what would count twice: the same file, an older parcel of the same site, and the same tensors under the
    /// names of two sites.
    private static func withoutRepeats(_ candidates: [Admitted], _ refused: inout [Refused]) -> [Admitted] {
        func refuse(_ one: Admitted, _ sentence: String) {
            refused.append(
                Refused(
                    path: one.parcel.path, site: one.parcel.statement.site,
                    failure: Failure(.notPermitted, one.parcel.path, sentence)))
        }
        var kept: [Admitted] = []
        for (site, own) in Dictionary(grouping: candidates, by: \.parcel.statement.site).sorted(by: { $0.key < $1.key })
        {
            let newest = own.map(\.parcel.statement.issued).max() ?? ""
            let (best, older) = (
                own.filter { $0.parcel.statement.issued == newest }, own.filter { $0.parcel.statement.issued != newest }
            )
            func name(_ one: Admitted) -> String { URL(fileURLWithPath: one.parcel.path).lastPathComponent }
            // Copies and replaced parcels were left out before, so that all of these differ.
            let advice =
                """
                and none says that it replaces another; ask \(site) which one counts, and have it seal that one again \
                as the replacement of the other, or take the file away that does not count
                """
            for one in best.count > 1 ? own : older {
                let other = best.first { $0.parcel.path != one.parcel.path } ?? best[0]
                let when = best.count > 1 ? "" : ", issued later, \(newest)"
                refuse(
                    one,
                    "is one of \(own.count) different parcels of \(site) (another is \(name(other))\(when)), \(advice)")
            }
            if best.count == 1 { kept.append(best[0]) }
        }
        for (_, same) in Dictionary(grouping: kept, by: \.numbers) where same.count > 1 {
            let names = same.map(\.parcel.statement.site).joined(separator: ", ")
            for one in same { refuse(one, "holds the same tensors as another: \(names) cannot all have made them") }
            kept.removeAll { one in same.contains { $0.parcel.digest == one.parcel.digest } }
        }
        return kept
    }

    /// The shares that the parcels would have without caps.
    /// - Throws: `Failure(.badData)` where a site claims a size of zero.
    public func uncappedShares(_ settings: MergeRecord.Settings) throws -> [Double] {
        let weighting = settings.rule.countsHeads ? .equal : settings.weighting
        let claims = try admitted.map { try $0.size.weight(weighting, path: $0.parcel.path) }
        return claims.map { $0 / claims.reduce(0, +) }
    }

    /// The shares of the parcels that take part. No share is above its cap.
    /// - Throws: `Failure(.badData)` where a site claims a size of zero.
    public func shares(_ settings: MergeRecord.Settings) throws -> [Double] {
        let weighting = settings.rule.countsHeads ? .equal : settings.weighting
        return Shares.shares(
            try admitted.map { try $0.size.weight(weighting, path: $0.parcel.path) },
            caps: settings.rule.countsHeads ? admitted.map { _ in 1 } : admitted.map(\.largestShare))
    }

    /// The parcels and their shares, for the record.
    public func parts(_ shares: [Double]) -> [MergeRecord.Part] {
        zip(admitted, shares).map { one, share in
            MergeRecord.Part(
                site: one.parcel.statement.site, parcel: one.parcel.digest, tensors: one.numbers, weight: share,
                largestShare: one.largestShare,
                patients: one.size.patients, images: one.size.images,
                singleSite: one.parcel.statement.permissions.singleSite)
        }
    }

    /// What the base and all parcels that take part allow; nil where nothing states permissions.
    /// - Throws: `Failure(.notPermitted)` naming the sites whose permissions have nothing in common.
    public func permissions(_ base: MergeBase) throws -> Permissions? {
        let all =
            (base.permissions.map { [("the base", $0)] } ?? [])
            + admitted.map { ($0.parcel.statement.site, $0.parcel.statement.permissions) }
        guard var common = all.first?.1 else { return nil }
        for (place, next) in all.enumerated().dropFirst() {
            guard let smaller = common.intersection(next.1) else {
                let against =
                    all[..<place].first { $0.1.intersection(next.1) == nil }?.0
                    ?? all[..<place].map(\.0).joined(separator: ", ")
                throw Failure(
                    .notPermitted, nil,
                    """
                    the permissions of \(against) and of \(next.0) have no purpose or no territory in common; merge \
                    without one of them
                    """
                )
            }
            common = smaller
        }
        return common
    }
}
