import CheckpointStore
import Diffusion
import Models
import Training

extension MembershipAttack {
    /// How many images a reference model sees unless the caller says otherwise. The model must know how hard a
    /// photograph is, but need not draw one.
    package static let referenceImages = 20_000

    /// Trains a model with the target's architecture and settings that sees none of the target's training patients. It
    /// is trained from nothing on the auxiliary part of the holdout, which takes no other part in the attack.
    ///
    /// - Parameters:
    ///   - images: how many images the model sees in all.
    ///   - report: is given the number of images seen and of all images; if it returns false, the training ends there.
    /// - Throws: what `report` throws, and the failures of training.
    package static func referenceModel(
        like target: LoadedModel, on auxiliary: AuditPhotographs, images: Int = referenceImages, seed: UInt64 = 0,
        report: (Int, Int) throws -> Bool = { _, _ in true }
    ) throws -> ModelInMemory {
        var settings = TrainingConfiguration(trainedAs: target)
        settings.images = images
        settings.seed = seed
        settings.warmUpImages = min(settings.warmUpImages, images / 10)
        return try MemoryTraining.run(settings, encoding: target.manifest.model.cohort, on: auxiliary.photographs) {
            try report($0.imagesSeen, images)
        }
    }
}
