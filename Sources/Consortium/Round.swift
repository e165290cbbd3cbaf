import CheckpointStore
import Diffusion
import Federation
import Files
import Foundation
import Models

/// A round that is exchanged as files, in a folder that coordinator and sites share or carry on a memory stick:
///
///     round.json, round.json.sig   what the coordinator asks for
///     TRUST.yaml, TRUST.yaml.sig   the list of those whose signatures count
///     README.md                    what the sites do, for people
///     train.yaml                   settings of training, where the coordinator gives some
///     base.safetensors             the signed base that the sites train on
///     parcels/*.parcel             what the sites deliver
///     merged.safetensors           the signed result; the round is closed once this file exists
public struct Round: Sendable {
    /// What the coordinator asks for, `round.json`.
    public struct Request: Codable, Hashable, Sendable {
        public var round: Int
        public var base: Digest
        /// The sites that are asked, sorted.
        public var sites: [String]
        /// The last day, such as `2026-01-31`; nil where the round has no deadline.
        public var deadline: String?
        public var settings: MergeRecord.Settings
        /// How the sites are asked to train; nil leaves it to them.
        public var training: Training?
    }

    public let folder: String
    public let request: Request
    public let trust: TrustList

    private static let domain = "fovea-round-1"
    static let settingsName = "train.yaml"
    static func file(_ name: String, in folder: String) -> String { "\(folder)/\(name)" }

    /// Whether a folder holds a round.
    public static func isRound(_ folder: String) -> Bool { RegularFile.exists(file("round.json", in: folder)) }

    public var basePath: String { Round.file("base.safetensors", in: folder) }
    public var mergedPath: String { Round.file("merged.safetensors", in: folder) }
    public var parcelFolder: String { Round.file("parcels", in: folder) }
    /// Whether the round's result exists and the coordinator signed it.
    public var isClosed: Bool { closing != nil }

    /// Opens a round.
    /// - Parameter trust: the list of trust to use; nil for the list in the folder. Whoever can write to the folder can
    ///   replace that list and its coordinator, so that sites should name a list of their own.
    /// - Throws: `Failure(.noSuchInput)` where the folder holds no round; `Failure(.notPermitted)` where the round or
    ///   the list is not what the coordinator signed; `Failure(.badData)` where one of them is not valid.
    public init(_ folder: String, trust: String? = nil) throws {
        let path = Round.file("round.json", in: folder)
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(.noSuchInput, folder, "holds no round: round.json is missing; fovea round init makes one")
        }
        let content = try JSONText.contents(path)
        self.trust = try TrustList(contentsOf: trust ?? Round.file("TRUST.yaml", in: folder))
        try DetachedSignature.verify(
            content, at: path, domain: Round.domain, by: self.trust.coordinator, advice: "fovea round init makes it")
        request = try JSONText.decode(Request.self, content, place: path)
        guard (0...1_000_000).contains(request.round) else {
            throw Failure(.badData, path, field: "round", expected: "0 to 1000000", found: "\(request.round)")
        }
        self.folder = folder
        if let problem = request.settings.problem { throw Failure(.badData, path, "settings.\(problem)") }
        if let problem = request.training?.problem { throw Failure(.badData, path, "training.\(problem)") }
    }

    /// Begins a round. A base that another process has put into the folder in the meantime is not replaced.
    ///
    /// - Parameters:
    ///   - base: a snapshot, which is signed here where it is unsigned.
    ///   - round: the number of the round; nil for the number after the base's last merge.
    ///   - sites: the sites that are asked; nil for all sites of the list whose keys are valid today.
    ///   - training: how the sites are asked to train.
    ///   - trainingSettings: the settings file for the sites; nil for none.
    ///   - guide: gives the text of `README.md`; nil writes none.
    /// - Throws: `Failure(.cannotCreateOutput)` where the folder holds a round already or cannot be made;
    ///   `Failure(.usage)` where a setting is not valid; `Failure(.notPermitted)` where the key is not the
    ///   coordinator's or the base may not be used; `Failure(.badData)` where the list or the base is not valid.
    public static func begin(
        _ folder: String, base: String, trust path: String, key: SigningKey, round: Int? = nil, sites: [String]? = nil,
        deadline: String? = nil, settings: MergeRecord.Settings, training: Training = Training(),
        trainingSettings: Data? = nil, guide: ((Request, TrustList) -> String)? = nil, at moment: Date
    ) throws -> Round {
        if let problem = settings.problem ?? training.problem { throw Failure(.usage, nil, problem) }
        if let deadline, Day.noon(deadline) == nil {
            throw Failure(.usage, option: "deadline", expected: "a day such as 2026-12-31", found: deadline)
        }
        if let deadline, deadline < Day.text(moment) {
            throw Failure(.usage, option: "deadline", expected: "\(Day.text(moment)) or later", found: deadline)
        }
        let trust = try TrustList(contentsOf: path)
        guard trust.coordinator == key.publicKey else {
            throw Failure(
                .notPermitted, path, field: "coordinator", expected: key.publicKey.fingerprint,
                found: trust.coordinator.fingerprint)
        }
        if FileManager.default.fileExists(atPath: file("round.json", in: folder)) {
            throw Failure(.cannotCreateOutput, folder, "holds a round already; name another folder")
        }
        if let round, !(0...1_000_000).contains(round) {
            throw Failure(.usage, option: "round", expected: "0 to 1000000", found: "\(round)")
        }
        let today = Day.text(moment)
        let known = Set(
            trust.members.filter {
                $0.role == .site && $0.from <= today && today <= $0.until && !trust.withdrawn.contains($0.name)
            }.map(\.name))
        if let stranger = sites?.first(where: { !known.contains($0) }) {
            throw Failure(
                .usage, path, option: "site", expected: known.sorted().joined(separator: ", "),
                found: stranger.printable)
        }
        let asked = (sites.map(Set.init) ?? known).sorted()
        guard !asked.isEmpty else { throw Failure(.badData, path, "lists no site whose key counts today") }
        let index = try SafetensorsIndex(contentsOf: base),
            manifest = try Manifest<ModelDescription>.read(index, path: base)
        if let gone = manifest.sites.intersection(trust.withdrawn).sorted().first {
            throw Failure(
                .notPermitted, base,
                "\(gone) was withdrawn\(trust.reason(withdrawn: gone)), and these weights were trained with it")
        }
        let isSigned = try WeightsSignature.signer(of: index, path: base) != nil
        if isSigned { try SignedBase.require(base, trust: trust, at: moment) }
        do {
            try FileManager.default.createDirectory(
                atPath: file("parcels", in: folder), withIntermediateDirectories: true)
        } catch {
            throw Failure(
                .cannotCreateOutput, folder, "the folder could not be made: \(SystemReason.text(error))")
        }
        let target = file("base.safetensors", in: folder)
        let staging = StagedFile.stagingPath(for: target)
        defer { try? FileManager.default.removeItem(atPath: staging) }
        let digest: Digest
        if isSigned {
            let bytes = try JSONText.contents(base)
            do { try bytes.write(to: URL(fileURLWithPath: staging)) } catch { throw StagedFile.failure(target, error) }
            digest = try Digest(ofFile: staging)
        } else {
            digest = try SignedBase.sign(base, with: key, to: staging, force: true)
        }
        try StagedFile.move(staging, to: target, replacing: false)
        func put(_ data: Data, _ name: String) throws {
            let staged = try StagedFile(file(name, in: folder), force: true)
            try staged.write(data)
            try staged.commit()
        }
        try put(try JSONText.contents(path), "TRUST.yaml")
        try put(try JSONText.contents(DetachedSignature.path(for: path)), "TRUST.yaml.sig")
        var wanted = training
        wanted.settings = trainingSettings.map { Digest(of: Array($0)) }
        let request = Request(
            round: round ?? (manifest.merges?.first?.round ?? 0) + 1, base: digest, sites: asked, deadline: deadline,
            settings: settings, training: wanted.isEmpty ? nil : wanted)
        if let trainingSettings { try put(trainingSettings, settingsName) }
        if let guide { try put(Data(guide(request, trust).utf8), "README.md") }
        let content = Data((try JSONText.encoded(request) + "\n").utf8), place = file("round.json", in: folder)
        try DetachedSignature.write(content, at: place, domain: domain, key: key)
        try put(content, "round.json")
        return try Round(folder)
    }

    /// The paths of the parcels that were delivered, sorted.
    public var parcels: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: parcelFolder)) ?? []).filter {
            $0.hasSuffix(".parcel") && !$0.hasPrefix(".")
        }.sorted().map { "\(parcelFolder)/\($0)" }
    }

    func isOver(at moment: Date) -> Bool { request.deadline.map { Day.text(moment) > $0 } ?? false }

    /// Merges the delivered parcels and closes the round. Closing a round for a second time fails and changes nothing.
    ///
    /// - Parameters:
    ///   - isEarly: close even where sites are missing before the deadline, or in a round without a deadline.
    ///   - excludesBad: go on without parcels that are refused.
    ///   - previous: the base of the merge that made this base, which momentum needs.
    ///   - screen: examines the outliers before anything is written, and throws to stop.
    /// - Throws: `Failure(.cannotCreateOutput)` where the round is closed; `Failure(.checkFailed)` where sites are
    ///   missing; `Failure(.notPermitted)` where the folder holds what may not be there, and where the base is not that
    ///   of `round.json`; the failures of `ModelMerge` and
    ///   of `MergeTransaction`.
    public func close(
        key: SigningKey, isEarly: Bool, excludesBad: Bool, previous: String?, ledger: ParcelLedger, at moment: Date,
        screen: (Screening) throws -> Void
    ) throws -> (merge: ModelMerge, digest: Digest, residual: Double?) {
        guard !isClosed else {
            throw Failure(.cannotCreateOutput, mergedPath, "exists already: round \(request.round) is closed")
        }
        if let found = PrivateFile.findings(in: folder).first {
            throw Failure(
                .notPermitted, "\(folder)/\(found.place)",
                """
                \(found.problem); take it away from here, and ask who could read it. The round is not closed before it \
                is gone, and nothing was merged
                """)
        }
        let transaction = try MergeTransaction(
            mergedPath, trust: trust, key: key, keyName: "key", ledger: ledger, replaces: false, at: moment)
        let admission = try ModelMerge.admission(
            parcels, base: basePath, trust: trust, settings: request.settings, round: request.round, at: moment,
            ledger: ledger, asked: request.sites)
        try requireAll(admission, isEarly: isEarly, excludesBad: excludesBad, at: moment)
        let merge = try ModelMerge(
            parcels, base: basePath, trust: trust, settings: request.settings, round: request.round, at: moment,
            ledger: ledger, asked: request.sites, excludesBad: excludesBad)
        guard merge.base.digest == request.base else {
            throw Failure(
                .notPermitted, basePath, field: "digest", expected: "\(request.base), after round.json",
                found: merge.base.digest.description)
        }
        let result = try transaction.commit(
            merge, previous: previous, screening: try merge.screening(), screen: screen)
        return (merge, result.digest, result.residual)
    }

    /// Checks that no site is missing. Only a parcel that is admitted counts as a site's delivery, not a file that
    /// merely names the site.
    private func requireAll(
        _ admission: Admission<ModelDescription>, isEarly: Bool, excludesBad: Bool, at moment: Date
    ) throws {
        let delivered = Set(admission.admitted.map(\.parcel.statement.site))
        let missing = request.sites.filter { !delivered.contains($0) }
        if missing.isEmpty || isEarly || isOver(at: moment) { return }
        let until = request.deadline.map { " until \($0)" } ?? ""
        // Whoever closes early without a refused parcel learns both options at once.
        let refused = excludesBad ? nil : admission.refused.first
        let reason = refused.map {
            "; \(URL(fileURLWithPath: $0.path).lastPathComponent) is refused: \($0.failure.sentence)"
        }
        throw Failure(
            .checkFailed, folder,
            "round \(request.round) waits for \(missing.joined(separator: ", "))\(until)\(reason ?? "")",
            remedy: refused == nil ? .closeEarly : .closeEarlyWithoutRefused)
    }
}
