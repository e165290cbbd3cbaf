import CheckpointStore
import Diffusion
import Foundation
import Models
import Networks
import Support
import TensorCore
import TestTensors
import Testing
import Training

/// Models that draw structure maps with their pictures.
@Suite struct StructureTrainingTests {
    private func settings(_ phantoms: PhantomFolder) -> TrainingConfiguration {
        phantoms.threeNetworks(maps: [.vessels])
    }

    private func run(_ folder: String, _ phantoms: PhantomFolder, images: Int = 32, resume: Bool = false) async throws
        -> TrainingRun
    {
        try await phantoms.run(folder, settings(phantoms), images: images, resume: resume)
    }

    @Test func stoppedAndResumedToTheSameBytes() async throws {
        let phantoms = try await PhantomFolder()
        let straight = try await run("straight", phantoms)
        _ = try await run("stopped", phantoms, images: 12)
        let stopped = try await run("stopped", phantoms, resume: true)
        #expect(
            FileManager.default.contentsEqual(
                atPath: "\(straight.folder)/checkpoint.safetensors", andPath: "\(stopped.folder)/checkpoint.safetensors"
            ))
        let model = try ModelFile.read(straight.snapshotPath, kind: .snapshot).file.manifest.model
        #expect(model.problem == nil && model.space.maps == [.vessels])
        #expect(model.network.inChannels == 256 && model.network.outChannels == 272)
        #expect(model.preconditioning.channelDeviations.count == 256)
        #expect(model.middle?.space.maps == [.vessels] && model.fine?.space.maps == [.vessels])
        // What is measured of maps is a deviation of values in [0, 1], and the log's errors are the pictures' alone.
        #expect(model.preconditioning.channelDeviations[192...].allSatisfy { $0 > 0 && $0 < 1 })
        var set = try await TrainingSet([phantoms.dataset], split: .validation, size: 32, encoding: model.cohort)
        set.measure([.vessels])
        let error = straight.trainer.denoisingErrors(
            try LoadedModel(contentsOf: straight.snapshotPath).parameters, set)[3]
        let groups = try #require(error.groups)
        #expect(groups.count == 16 && groups.count { $0.colour == 3 } == 4)
        let shares = [1.0, 3, 12, 48].map { $0 / 192 }
        var squares = 0.0
        for group in groups where group.colour < 3 { squares += shares[group.octave] * group.error * group.error }
        #expect(abs(squares.squareRoot() - error.error) <= 1e-4 * error.error)
    }

    /// The map of a phantom is where its vessels are, and goes with the picture: mirrored, picked, joined.
    @Test func mapsGoWithTheirPictures() async throws {
        let phantoms = try await PhantomFolder(patients: 12, size: 64)
        var set = try await TrainingSet(
            [phantoms.dataset], split: .train, size: 64, encoding: CohortEncoding(attributes: []))
        #expect(set.pictures([0], mirrored: [false]).shape == [1, 64, 64, 3])
        set.measure([.vessels])
        let planes = set.pictures([1, 2], mirrored: [false, true]), values = planes.elements
        #expect(planes.shape == [2, 64, 64, 4])
        let maps = (0..<2 * 64 * 64).map { values[4 * $0 + 3] / StructureMap.contrast }
        #expect(maps.allSatisfy { (0...1.00001).contains($0) })
        // Vessels are dark: of the places inside the eye, the map's are darker in green than those around them.
        func mean(_ places: [Int]) -> Float {
            places.reduce(0) { $0 + values[4 * $1 + 1] } / Float(max(1, places.count))
        }
        let inside = (0..<64 * 64).filter { values[4 * $0] > -0.9 }
        let (vessels, ground) = (inside.filter { maps[$0] > 0.7 }, inside.filter { maps[$0] == 0 })
        #expect(vessels.count > 40 && mean(vessels) < mean(ground) - 0.05)
        let straight = set.pictures([2], mirrored: [false]).elements
        for y in 0..<64 {
            for x in 0..<64 { #expect(values[4 * (4096 + 64 * y + x) + 3] == straight[4 * (64 * y + 63 - x) + 3]) }
        }
        let picked = TrainingSet(set, [2, 1]).pictures([0], mirrored: [true]).elements
        #expect(picked == Array(values[4 * 4096..<8 * 4096]))
        let joined = TrainingSet(joining: [set, set], size: 64)
        #expect(joined.pictures([set.count + 2], mirrored: [true]).elements == picked)
    }

    /// A change moves picture and map alike, and lights the picture alone.
    @Test func changesMoveMapsToo() {
        let planes = Tensor(shape: [1, 32, 32, 4]) { target in
            for place in 0..<1024 {
                let spot = place / 32 == 12 && place % 32 == 20
                for c in 0..<3 { target[4 * place + c] = spot ? 1 : -1 }
                target[4 * place + 3] = spot ? 1 : 0
            }
        }
        let found = Augmentation.applied([Augmentation(numbers: [1, 0.5, 1, -1, 0, 0])], to: planes).elements
        let lit = Augmentation.applied([Augmentation(numbers: [1, 0.5, 1, -1, 2, 0])], to: planes).elements
        #expect(found != planes.elements)
        for place in 0..<1024 {
            #expect(abs(found[4 * place + 3] - (found[4 * place] + 1) / 2) <= 1e-6)
            #expect(lit[4 * place + 3] == found[4 * place + 3])
        }
    }

    /// Half of the maps have the pictures' level, a fifth is known, some are unknown, the rest lies between.
    @Test func levelsOfMaps() async throws {
        let phantoms = try await PhantomFolder()
        var settings = settings(phantoms),
            set = try await TrainingSet(
                [phantoms.dataset], split: .train, size: 32, encoding: CohortEncoding(attributes: []))
        settings.batchSize = 400
        set.measure([.vessels])
        settings.measure(set)
        let batch = TrainingBatch(settings, CohortEncoding(attributes: []), data: set, imagesSeen: 0).whole
        let maps = try #require(batch.maps).map { $0 * 8 }, own = batch.sigma.map { $0 * 8 }
        func share(_ isSo: (Int) -> Bool) -> Double { Double(maps.indices.count(where: isSo)) / 400 }
        // Three deviations of a share of 400.
        #expect(abs(share { maps[$0] == own[$0] } - 0.5) <= 0.075)
        #expect(abs(share { abs(maps[$0] - 0.005) <= 1e-6 } - 0.2) <= 0.06)
        #expect(abs(share { maps[$0] == 640 } - 0.15) <= 0.055)
        #expect(maps.allSatisfy { $0 >= 0.00499 && $0 <= 640 })
        settings.useMaps([])
        #expect(TrainingBatch(settings, CohortEncoding(attributes: []), data: set, imagesSeen: 0).whole.maps == nil)
    }
}
