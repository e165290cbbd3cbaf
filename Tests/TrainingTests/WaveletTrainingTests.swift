import CheckpointStore
import Diffusion
import Files
import Foundation
import Models
import Support
import TensorCore
import Testing
import Training

@Suite(.serialized) struct WaveletTrainingTests {
    private func settings(_ phantoms: PhantomFolder) -> TrainingConfiguration {
        var settings = phantoms.settings
        settings.size = 32
        settings.use(.wavelet(levels: 1), .tiny)
        return settings
    }

    /// Stopped, resumed, the same bytes; deviations by channel and names of open attributes are in the description.
    @Test func resumedInWaveletSpace() async throws {
        let phantoms = try await PhantomFolder()
        let straight = try await TrainingRun(
            folder: phantoms.folder.file("straight"), datasets: [phantoms.dataset], resume: false
        ) { _ in
            settings(phantoms)
        }
        _ = try straight.run()
        let folder = phantoms.folder.file("stopped")
        for images in [24, 64] {
            let run = try await TrainingRun(folder: folder, datasets: [phantoms.dataset], resume: images == 64) {
                before in
                var settings = before ?? settings(phantoms)
                settings.images = images
                return settings
            }
            _ = try run.run()
        }
        for file in ["checkpoint", "snapshot"] {
            let isSame = FileManager.default.contentsEqual(
                atPath: "\(straight.folder)/\(file).safetensors", andPath: "\(folder)/\(file).safetensors")
            #expect(isSame, "\(file)")
        }
        let model = try ModelFile.read(straight.snapshotPath, kind: .snapshot).file.manifest.model
        #expect(model.problem == nil)
        #expect(model.space == .wavelet(levels: 1))
        #expect(model.latentShape(2) == [2, 16, 16, 12])
        let deviations = model.preconditioning.channelDeviations
        #expect(deviations.count == 12)
        // Photographs are smooth: the coarse band of each colour is many times stronger than the finest.
        for colour in 0..<3 { #expect(deviations[colour] > 5 * deviations[9 + colour]) }
        #expect(model.cohort.attributes.contains("camera"))
        #expect(model.cohort.openNames["camera"]?.isEmpty == false)
    }

    /// With no noise to speak of, hardly any error; it grows with the noise and stays below it for a trained model.
    @Test func denoisingErrorsAreInPixels() async throws {
        let phantoms = try await PhantomFolder()
        let run = try await TrainingRun(
            folder: phantoms.folder.file("run"), datasets: [phantoms.dataset], resume: false
        ) { _ in
            var settings = settings(phantoms)
            settings.images = 1600
            settings.batchSize = 8
            settings.learningRate = 2e-3
            settings.validateEveryImages = 1600
            return settings
        }
        _ = try run.run()
        let lines = try String(contentsOfFile: run.folder + "/log.jsonl", encoding: .utf8).split(separator: "\n")
        struct Line: Decodable {
            struct Part: Decodable {
                let sigma: Double
                let images: Int
                let loss: Double?
            }
            let denoising_errors: [DenoisingError]?
            let loss_by_sigma: [Part]?
            let validation_losses: [Double]?
        }
        let line = try #require(
            try lines.compactMap { line in
                let read = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
                return read.denoising_errors == nil ? nil : read
            }.last)
        let errors = try #require(line.denoising_errors)
        #expect(errors.count == 7)
        #expect(zip(errors, errors.dropFirst()).allSatisfy { $0.error < $1.error })
        #expect(errors.allSatisfy { $0.error < $0.sigma })
        let parts = try #require(line.loss_by_sigma)
        #expect(parts.count == 8)
        #expect(parts.reduce(0) { $0 + $1.images } == 1600)
        // Equal parts of the distribution hold about as many images each.
        #expect(parts.allSatisfy { (140...260).contains($0.images) && ($0.loss ?? -1) > 0 })
        #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.sigma < $1.sigma })
        #expect(line.validation_losses?.count == 2)
    }
}
