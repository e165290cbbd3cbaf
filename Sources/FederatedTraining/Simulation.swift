import CheckpointStore
import Consortium
import Datasets
import Diffusion
import Federation
import Files
import Foundation
import Models
import Networks
import TensorCore
import Training

/// A whole federation on one machine. In every round, the sites train one after another, their weights are sealed, and
/// the parcels are merged. For comparison, every site also trains alone, and one model trains on all photographs.
///
/// The folder holds `base.safetensors`, keys, `TRUST.yaml`, `round-N/` with parcels and `merged.safetensors`, `local/`,
/// `pooled/`, `measurements.jsonl`, and at the end `simulation.json`, `simulation.md` and `curves.svg`. A file that
/// exists is not made again, so that a simulation that was stopped goes on.
public struct Simulation: Sendable {
    /// How a simulation runs.
    public struct Settings: Codable, Sendable {
        public var rounds = 3
        /// The number of training images that each site sees in each round.
        public var images = 500
        public var merge = MergeRecord.Settings()
        /// Train adapters instead of all weights.
        public var adapter: AdapterKind?
        /// How many noise levels and noises are drawn for each photograph when losses are measured before the last
        /// round.
        public var draws = 8
        /// The same number after the last round.
        public var lastDraws = 64
        /// Losses are measured after each of this many rounds, and after the last round.
        public var measureEvery = 1
        /// Leave out the arms for comparison: every site alone, and all photographs in one place.
        public var onlyMerged = false
        public init() {}
    }

    private let folder: String
    private let base: String
    private let sites: [DatasetFile]
    private let settings: Settings
    private let configuration: TrainingConfiguration

    private static let moment = Date()

    /// - Parameters:
    ///   - base: a snapshot, of which the simulation makes a signed copy.
    ///   - sites: one data set for each site.
    ///   - configuration: how the sites train. Its images, base and adapter are replaced.
    /// - Throws: `Failure(.badData)` where two sites have the same name, or a name is not valid; `Failure(.usage)`
    ///   where there are fewer than two sites.
    public init(
        folder: String, base: String, sites: [DatasetFile], settings: Settings, configuration: TrainingConfiguration
    ) throws {
        for site in sites {
            if let problem = SiteName.problem(site.info.site) { throw Failure(.badData, site.path, "site: \(problem)") }
            guard sites.filter({ $0.info.site == site.info.site }).count == 1 else {
                throw Failure(
                    .badData, site.path, field: "site", expected: "a name of its own",
                    found: "\(site.info.site), which another data set has, too")
            }
        }
        guard sites.count >= 2 else {
            throw Failure(.usage, nil, field: "sites", expected: "at least 2", found: "\(sites.count)")
        }
        self.folder = folder
        self.base = base
        self.sites = sites
        self.settings = settings
        self.configuration = configuration
    }

    private func path(_ name: String) -> String { "\(folder)/\(name)" }
    private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
    private func mergedPath(_ round: Int) -> String {
        round == 0 ? path("base.safetensors") : path("round-\(round)/merged.safetensors")
    }

    private func makeFolder(_ name: String) throws {
        do { try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true) } catch {
            throw Failure(
                .cannotCreateOutput, path(name),
                "the folder could not be made: \(SystemReason.text(error))")
        }
    }

    /// Runs everything that has not been run yet.
    /// - Parameter say: is given a line about each round.
    /// - Throws: `Failure(.interrupted)` where the user asked to stop; the failures of training, sealing and merging.
    public func run(say: (String) -> Void) async throws -> SimulationResult {
        for name in ["keys", "moments"] { try makeFolder(name) }
        let (coordinator, keys) = try prepareKeys()
        if !exists("base.safetensors") {
            _ = try SignedBase.sign(base, with: coordinator, to: mergedPath(0), force: false)
        }
        let trust = try TrustList(contentsOf: path("TRUST.yaml"))
        var measured = try measurements()
        try await measure(.merged, try LoadedModel(contentsOf: mergedPath(0)), round: 0, sites, &measured)
        for round in 1...settings.rounds {
            try makeFolder("round-\(round)")
            if !FileManager.default.fileExists(atPath: mergedPath(round)) {
                for site in sites { try await self.round(round, at: site, keys) }
                try merge(round, trust, coordinator)
            }
            guard round % settings.measureEvery == 0 || round == settings.rounds else { continue }
            try await measure(.merged, try LoadedModel(contentsOf: mergedPath(round)), round: round, sites, &measured)
            if !settings.onlyMerged {
                for site in sites { try await alone(site, round: round, &measured) }
                try await pooled(round: round, &measured)
            }
            let names = sites.map(\.info.site)
            say(
                "round \(round) of \(settings.rounds): "
                    + names.map { name in
                        let own = SimulationResult.Arm.allCases.compactMap { arm in
                            measured.first {
                                $0.round == round && $0.arm == arm && $0.site == name && $0.split == "validation"
                            }.map { "\(arm.rawValue) \(SimulationResult.text($0.mean))" }
                        }
                        return "\(name) \(own.joined(separator: ", "))"
                    }.joined(separator: "; "))
        }
        let result = SimulationResult(rounds: settings.rounds, sites: sites.map(\.info.site), measurements: measured)
        try write("simulation.json", try JSONText.encoded(result) + "\n")
        try write("simulation.md", result.table)
        try write("curves.svg", result.plot)
        return result
    }

    private func write(_ name: String, _ text: String) throws {
        let staged = try StagedFile(path(name), force: true)
        try staged.write(Data(text.utf8))
        try staged.commit()
    }

    // MARK: - The federation

    private func prepareKeys() throws -> (SigningKey, [String: SigningKey]) {
        func key(_ name: String) throws -> SigningKey {
            let file = path("keys/\(name).key")
            if !FileManager.default.fileExists(atPath: file) { try SigningKey().write(file) }
            return try SigningKey(contentsOf: file)
        }
        let coordinator = try key("coordinator-of-the-simulation")
        let keys = try Dictionary(uniqueKeysWithValues: sites.map { ($0.info.site, try key($0.info.site)) })
        if !exists("TRUST.yaml") {
            let members = keys.sorted { $0.key < $1.key }.map {
                """
                  - {name: \($0.key), key: \($0.value.publicKey.text), from: 2000-01-01, until: 2999-12-31, \
                unaudited: true}
                """
            }
            try write(
                "TRUST.yaml",
                """
                version: 1\nproject: simulation\ncoordinator: \
                \(coordinator.publicKey.text)\nmembers:\n\(members.joined(separator: "\n"))\n
                """
            )
            try TrustList.sign(path("TRUST.yaml"), with: coordinator)
        }
        return (coordinator, keys)
    }

    private func step(_ round: Int, _ before: LoadedModel) -> TrainingConfiguration {
        var own = configuration
        own.start(from: before)
        (own.noiseLevels, own.augmentedShare) = (
            configuration.noiseLevels, own.augmentations > 0 ? configuration.augmentedShare : 0
        )
        for expert in [\TrainingConfiguration.middle, \.fine, \.guiding] where own[keyPath: expert].isUsed {
            own[keyPath: expert].lowestNoise = configuration[keyPath: expert].lowestNoise
            own[keyPath: expert].cropSize = configuration[keyPath: expert].cropSize
            own[keyPath: expert].cropsPerImage = configuration[keyPath: expert].cropsPerImage
        }
        own.images = settings.images
        own.tunesEverything = settings.adapter == nil
        own.adapter.kind = settings.adapter ?? own.adapter.kind
        return own
    }

    private func round(_ round: Int, at site: DatasetFile, _ keys: [String: SigningKey]) async throws {
        let name = site.info.site, parcel = path("round-\(round)/\(name).parcel"),
            weights = path("round-\(round)/\(name).safetensors")
        guard !FileManager.default.fileExists(atPath: parcel), let key = keys[name] else { return }
        let before = try LoadedModel(contentsOf: mergedPath(round - 1))
        if !FileManager.default.fileExists(atPath: weights) {
            _ = try await SiteStep(base: before.path, data: [site], configuration: step(round, before), round: round)
                .run(to: weights, moments: path("moments/\(name).safetensors"), isMeasured: false, force: false)
        }
        let file = try ModelFile.read(weights).file
        let statement = ParcelStatement(
            site: name, round: round, base: before.digest.description, issued: Date(), selfTest: [],
            permissions: Permissions(purposes: ["DUO:0000042"]), contact: "simulation")
        _ = try ParcelSeal.seal(
            file, path: weights, statement: statement, unaudited: "a simulation", key: key, to: parcel, as: .f32,
            force: false)
        try FileManager.default.removeItem(atPath: weights)
    }

    private func merge(_ round: Int, _ trust: TrustList, _ key: SigningKey) throws {
        let parcels = sites.map { path("round-\(round)/\($0.info.site).parcel") }
        // Momentum repeats the step that made the base; the first base was made by no merge.
        var rule = settings.merge
        if round == 1 { rule.momentum = 0 }
        let merge = try ModelMerge(
            parcels, base: mergedPath(round - 1), trust: trust, settings: rule, round: round, at: Simulation.moment)
        let previous = round > 1 && rule.momentum > 0 ? try LoadedModel(contentsOf: mergedPath(round - 2)) : nil
        _ = try merge.write(mergedPath(round), previous: previous, key: key, force: false)
    }

    // MARK: - The other arms

    private func train(_ name: String, _ data: [DatasetFile], images: Int) async throws -> LoadedModel {
        let isBegun = exists("\(name)/checkpoint.safetensors")
        var own = step(0, try LoadedModel(contentsOf: mergedPath(0)))
        own.base = mergedPath(0)
        own.images = images
        let run = try await TrainingRun(folder: path(name), datasets: data, resume: isBegun) { _ in own }
        let summary = try run.run()
        if summary.isInterrupted { throw Failure(.interrupted, folder, "stopped; the same command goes on") }
        return try LoadedModel(contentsOf: run.snapshotPath)
    }

    private func alone(_ site: DatasetFile, round: Int, _ measured: inout [SimulationResult.Measurement]) async throws {
        if isMeasured(.local, round: round, [site], measured) { return }
        try makeFolder("local")
        let model = try await train("local/\(site.info.site)", [site], images: round * settings.images)
        try await measure(.local, model, round: round, [site], &measured)
    }

    private func pooled(round: Int, _ measured: inout [SimulationResult.Measurement]) async throws {
        if isMeasured(.pooled, round: round, sites, measured) { return }
        let model = try await train("pooled", sites, images: round * settings.images * sites.count)
        try await measure(.pooled, model, round: round, sites, &measured)
    }

    // MARK: - Measuring

    private var measurementsPath: String { path("measurements.jsonl") }

    private func measurements() throws -> [SimulationResult.Measurement] {
        guard exists("measurements.jsonl") else { return [] }
        let lines = String(decoding: try JSONText.contents(measurementsPath), as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).dropLast()
        return try lines.enumerated().map {
            try JSONText.decode(
                SimulationResult.Measurement.self, Data($1.utf8), place: "\(measurementsPath) line \($0 + 1)")
        }
    }

    /// Losses are measured on validation patients, and after the last round also on patients of the holdout.
    private func splits(_ round: Int) -> [Split] { round == settings.rounds ? [.validation, .holdout] : [.validation] }
    private func draws(_ round: Int) -> Int { round == settings.rounds ? settings.lastDraws : settings.draws }

    private func isMeasured(
        _ arm: SimulationResult.Arm, round: Int, _ sites: [DatasetFile], _ measured: [SimulationResult.Measurement]
    ) -> Bool {
        sites.allSatisfy { site in
            splits(round).allSatisfy { split in
                measured.contains {
                    $0.arm == arm && $0.round == round && $0.site == site.info.site && $0.split == "\(split)"
                        && $0.draws == draws(round)
                }
            }
        }
    }

    private func measure(
        _ arm: SimulationResult.Arm, _ model: LoadedModel, round: Int, _ sites: [DatasetFile],
        _ measured: inout [SimulationResult.Measurement]
    ) async throws {
        for site in sites where !isMeasured(arm, round: round, [site], measured) {
            for split in splits(round) {
                let validation = try await SiteValidation(model, data: [site], splits: [split], draws: draws(round))
                let line = SimulationResult.Measurement(
                    round: round, arm: arm, site: site.info.site, split: "\(split)", draws: draws(round),
                    losses: validation.losses(model.parameters))
                measured.append(line)
                try write("measurements.jsonl", try measured.map { try JSONText.encoded($0) + "\n" }.joined())
            }
            try Cancellation.check("\(folder) keeps what is done; the same command goes on")
        }
    }
}

extension Simulation {
    /// Divides the patients of data sets among sites that are uneven and skewed, and writes a data set for each site.
    /// - Returns: the paths of the data sets.
    /// - Throws: `Failure(.usage)` where the attribute is not in the schema or a site would have too few patients;
    ///   `Failure(.badData)` where the picture sizes differ; `Failure(.readOrWriteFailed)`.
    public static func deal(
        _ data: [DatasetFile], to count: Int, skewedBy attribute: String, seed: UInt64, folder: String
    ) async throws -> [String] {
        try await SimulatedSites(data, count: count, skewedBy: attribute, seed: seed).write(to: folder)
    }
}
