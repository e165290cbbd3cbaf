import Auditing
import Datasets
import Diffusion
import Models
import Networks
import Phantoms
import Support
import TensorCore
import Training

/// A data set of small phantoms, and quick settings for a network that learns some of them by heart.
struct PhantomPatients {
    let folder: TemporaryFolder
    let dataset: DatasetFile
    /// Rows of each patient.
    let rows: [[Int]]

    init(patients: Int, size: Int = 32, visits: Int = 1, seed: UInt64 = 5) async throws {
        folder = try TemporaryFolder()
        let path = folder.file("phantoms.h5")
        _ = try await PhantomDataset(
            try PhantomGenerator(patients: patients, size: size, visits: visits, seed: seed), path: path, force: false
        ).write(threads: 2) { _, _ in }
        let file = try await DatasetFile.open(path)
        dataset = file
        var order: [String] = []
        for patient in file.patients where !order.contains(patient) { order.append(patient) }
        rows = order.map { key in file.patients.indices.filter { file.patients[$0] == key } }
    }

    /// Rows of some patients.
    func rows(_ range: Range<Int>) -> [Int] { rows[range].flatMap { $0 } }

    static func settings(images: Int) -> TrainingConfiguration {
        var settings = TrainingConfiguration()
        settings.network = Preset.tiny.configuration
        settings.size = 16
        settings.batchSize = 8
        settings.attributes = []
        settings.conditionDropout = 0
        settings.images = images
        settings.learningRate = 2e-3
        settings.warmUpImages = 200
        settings.averageLengths = [0.05]
        settings.seed = 3
        return settings
    }

    /// A model that saw the first patients so many times.
    func model(patients: Range<Int>, images: Int) async throws -> ModelInMemory {
        let encoding = CohortEncoding(attributes: [])
        let set = try await TrainingSet([(dataset, rows(patients))], size: 16, encoding: encoding)
        return try MemoryTraining.run(PhantomPatients.settings(images: images), encoding: encoding, on: set)
    }

    func photographs(_ range: Range<Int>, of model: ModelInMemory) async throws -> AuditPhotographs {
        try await AuditPhotographs([(dataset, rows(range))], of: model.model.description)
    }
}
