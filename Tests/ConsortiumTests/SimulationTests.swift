import CheckpointStore
import Consortium
import Datasets
import Diffusion
import FederatedTraining
import Federation
import Files
import Foundation
import Models
import Networks
import TensorCore
import TestTensors
import Testing
import Training

/// Whole federations on phantoms: steps of sites, rounds, poison.
@Suite struct SimulationTests {
    private func configuration(_ base: String) throws -> TrainingConfiguration {
        var settings = SiteStep.defaults(try LoadedModel(contentsOf: base))
        settings.batchSize = 8
        settings.learningRate = 2e-3
        settings.warmUpImages = 16
        return settings
    }

    @Test func sitesAreUnevenAndSkewed() async throws {
        let phantoms = try await PhantomSites(patients: 200), sites = try await phantoms.sites(4)
        #expect(sites.map(\.info.site) == ["site-1", "site-2", "site-3", "site-4"])
        #expect(sites.reduce(0) { $0 + $1.count } == 200)
        #expect(Set(sites.flatMap(\.digests)).count == Set(phantoms.data.digests).count)
        #expect(sites[0].count > 2 * sites[3].count)
        // A site's own grade is commoner there than elsewhere; splits stay as they were.
        func share(_ site: DatasetFile, _ grade: String) -> Double {
            Double((0..<site.count).filter { site.cohorts["dr_icdr"]?.name(row: $0) == grade }.count)
                / Double(site.count)
        }
        #expect(share(sites[0], "0") > 1.5 * share(sites[1], "0"))
        #expect(share(sites[1], "1") > 1.5 * share(sites[0], "1"))
        #expect(sites.reduce(0) { $0 + $1.rows(of: .validation).count } == phantoms.data.rows(of: .validation).count)
        let refused = await #expect(throws: Failure.self) { try await phantoms.sites(60) }
        #expect(refused?.kind == .usage && refused?.option == "sites")
    }

    @Test func aStepIsTheSameStoppedOrNot() async throws {
        let phantoms = try await PhantomSites(), base = phantoms.basePath
        var settings = try configuration(base)
        settings.images = 64
        let whole = phantoms.folder.file("whole.safetensors"), again = phantoms.folder.file("again.safetensors")
        let metrics = try await SiteStep(base: base, data: [phantoms.data], configuration: settings, round: 1).run(
            to: whole, force: false)
        #expect(
            metrics.images_seen == 64 && metrics.patients == 80 && metrics.round == 1 && metrics.sites == ["phantom"])
        #expect(metrics.output == (try Digest(ofFile: whole)).description)
        #expect(try #require(metrics.validation_loss) < (try #require(metrics.validation_loss_before)))
        // Killed after its first checkpoint: what is there is gone on with.
        settings.checkpointEveryImages = 32
        var begun = settings
        begun.base = base
        begun.seed = TrainingConfiguration.seed(settings.seed, round: 1)
        let unfinished = UnfinishedFolder.path(for: again)
        let part = try await TrainingRun(folder: unfinished, datasets: [phantoms.data], resume: false) { _ in begun }
        var steps = 0
        _ = try part.run(timeLimit: .zero) { _ in steps += 1 }
        _ = try await SiteStep(base: base, data: [phantoms.data], configuration: settings, round: 1).run(
            to: again, force: false)
        let a = try ModelFile.read(whole).file.tensors, b = try ModelFile.read(again).file.tensors
        #expect(a.keys == b.keys && a.allSatisfy { b[$0.key]?.elements == $0.value.elements })
        #expect(!FileManager.default.fileExists(atPath: unfinished))
        // Another round draws other noise.
        let other = phantoms.folder.file("other.safetensors")
        _ = try await SiteStep(base: base, data: [phantoms.data], configuration: settings, round: 2).run(
            to: other, force: false)
        #expect(try ModelFile.read(other).file.tensors.contains { a[$0.key]?.elements != $0.value.elements })
    }

    /// The moments of a round stay for the next, and only there.
    @Test func theOptimizersMomentsStayAtTheSite() async throws {
        let phantoms = try await PhantomSites(), moments = phantoms.folder.file("moments.safetensors")
        var settings = try configuration(phantoms.basePath)
        settings.images = 64
        func run(_ name: String, round: Int, moments: String?) async throws -> [String: Tensor] {
            let path = phantoms.folder.file(name)
            _ = try await SiteStep(
                base: phantoms.basePath, data: [phantoms.data], configuration: settings, round: round
            ).run(to: path, moments: moments, force: false)
            return try ModelFile.read(path).file.tensors
        }
        let alone = try await run("1", round: 1, moments: nil), first = try await run("2", round: 1, moments: moments)
        #expect(alone.allSatisfy { first[$0.key]?.elements == $0.value.elements })
        let kept = try ModelFile.read(moments).file
        #expect(kept.manifest.kind == .checkpoint && kept.manifest.state?["step"] == 8)
        let without = try await run("3", round: 2, moments: nil), with = try await run("4", round: 2, moments: moments)
        #expect(without.contains { with[$0.key]?.elements != $0.value.elements })
        #expect(try ModelFile.read(moments).file.manifest.state?["step"] == 16)
    }

    @Test func theProximalTermHoldsASiteBack() async throws {
        let phantoms = try await PhantomSites(), base = try LoadedModel(contentsOf: phantoms.basePath)
        var distances: [Double] = []
        for strength in [0.0, 10.0] {
            var settings = try configuration(phantoms.basePath)
            settings.images = 160
            settings.proximalWeight = strength
            let path = phantoms.folder.file("mu-\(strength).safetensors")
            _ = try await SiteStep(base: phantoms.basePath, data: [phantoms.data], configuration: settings, round: 1)
                .run(to: path, force: false)
            let moved = try LoadedModel(contentsOf: path)
            try #require(moved.parameters.tensors.count == base.parameters.tensors.count)
            distances.append(
                zip(moved.parameters.tensors, base.parameters.tensors).reduce(0) { $0 + ($1.0 - $1.1).sumOfSquares }
                    .squareRoot())
        }
        #expect(distances[1] < 0.8 * distances[0] && distances[1] > 0)
    }

    @Test func aSimulationMeasuresThreeArmsAndGoesOn() async throws {
        let phantoms = try await PhantomSites(), sites = try await phantoms.sites(3),
            folder = phantoms.folder.file("simulation")
        var settings = Simulation.Settings()
        (settings.rounds, settings.images, settings.draws, settings.lastDraws) = (1, 64, 2, 4)
        func run() async throws -> SimulationResult {
            try await Simulation(
                folder: folder, base: phantoms.basePath, sites: sites, settings: settings,
                configuration: configuration(phantoms.basePath)
            ).run { _ in }
        }
        let first = try await run()
        let merged = try Digest(ofFile: "\(folder)/round-1/merged.safetensors")
        settings.rounds = 2
        let result = try await run()
        #expect(try Digest(ofFile: "\(folder)/round-1/merged.safetensors") == merged)
        #expect(result.comparisons.count == 3 * 2 * 2)
        for arm in SimulationResult.Arm.allCases {
            let lines = result.measurements.filter { $0.arm == arm && $0.round == 2 }
            #expect(
                Set(lines.map(\.site)) == ["site-1", "site-2", "site-3"]
                    && Set(lines.map(\.split)) == ["validation", "holdout"])
        }
        for comparison in result.comparisons {
            #expect(comparison.low <= comparison.difference && comparison.difference <= comparison.high)
        }
        // What was measured before stays.
        #expect(first.measurements.allSatisfy { result.measurements.contains($0) })
        for name in ["simulation.json", "simulation.md", "curves.svg"] {
            #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name)"))
        }
        let key = await #expect(throws: Failure.self) {
            try await Simulation(
                folder: folder, base: phantoms.basePath, sites: [sites[0], sites[0]], settings: settings,
                configuration: configuration(phantoms.basePath)
            ).run { _ in }
        }
        #expect(key?.sentence.contains("a name of its own") == true)
    }

    /// One of five sites turns its update round and makes it ten times as large.
    @Test func aPoisonedSiteDoesLittleUnderRobustRulesAndIsNamedUnderTheMean() async throws {
        let phantoms = try await PhantomSites(patients: 240), sites = try await phantoms.sites(5),
            folder = phantoms.folder.file("simulation")
        var settings = Simulation.Settings()
        (settings.rounds, settings.images, settings.draws, settings.lastDraws, settings.onlyMerged) = (
            1, 160, 2, 4, true
        )
        let simulation = try Simulation(
            folder: folder, base: phantoms.basePath, sites: sites, settings: settings,
            configuration: configuration(phantoms.basePath))
        _ = try await simulation.run { _ in }
        let base = try LoadedModel(contentsOf: "\(folder)/base.safetensors"),
            trust = try TrustList(contentsOf: "\(folder)/TRUST.yaml")
        let honest = sites.map { "\(folder)/round-1/\($0.info.site).parcel" }
        var (file, _) = try ModelFile.read(honest[2])
        for (name, tensor) in base.parameters.fileTensors() {
            file.tensors[name] = try tensor - (#require(file.tensors[name]) - tensor).scaled(by: 10)
        }
        let poisoned = "\(folder)/round-1/poisoned.parcel"
        let sources = file.tensors.mapValues { tensor in TensorSource(shape: tensor.shape) { tensor } }
        try ModelFile.write(
            poisoned, file.manifest, sources, as: .f32, force: false,
            key: try SigningKey(contentsOf: "\(folder)/keys/\(sites[2].info.site).key"))
        let attacked = honest.enumerated().map { $0 == 2 ? poisoned : $1 }
        let validation = try await SiteValidation(base, data: [phantoms.data], draws: 8)
        func merge(_ parcels: [String], _ rule: MergeRecord.Rule) throws -> ModelMerge {
            var settings = MergeRecord.Settings()
            settings.rule = rule
            return try ModelMerge(
                parcels, base: base.path, trust: trust, settings: settings, round: 1, at: TestFederation.day)
        }
        for rule in [MergeRecord.Rule.median, .trimmedMean] {
            let clean = validation.loss(try merge(honest, rule).merged().parameters),
                dirty = validation.loss(try merge(attacked, rule).merged().parameters)
            #expect(clean < validation.loss(base.parameters))
            #expect(abs(dirty - clean) <= 0.05 * clean, "\(rule): \(clean) honest, \(dirty) poisoned")
        }
        let screening = try merge(attacked, .mean).screening { validation.loss($0) }
        #expect(screening.outliers.map(\.name) == [sites[2].info.site])
        let reasons = screening.outliers[0].reasons.joined(separator: "; ")
        #expect(reasons.contains("norm") && reasons.contains("cosine -") && reasons.contains("loss"))
        #expect(try merge(honest, .mean).screening { validation.loss($0) }.outliers.isEmpty)
    }

    @Test func fewerThanFiveSitesAreTooFew() throws {
        let federation = try TestFederation()
        let paths =
            try ["aachen", "bonn", "celle"].map { try federation.parcel($0) } + [
                try federation.parcel(
                    "dresden", tensors: federation.tensors(.ffa, seed: 3).mapValues { $0.scaled(by: -20) })
            ]
        let screening = try federation.merge(paths).screening()
        #expect(screening.state == "too few" && screening.outliers.isEmpty)
        #expect(screening.sites.count == 4 && screening.sites[3].norm > 5)
        try screening.requireNone()
    }
}
