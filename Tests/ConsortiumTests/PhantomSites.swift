import Cohorts
import Consortium
import Datasets
import Diffusion
import FederatedTraining
import Files
import Foundation
import Networks
import Phantoms
import Support
import Training

/// Phantom patients and a base that was trained on others, at 16 x 16: seconds.
struct PhantomSites {
    let folder: TemporaryFolder
    let data: DatasetFile
    let basePath: String

    static func settings() -> TrainingConfiguration {
        var settings = TrainingConfiguration()
        var network = UNetConfiguration(blockOutChannels: [8, 16], attentionLevels: [false, false])
        network.layersPerBlock = 1
        network.normGroups = 4
        settings.network = network
        settings.size = 16
        settings.attributes = ["dr_icdr"]
        settings.batchSize = 8
        settings.images = 240
        settings.warmUpImages = 40
        settings.learningRate = 2e-3
        settings.previewEveryImages = 1 << 40
        return settings
    }

    init(patients: Int = 100) async throws {
        let folder = try TemporaryFolder(), basePhantoms = folder.file("base.h5"), phantoms = folder.file("data.h5")
        for (path, seed, count) in [(basePhantoms, UInt64(11), 60), (phantoms, 12, patients)] {
            let writer = try await DatasetWriter(
                path: path, size: 32,
                info: DatasetInfo(site: "phantom", source: "phantoms", licence: "CC0-1.0", synthetic: true))
            try await writer.append(
                try PhantomGenerator(patients: count, size: 32, seed: seed).phantoms(0..<count, threads: 2).map(
                    \.record))
            try await writer.finish()
        }
        let own = try await DatasetFile.open(basePhantoms)
        let run = try await TrainingRun(folder: folder.file("run"), datasets: [own], resume: false) { _ in
            PhantomSites.settings()
        }
        _ = try run.run()
        basePath = run.snapshotPath
        data = try await DatasetFile.open(phantoms)
        self.folder = folder
    }

    /// The patients dealt out to so many sites.
    func sites(_ count: Int, skewedBy attribute: String = "dr_icdr") async throws -> [DatasetFile] {
        let own = folder.file("sites")
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        var files: [DatasetFile] = []
        for path in try await Simulation.deal([data], to: count, skewedBy: attribute, seed: 5, folder: own) {
            files.append(try await DatasetFile.open(path))
        }
        return files
    }
}
