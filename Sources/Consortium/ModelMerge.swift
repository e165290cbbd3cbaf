import CheckpointStore
import Diffusion
import Federation
import Files
import Foundation
import Models
import Networks
import TensorCore

/// Merges parcels of sites into a new model.
public struct ModelMerge: Sendable {
    public let base: LoadedModel
    public let admission: Admission<ModelDescription>
    public let settings: MergeRecord.Settings
    /// The shares of the parcels, in the order of `admission.admitted`.
    public let shares: [Double]
    public let permissions: Permissions?
    private let mergeBase: MergeBase
    private let adaptation: Adaptation?
    private let moment: Date
    /// The parcels that are left out, as the merge's record lists them.
    private let excluded: [MergeRecord.Excluded]

    /// Checks everything that can be checked before the merge.
    /// - Parameters:
    ///   - ledger: the parcels that were taken before; nil where no list of them is kept.
    ///   - asked: the sites that the round asks; nil for all sites of the list.
    ///   - excludesBad: go on without parcels that are refused.
    /// - Throws: the `Failure` of the first refused parcel or of the base; `Failure(.notPermitted)` where permissions
    ///   have nothing in common or no parcel is left; `Failure(.usage)` where the rule does not suit the parcels.
    public init(
        _ paths: [String], base path: String, trust: TrustList, settings: MergeRecord.Settings, round: Int? = nil,
        at moment: Date,
        ledger: ParcelLedger? = nil, asked: [String]? = nil, excludesBad: Bool = false
    ) throws {
        let (base, mergeBase, adaptation, admission) = try ModelMerge.admit(
            paths, base: path, trust: trust, settings: settings, round: round, at: moment, ledger: ledger, asked: asked)
        if !excludesBad, let first = admission.refused.first {
            let more =
                admission.refused.count > 1
                ? "; \(admission.refused.count - 1) more \(admission.refused.count == 2 ? "is" : "are") refused" : ""
            throw Failure(
                first.failure.kind, first.failure.place, option: first.failure.option, first.failure.sentence + more,
                remedy: .excludeRefused)
        }
        try self.init(
            base: base, mergeBase: mergeBase, adaptation: adaptation, admission: admission, settings: settings,
            at: moment,
            excluded: admission.refused.map {
                MergeRecord.Excluded(
                    name: $0.site ?? URL(fileURLWithPath: $0.path).lastPathComponent, reason: $0.failure.sentence)
            })
    }

    /// Which parcels would be merged, and why the others would not.
    static func admission(
        _ paths: [String], base path: String, trust: TrustList, settings: MergeRecord.Settings, round: Int?,
        at moment: Date, ledger: ParcelLedger?, asked: [String]?
    ) throws -> Admission<ModelDescription> {
        try admit(
            paths, base: path, trust: trust, settings: settings, round: round, at: moment, ledger: ledger, asked: asked
        ).3
    }

    private static func admit(
        _ paths: [String], base path: String, trust: TrustList, settings: MergeRecord.Settings, round: Int?,
        at moment: Date, ledger: ParcelLedger?, asked: [String]?
    ) throws -> (LoadedModel, MergeBase, Adaptation?, Admission<ModelDescription>) {
        try SignedBase.require(path, trust: trust, at: moment)
        let file = try LoadedModel(contentsOf: path),
            opened = Admission<ModelDescription>.Opened(
                paths, base: file.digest, trust: trust, at: moment, asked: asked)
        let sort = ParcelSort(mostOf: opened.manifests, base: file), base = file.extended(to: sort.cohort)
        let (mergeBase, adaptation) = sort.prepared(base, added: sort.added(to: file))
        let weighting = settings.rule.countsHeads ? .equal : settings.weighting
        return (
            base, mergeBase, adaptation,
            Admission(opened, base: mergeBase, round: round, weighting: weighting, ledger: ledger) {
                try sort.requireModel($0, base: base)
            }
        )
    }

    /// An earlier merge without some of its sites.
    init(
        _ record: MergeRecord, without sites: Set<String>, base: LoadedModel, path: (MergeRecord.Part) throws -> String
    ) throws {
        let rest = record.parts.filter { !sites.contains($0.site) }
        let sort = ParcelSort(
            mostOf: try rest.map { part in
                let file = try path(part)
                return try Manifest<ModelDescription>.read(try SafetensorsIndex(contentsOf: file), path: file)
            }, base: base)
        let file = base, base = file.extended(to: sort.cohort)
        let (mergeBase, adaptation) = sort.prepared(base, added: sort.added(to: file))
        let admission = try Admission<ModelDescription>(record, without: sites, base: mergeBase, path: path)
        guard let moment = Day.noon(record.day) else {
            throw Failure(.badData, base.path, field: "merges.day", expected: "a day", found: record.day.printable)
        }
        try self.init(
            base: base, mergeBase: mergeBase, adaptation: adaptation, admission: admission, settings: record.settings,
            at: moment, excluded: record.excluded)
    }

    private init(
        base: LoadedModel, mergeBase: MergeBase, adaptation: Adaptation?, admission: Admission<ModelDescription>,
        settings: MergeRecord.Settings, at moment: Date,
        excluded: [MergeRecord.Excluded]
    ) throws {
        if let problem = settings.problem { throw Failure(.usage, nil, problem) }
        guard !admission.admitted.isEmpty else { throw Failure(.notPermitted, nil, "no parcel is left to merge") }
        self.base = base
        self.mergeBase = mergeBase
        self.adaptation = adaptation
        self.admission = admission
        self.settings = settings
        self.moment = moment
        self.excluded = excluded
        shares = try admission.shares(settings)
        permissions = try admission.permissions(mergeBase)
        let isLowRank = settings.rule == .stack || settings.rule == .svd
        switch adaptation?.layout.configuration.kind {
        case nil where isLowRank:
            throw Failure(
                .usage, option: "rule", expected: "mean, median or trimmed-mean for full weights",
                found: settings.rule.rawValue)
        case .lora where settings.rule == .mean:
            throw Failure(
                .usage, option: "rule",
                """
                the mean of A and of B is not the mean of A B; here its error would be \
                \(String(format: "%.3g", try factorAveragingError())) of the whole difference; expected stack or svd \
                for adapters of kind lora
                """)
        case .lora where !isLowRank, .lora where settings.clip != nil:
            throw Failure(
                .usage, option: "rule", expected: "stack or svd, without clipping, for adapters of kind lora",
                found: settings.rule.rawValue)
        default: break
        }
    }

    // MARK: - The merge

    /// The merged parameters, and the part of the difference that `svd` left out, relative to the whole difference.
    /// - Parameter previous: the base of the merge that made this base, which momentum needs.
    /// - Throws: `Failure(.usage)` without that base; the `Failure` of a parcel that cannot be read or has changed.
    public func merged(previous: LoadedModel? = nil) throws -> (parameters: ParameterMap, residual: Double?) {
        var residual: Double?
        var result: ParameterMap
        if let adaptation {
            (result, residual) =
                try settings.rule == .stack || settings.rule == .svd ? stacked(adaptation) : averaged(adaptation)
        } else {
            let tensors = try TensorMerge(
                admission, base: mergeBase, settings: settings, shares: shares,
                rowShares: settings.cohortRows ? rowShares : [:]
            ).merged()
            result = try ParameterMap(base.model.specifications, fileTensors: tensors, file: "the merge")
        }
        if settings.momentum > 0 {
            guard let previous, previous.digest.description == base.manifest.parents.first else {
                throw Failure(
                    .usage, previous?.path, option: "previous",
                    expected: "what the base was merged on, \(base.manifest.parents.first ?? "which it does not say")",
                    found: previous?.digest.description ?? "none")
            }
            guard base.manifest.model.cohort.extends(previous.manifest.model.cohort) else {
                throw Failure(
                    .badData, previous.path, field: "model.cohort", expected: "what the base has, or a part of it",
                    found: previous.manifest.model.cohort.attributes.joined(separator: ", "))
            }
            // Attributes that were added since have moved from zero.
            let before = previous.extended(to: base.manifest.model.cohort).parameters
            for i in result.tensors.indices {
                result.tensors[i] = result.tensors[i].adding(
                    settings.momentum, times: base.parameters.tensors[i], minus: before.tensors[i])
            }
        }
        try result.requireFinite(file: "the merge")
        return (result, residual)
    }

    /// For each row of the table of cohorts, the shares of the sites that have patients with the row's value. Where no
    /// site has such patients, all sites keep their shares.
    private var rowShares: [String: [[Double]]] {
        let encoding = base.manifest.model.cohort
        guard encoding.classes == nil, encoding.rowCount > 0 else { return [:] }
        let seen = admission.admitted.map { one in
            one.parcel.manifest.trainingData.map { encoding.seenRows($0.cohortCounts) }.reduce(
                [Bool](repeating: false, count: encoding.rowCount)
            ) { zip($0, $1).map { $0 || $1 } }
        }
        let rows = (0..<encoding.rowCount).map { row in
            let own = zip(shares, seen).map { $1[row] ? $0 : 0 }, total = own.reduce(0, +)
            return total > 0 ? own.map { $0 / total } : shares
        }
        // Adapters have the added rows alone.
        guard let adaptation else { return [DiffusionModel.cohortPath: rows] }
        guard let added = adaptation.layout.added else { return [:] }
        return [AddedRows.path(of: DiffusionModel.cohortPath): added.rows.map { rows[$0] }]
    }

    /// Merges adapters that share their frozen factors A: the factors B are merged, and the product is added once.
    private func averaged(_ adaptation: Adaptation) throws -> (ParameterMap, Double?) {
        let merged = try TensorMerge(
            admission, base: mergeBase, settings: settings, shares: shares,
            rowShares: settings.cohortRows ? rowShares : [:]
        ).merged()
        let parameters = base.parameters.adding(adaptation.layout) { index in
            guard let a = adaptation.frozenFactor(index), let b = merged[adaptation.names(index).b] else {
                fatalError("averaged: A is trained, or B was not merged")
            }
            var sum = LowRankSum(adaptation.layout.adapted[index], scale: adaptation.layout.configuration.scale)
            sum.add(LowRankSum.Term(share: 1, a: a, b: b))
            return sum
        }
        guard let added = adaptation.layout.added, let rows = merged[AddedRows.path(of: DiffusionModel.cohortPath)]
        else { return (parameters, nil) }
        return (added.added(rows, to: parameters), nil)
    }

    /// Adds the product A B of every adapter to the base, one parameter at a time.
    private func stacked(_ adaptation: Adaptation) throws -> (ParameterMap, Double?) {
        var squares = 0.0, left = 0.0
        var parameters = try base.parameters.adding(adaptation.layout) { index in
            var sum = LowRankSum(adaptation.layout.adapted[index], scale: adaptation.layout.configuration.scale)
            for term in try terms(adaptation, index) { sum.add(term) }
            guard settings.rule == .svd else { return sum }
            let cut = sum.truncated()
            squares += sum.squares
            left += sum.squaredDistance(to: cut)
            return cut
        }
        if let added = adaptation.layout.added {
            let path = AddedRows.path(of: DiffusionModel.cohortPath)
            let rows = try zip(admission.admitted, shares).map { try $0.parcel.tensor(path).scaled(by: Float($1)) }
            parameters = added.added(rows.dropFirst().reduce(rows[0], +), to: parameters)
        }
        return (parameters, settings.rule == .svd ? (squares > 0 ? (left / squares).squareRoot() : 0) : nil)
    }

    private func terms(_ adaptation: Adaptation, _ index: Int) throws -> [LowRankSum.Term] {
        let names = adaptation.names(index)
        return try zip(admission.admitted, shares).map { one, share in
            let a = try names.a.map { try one.parcel.tensor($0) } ?? adaptation.frozenFactor(index) ?? .zeros([0])
            return LowRankSum.Term(share: share, a: a, b: try one.parcel.tensor(names.b))
        }
    }

    /// The error of the product of the mean A and the mean B, relative to the mean of A B.
    private func factorAveragingError() throws -> Double {
        guard let adaptation else { return 0 }
        var squares = 0.0, wrong = 0.0
        for index in adaptation.layout.adapted.indices {
            let parameter = adaptation.layout.adapted[index], terms = try terms(adaptation, index)
            var right = LowRankSum(parameter, scale: 1), plain = LowRankSum(parameter, scale: 1)
            for term in terms { right.add(term) }
            func mean(_ factor: (LowRankSum.Term) -> Tensor) -> Tensor {
                terms.dropFirst().reduce(factor(terms[0]).scaled(by: Float(terms[0].share))) {
                    $0 + factor($1).scaled(by: Float($1.share))
                }
            }
            plain.add(LowRankSum.Term(share: 1, a: mean(\.a), b: mean(\.b)))
            squares += right.squares
            wrong += right.squaredDistance(to: plain)
        }
        return squares > 0 ? (wrong / squares).squareRoot() : 0
    }

    // MARK: - The result

    public func manifest(residual: Double?) throws -> Manifest<ModelDescription> {
        var manifest = base.manifest
        let parcels = admission.admitted.map(\.parcel)
        let record = MergeRecord(
            round: admission.round, base: base.digest, settings: settings, parts: admission.parts(shares),
            excluded: excluded, day: Day.text(moment), residual: residual)
        // The base's training sets stay, and each parcel adds the sets that are new.
        let older = base.manifest.trainingData,
            own = parcels.flatMap(\.manifest.trainingData).filter { set in
                set.inherited != true && !older.contains { $0.site == set.site && $0.digest == set.digest }
            }
        manifest.trainingData = (older + own).map { set in
            var set = set
            set.inherited = nil
            return set
        }.sorted { ($0.site, $0.digest) < ($1.site, $1.digest) }
        manifest.imagesSeen = min(
            Manifest<ModelDescription>.mostImages,
            base.manifest.imagesSeen + admission.admitted.reduce(0) { $0 + $1.size.images })
        manifest.parents = [base.digest.description] + base.manifest.parents
        manifest.licence = Set(manifest.trainingData.map(\.licence)).sorted().joined(separator: " AND ")
        manifest.attributions = (base.manifest.attributions + parcels.flatMap(\.manifest.attributions)).reduce(into: [])
        { if !$0.contains($1) { $0.append($1) } }
        manifest.permissions = permissions
        manifest.permittedUses = permissions?.purposes.sorted() ?? []
        let reasons = parcels.compactMap { parcel in parcel.manifest.unaudited.map { "\(parcel.statement.site): \($0)" }
        }
        manifest.unaudited = reasons.isEmpty ? base.manifest.unaudited : reasons.joined(separator: "; ")
        manifest.notAlone = base.manifest.notAloneInherited
        (manifest.parcel, manifest.state) = (nil, nil)
        manifest.toolVersion = ToolVersion.current
        manifest.merges = [record] + (base.manifest.merges ?? [])
        return manifest
    }

    /// Merges and writes a float32 snapshot, signed where a key is given.
    /// - Throws: the failures of `merged`; `Failure(.cannotCreateOutput)`; `Failure(.readOrWriteFailed)`.
    public func write(_ path: String, previous: LoadedModel? = nil, key: SigningKey?, force: Bool) throws -> (
        digest: Digest, residual: Double?
    ) {
        try StagedFile.requireWritable(path, force: force)
        let (parameters, residual) = try merged(previous: previous)
        let digest = try ModelFile.write(
            path, try manifest(residual: residual), parameters.fileSources(), as: .f32, force: force, key: key)
        return (digest, residual)
    }

    // MARK: - Screening

    /// Looks for outliers.
    /// - Parameter canary: the loss of parameters on the coordinator's own pictures; nil without such pictures.
    /// - Throws: the `Failure` of a parcel that cannot be read.
    public func screening(canary: ((ParameterMap) -> Double)? = nil) throws -> Screening {
        let losses = try canary.map { loss in try admission.admitted.indices.map { loss(try alone($0)) } } ?? []
        return Screening(
            names: admission.admitted.map(\.parcel.statement.site), norms: admission.admitted.map(\.norm),
            cosines: try admission.cosines(mergeBase),
            canary: losses, baseLoss: canary.map { $0(base.parameters) })
    }

    /// The base with one site's update alone.
    private func alone(_ place: Int) throws -> ParameterMap {
        let parcel = admission.admitted[place].parcel
        guard let adaptation else {
            return try ParameterMap(
                base.model.specifications, fileTensors: try parcel.index.tensors(), file: parcel.path)
        }
        return base.parameters.adding([
            (try Adapter(adaptation, fileTensors: try parcel.index.tensors(), file: parcel.path), 1)
        ])
    }
}

extension Tensor {
    /// Computes self + factor (a - b) in float64, and rounds once.
    fileprivate func adding(_ factor: Double, times a: Tensor, minus b: Tensor) -> Tensor {
        withUnsafeBuffer { own in
            a.withUnsafeBuffer { a in
                b.withUnsafeBuffer { b in
                    Tensor(shape: shape) { target in
                        for i in target.indices {
                            target[i] = Float(Double(own[i]) + factor * (Double(a[i]) - Double(b[i])))
                        }
                    }
                }
            }
        }
    }
}
