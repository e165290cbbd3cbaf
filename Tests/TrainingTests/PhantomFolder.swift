import Datasets
import Diffusion
import Foundation
import Networks
import Phantoms
import Support
import Training

/// A folder with a small data set of phantoms, and quick settings for it.
struct PhantomFolder {
    let folder: TemporaryFolder
    let dataset: DatasetFile

    init(patients: Int = 20, size: Int = 32, seed: UInt64 = 5) async throws {
        folder = try TemporaryFolder()
        let path = folder.file("phantoms.h5")
        _ = try await PhantomDataset(
            try PhantomGenerator(patients: patients, size: size, visits: 1, seed: seed), path: path, force: false
        ).write(threads: 2) { _, _ in }
        dataset = try await DatasetFile.open(path)
    }

    var settings: TrainingConfiguration {
        var settings = TrainingConfiguration()
        settings.network = Preset.tiny.configuration
        settings.size = 16
        settings.batchSize = 4
        settings.images = 64
        settings.warmUpImages = 8
        settings.validateEveryImages = 24
        settings.checkpointEveryImages = 16
        settings.previewEveryImages = 1_000_000
        settings.seed = 3
        return settings
    }

    /// Quick settings for a model of three networks, which draws these structure maps with its pictures.
    func threeNetworks(maps: [StructureMap] = []) -> TrainingConfiguration {
        var settings = settings
        settings.size = 32
        settings.use(.dct(side: 8, colours: nil), .tiny)
        settings.useMaps(maps)
        (settings.images, settings.validateEveryImages, settings.checkpointEveryImages) = (32, 16, 16)
        return settings
    }

    /// Trains in `name` until so many images were seen.
    func run(_ name: String, _ settings: TrainingConfiguration, images: Int = 32, resume: Bool = false) async throws
        -> TrainingRun
    {
        let run = try await TrainingRun(folder: folder.file(name), datasets: [dataset], resume: resume) { before in
            var settings = before ?? settings
            settings.images = images
            return settings
        }
        _ = try run.run()
        return run
    }
}
