import CheckpointStore
import Diffusion
import Models
import Training

extension MembershipAttack {
    /// Images that a reference sees unless its caller says otherwise: it needs to know how hard a photograph is, not
    /// how to draw one.
    package static let referenceImages = 20_000

    /// A model of the target's architecture and settings that saw none of its training patients: trained from nothing
    /// on the auxiliary part of the holdout, which takes no other part in the attack.
    ///
    /// - Parameters:
    ///   - images: images that it sees in all.
    ///   - report: called with images seen and in all; returning false ends the training there.
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
