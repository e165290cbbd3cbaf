import CheckpointStore
import Datasets
import Diffusion
import Files
import Foundation
import Models
import Networks
import Pictures
import Randomness
import Support
import TensorCore
import TestTensors
import Testing
import Training

@Suite(.serialized) struct ExpertTrainingTests {
    private func settings(_ phantoms: PhantomFolder) -> TrainingConfiguration { phantoms.threeNetworks() }

    private func run(_ folder: String, _ phantoms: PhantomFolder, images: Int = 32, resume: Bool = false) async throws
        -> TrainingRun
    {
        try await phantoms.run(folder, settings(phantoms), images: images, resume: resume)
    }

    /// Stopped, resumed, the same bytes; axes and deviations of all networks are in the description.
    @Test func resumedWithThreeNetworks() async throws {
        let phantoms = try await PhantomFolder()
        let straight = try await run("straight", phantoms)
        _ = try await run("stopped", phantoms, images: 12)
        let stopped = try await run("stopped", phantoms, resume: true)
        for file in ["checkpoint", "snapshot"] {
            let isSame = FileManager.default.contentsEqual(
                atPath: "\(straight.folder)/\(file).safetensors", andPath: "\(stopped.folder)/\(file).safetensors")
            #expect(isSame, "\(file)")
        }
        let model = try ModelFile.read(straight.snapshotPath, kind: .snapshot).file.manifest.model
        #expect(model.problem == nil)
        #expect(!model.space.lacksColours && model.space.name == "dct-8")
        let fine = try #require(model.fine), middle = try #require(model.middle)
        #expect(
            !middle.space.lacksColours && middle.space.name == "dct-4"
                && middle.preconditioning.channelDeviations.count == 48)
        #expect(!fine.space.lacksColours && fine.space.name == "dct-2")
        #expect(
            model.preconditioning.channelDeviations.count == 192 && fine.preconditioning.channelDeviations.count == 12)
        // The second axis of phantoms' colours carries less than the first, the finest band less than the next.
        let deviations = model.preconditioning.channelDeviations
        #expect(deviations[3] > deviations[4] && deviations[3] > deviations[189])
        #expect(try LoadedModel(contentsOf: straight.snapshotPath).model.experts.count == 3)
    }

    /// A folder belongs to one training at a time, and is free when that has ended.
    @Test func aFolderHasOneTraining() async throws {
        let phantoms = try await PhantomFolder()
        let first = try await TrainingRun(
            folder: phantoms.folder.file("shared"), datasets: [phantoms.dataset], resume: false
        ) { _ in
            var settings = settings(phantoms)
            settings.images = 8
            return settings
        }
        do {
            _ = try await run("shared", phantoms)
            Issue.record("a second training took the folder")
        } catch let failure as Failure {
            #expect(
                failure.kind == .cannotCreateOutput
                    && "\(failure)".contains(" is writing into this folder"))
        }
        #expect(try first.run().imagesSeen == 8)
        #expect(try await run("shared", phantoms, resume: true).trainer.state.imagesSeen == 32)
    }

    /// What the log says of parts adds up to what it says of the whole.
    @Test func errorsOfPartsAddUp() async throws {
        let phantoms = try await PhantomFolder()
        let run = try await run("run", phantoms)
        struct Line: Decodable {
            let loss: Double?
            let middle_loss: Double?
            let fine_loss: Double?
            let denoising_errors: [DenoisingError]?
        }
        let lines = try String(contentsOfFile: run.folder + "/log.jsonl", encoding: .utf8).split(separator: "\n")
            .map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        let steps = lines.filter { $0.loss != nil }
        #expect(steps.count == 4)
        for step in steps {
            let (all, middle, fine) = try (#require(step.loss), #require(step.middle_loss), #require(step.fine_loss))
            #expect(middle > 0 && fine > 0 && middle + fine < all)
        }
        let errors = try #require(lines.compactMap(\.denoising_errors).last)
        #expect(errors.map(\.sigma) == [0.016, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6])
        let set = try await TrainingSet(
            [phantoms.dataset], split: .validation, size: 32, encoding: run.trainer.model.description.cohort)
        var counts = [PictureRegion: Double]()
        for view in set.views { for region in PictureRegion.map(view, size: 32) { counts[region, default: 0] += 1 } }
        let all = counts.values.reduce(0, +)
        for error in errors {
            let parts = [(PictureRegion.eye, error.eye), (.edge, error.edge), (.surround, error.surround)]
            let sum = try parts.reduce(0.0) { try $0 + counts[$1.0, default: 0] * pow(#require($1.1), 2) }
            #expect(abs((sum / all).squareRoot() - error.error) <= 1e-4 * error.error, "regions at \(error.sigma)")
            let groups = try #require(error.groups)
            #expect(groups.count == 12)
            // Octaves of 1, 3, 12 and 48 channels of the 64 of each colour.
            let shares = [1.0, 3, 12, 48].map { $0 / 192 }
            let squares = groups.reduce(0.0) { $0 + shares[$1.octave] * $1.error * $1.error }
            #expect(abs(squares.squareRoot() - error.error) <= 1e-4 * error.error, "groups at \(error.sigma)")
            #expect(groups.allSatisfy { $0.skip < 1.0001 * max(error.sigma, $0.deviation) })
        }
        let svg = try String(contentsOfFile: run.folder + "/curve.svg", encoding: .utf8)
        #expect(svg.contains("inside the eye") && svg.contains("c_skip alone"))
    }

    /// The validation loss is that of all networks: a worse fine or middle one shows in it.
    @Test func validationMeasuresAllNetworks() async throws {
        let phantoms = try await PhantomFolder()
        let run = try await run("run", phantoms)
        let set = try await TrainingSet(
            [phantoms.dataset], split: .validation, size: 32, encoding: run.trainer.model.description.cohort)
        let trained = run.trainer.state.parameters
        func loss(spoiling prefix: String) -> Double {
            var parameters = trained
            for (number, specification) in parameters.specifications.enumerated()
            where specification.path == prefix + "conv_out.bias" {
                parameters.tensors[number] = Tensor(repeating: 3, shape: specification.shape)
            }
            return run.trainer.validationLoss(parameters, set)
        }
        let own = loss(spoiling: "neither")
        #expect(own.isFinite && own > 0)
        #expect(loss(spoiling: "") > own + 1)
        #expect(loss(spoiling: "middle.") > own + 1)
        #expect(loss(spoiling: "fine.") > own + 1)
    }

    /// All networks share the table of cohorts: its gradient is the sum of theirs, as differences of the whole loss
    /// say.
    @Test func gradientsOfAllNetworksAddUp() async throws {
        let phantoms = try await PhantomFolder()
        let trainer = try await run("run", phantoms).trainer, configuration = trainer.configuration
        let encoding = trainer.model.description.cohort
        let set = try await TrainingSet([phantoms.dataset], split: .train, size: 32, encoding: encoding)
        let batch = TrainingBatch(configuration, encoding, data: set, imagesSeen: 32),
            parameters = trainer.state.parameters
        let table = try #require(parameters.specifications.firstIndex { $0.path == DiffusionModel.cohortPath })
        let gradient = trainer.differentiated(batch, at: parameters).gradients[table].elements.map(Double.init)
        // Along the gradient itself, where the difference is largest.
        let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
        func loss(_ step: Double) -> Double {
            var moved = parameters
            let values = zip(moved.tensors[table].elements, gradient).map { $0 + Float(step * $1 / norm) }
            moved.tensors[table] = Tensor(values, shape: moved.tensors[table].shape)
            let losses = trainer.differentiated(batch, at: moved).losses
            return losses.reduce(0) { $0 + $1.elements.reduce(0) { $0 + Double($1) } / Double($1.count) }
        }
        let slope = (loss(0.05) - loss(-0.05)) / 0.1
        #expect(norm > 0 && abs(slope - norm) <= 0.02 * norm, "\(slope) against \(norm)")
    }

    @Test func regionsFollowTheFieldOfView() {
        let view = FieldOfView(centerX: 32, centerY: 32, radius: 20, top: 20, bottom: 64)
        let map = PictureRegion.map(view, size: 64)
        func region(_ x: Int, _ y: Int) -> PictureRegion { map[y * 64 + x] }
        #expect(region(32, 32) == .eye)
        #expect(region(32, 50) == .eye)
        #expect(region(32, 52) == .edge)
        #expect(region(32, 53) == .surround)
        // Cut off at row 20.
        #expect(region(32, 21) == .eye)
        #expect(region(32, 19) == .edge)
        #expect(region(32, 18) == .surround)
        #expect(region(2, 2) == .surround)
    }

    /// A crop is a part of its photograph, upright; where pictures are mirrored, half of the crops are upside down.
    @Test(arguments: [false, true]) func cropsAreParts(_ flips: Bool) async throws {
        let phantoms = try await PhantomFolder()
        var settings = settings(phantoms)
        settings.fine.cropsPerImage = 2
        settings.flips = flips
        settings.batchSize = 8
        let encoding = CohortEncoding(attributes: ["dr_icdr"])
        let set = try await TrainingSet([phantoms.dataset], split: .train, size: 32, encoding: encoding)
        settings.measure(set)
        let batch = TrainingBatch(settings, encoding, data: set, imagesSeen: 8)
        #expect(batch.experts.count == 3)
        let crops = batch.experts[1], space = settings.fine.space
        #expect(crops.clean.shape == [16, 8, 8, 12] && crops.noise.shape == crops.clean.shape)
        #expect(crops.cohorts.count == 16)
        let pixels = space.decoded(crops.clean).elements
        let order = TrainingBatch.order(seed: settings.seed, from: 8, count: 8, of: set.count)
        let upright = [Bool](repeating: false, count: 8)
        let pictures = [false, true].map { isMirrored in
            set.pictures(order, mirrored: upright.map { _ in isMirrored }).elements
        }
        var upsideDown = 0
        for crop in 0..<16 {
            /// Whether the crop stands somewhere in its picture.
            func isThere(_ picture: [Float], isUpsideDown: Bool) -> Bool {
                (0...16).contains { top in
                    (0...16).contains { left in
                        (0..<16).allSatisfy { y in
                            let row = (crop / 2 * 32 + top + (isUpsideDown ? 15 - y : y)) * 32 + left
                            return (0..<48).allSatisfy {
                                abs(pixels[(crop * 16 + y) * 48 + $0] - picture[row * 3 + $0]) <= 1e-4
                            }
                        }
                    }
                }
            }
            let own = flips ? pictures : [pictures[0]]
            let isUpright = own.contains { isThere($0, isUpsideDown: false) }
            if !isUpright, flips, own.contains(where: { isThere($0, isUpsideDown: true) }) {
                upsideDown += 1
            } else {
                #expect(isUpright, "crop \(crop)")
            }
        }
        #expect(flips ? (3...13).contains(upsideDown) : upsideDown == 0, "\(upsideDown) of 16 upside down")
        let levels = settings.fine.noiseLevels
        #expect(crops.sigma.allSatisfy { Double($0) >= levels.lowest * 0.999 && Double($0) <= levels.highest * 1.001 })
        #expect(Set(crops.sigma).count == 16)
    }

    /// The middle network sees the pictures that the first sees, changed alike, with noises and levels of its own.
    @Test func theMiddleNetworkSeesWholePictures() async throws {
        let phantoms = try await PhantomFolder()
        var settings = settings(phantoms)
        settings.batchSize = 8
        let encoding = CohortEncoding(attributes: ["dr_icdr"])
        let set = try await TrainingSet([phantoms.dataset], split: .train, size: 32, encoding: encoding)
        settings.measure(set)
        let batch = TrainingBatch(settings, encoding, data: set, imagesSeen: 8), middle = batch.experts[0]
        #expect(middle.clean.shape == [8, 8, 8, 48] && middle.noise.shape == middle.clean.shape)
        let (first, own) = (
            settings.space.decoded(batch.whole.clean).elements, settings.middle.space.decoded(middle.clean).elements
        )
        #expect(relativeDifference(own.map(Double.init), first.map(Double.init)) <= 1e-5)
        let noises = [
            settings.space.decoded(batch.whole.noise).elements, settings.middle.space.decoded(middle.noise).elements,
        ]
        #expect(relativeDifference(noises[0].map(Double.init), noises[1].map(Double.init)) > 0.1)
        let levels = settings.middle.noiseLevels
        #expect(middle.sigma.allSatisfy { Double($0) >= levels.lowest * 0.999 && Double($0) <= levels.highest * 1.001 })
        #expect(Set(middle.sigma).count == 8)
    }

    /// A base of three networks brings all, how they were trained, and a place for changes; a file may name its spaces
    /// as before.
    @Test func basesBringAllNetworks() async throws {
        let phantoms = try await PhantomFolder()
        let run = try await run("run", phantoms)
        let base = try LoadedModel(contentsOf: run.snapshotPath)
        var tuned = TrainingConfiguration()
        tuned.start(from: base)
        #expect(tuned.fine.isUsed && tuned.fine.cropSize == 16 && abs(tuned.fine.highestNoise - 0.2) <= 1e-6)
        #expect(tuned.middle.isUsed && tuned.middle.cropSize == 0 && tuned.middle.highestNoise == 1.5)
        #expect(tuned.augmentations == Augmentation.count && tuned.augmentedShare == 0.5)
        #expect(tuned.problem == nil)
        let file = phantoms.folder.file("tune.yaml")
        try "space: dct-8\naugmentedShare: 0\n".write(toFile: file, atomically: true, encoding: .utf8)
        let changed = try tuned.tuned(by: file)
        #expect(changed.space == base.manifest.model.space && changed.augmentedShare == 0)
        try "space: wavelet-3\n".write(toFile: file, atomically: true, encoding: .utf8)
        expectFailure(.badData, "space: expected dct-8, the base's, found wavelet-3") { try tuned.tuned(by: file) }
        // Without changed pictures the network keeps its table.
        var unchanged = changed
        (unchanged.base, unchanged.images) = ("", 4)
        let encoding = base.manifest.model.cohort
        let photographs = try await TrainingSet([phantoms.dataset], split: .train, size: 32, encoding: encoding)
        let again = try MemoryTraining.run(unchanged, encoding: encoding, on: photographs, from: base.parameters)
        #expect(again.model.description.augmentations == Augmentation.count)
    }

    /// Crops fit into small pictures, and what a single network lacks is measured.
    @Test func settingsFitTheirPictures() async throws {
        var small = TrainingConfiguration()
        small.use(.dct(side: 4, colours: nil), .small, size: 64)
        small.size = 64
        #expect(
            small.problem == nil && small.fine.cropSize == 64 && !small.middle.isUsed && small.fine.highestNoise == 0.5)
        #expect(abs(small.noiseLevels.lowest * 4 - 0.365) <= 1e-9 && abs(small.noiseLevels.highest * 4 - 640) <= 1e-9)
        // The middle network takes the levels from 0.2 to 1.5 on pixels off the first, and is trained a little beyond
        // them.
        var large = TrainingConfiguration()
        large.use(.dct(side: 8, colours: nil), .small, size: 256)
        large.size = 256
        #expect(large.problem == nil && large.experts.map(\.name) == ["middle", "fine", "guiding"])
        #expect(
            large.middle.lowestNoise < large.fine.highestNoise
                && large.noiseLevels.lowest * 8 < large.middle.highestNoise)
        // Samples go down to the lowest level that is trained, a grey level's deviation, and start at the highest.
        let levels = large.sampledLevels(of: large.description(CohortEncoding(attributes: [])))
        #expect(abs(levels.range.lowerBound * 8 - 0.005) <= 1e-6 && levels.range.upperBound == 10)
        #expect(levels.schedule(steps: 3).sigmas == [80, 10, levels.range.lowerBound, 0])
        let phantoms = try await PhantomFolder()
        var pixels = phantoms.settings
        (pixels.size, pixels.fine.highestNoise, pixels.fine.cropSize) = (32, 0.5, 16)
        pixels.fine.network.time.width = pixels.network.embeddingWidth
        #expect(pixels.problem == nil)
        pixels.measure(
            try await TrainingSet([phantoms.dataset], split: .train, size: 32, encoding: CohortEncoding(attributes: []))
        )
        #expect(!pixels.fine.space.lacksColours && pixels.fine.preconditioning.channelDeviations.count == 12)
        #expect(TrainingConfiguration.usualSize(of: [phantoms.dataset]) == 32)
    }

    @Test func settingsThatMakeNoSenseAreNamed() async throws {
        let phantoms = try await PhantomFolder()
        func problem(_ change: (inout TrainingConfiguration) -> Void) -> String {
            var changed = settings(phantoms)
            change(&changed)
            return changed.problem ?? "none"
        }
        #expect(problem { _ in } == "none")
        #expect(problem { $0.fine.cropSize = 18 }.hasPrefix("fine.cropSize: expected a multiple of 4"))
        #expect(problem { $0.fine.cropSize = 64 }.hasPrefix("fine.cropSize"))
        #expect(problem { $0.fine.lowestNoise = 1 }.hasPrefix("fine.lowestNoise"))
        #expect(
            problem { $0.middle.cropsPerImage = 2 }.hasPrefix("middle.cropsPerImage: expected 1 where cropSize is 0"))
        #expect(problem { $0.middle.lowestNoise = 1.5 }.hasPrefix("middle.lowestNoise"))
        #expect(problem { $0.fine.cropsPerImage = 0 }.hasPrefix("fine.cropsPerImage"))
        #expect(problem { $0.augmentedShare = 2 }.hasPrefix("augmentedShare"))
        #expect(problem { $0.fine.network.blockOutChannels = [] }.hasPrefix("fine.network.blockOutChannels"))
        #expect(problem { $0.noiseLevels.highest = 0 }.hasPrefix("noiseLevels"))
        #expect(problem { $0.noiseLevels.lowest = 1e-300 }.hasPrefix("noiseLevels"))
        #expect(problem { $0.augmentations = 5 }.hasPrefix("augmentations"))
    }
}

@Suite struct AugmentationTests {
    private func changed(_ numbers: [Float], _ picture: Tensor) -> [Float] {
        Augmentation.applied([Augmentation(numbers: numbers)], to: picture).elements
    }

    /// A spot on black in a picture of 64 x 64.
    private func spot(x: Int, y: Int) -> Tensor {
        Tensor(shape: [1, 64, 64, 3]) { target in
            target.update(repeating: -1)
            for c in 0..<3 { target[(y * 64 + x) * 3 + c] = 1 }
        }
    }

    /// The middle of what is brighter than black, in pixels.
    private func middle(_ picture: [Float]) -> (x: Double, y: Double) {
        var sum = 0.0, x = 0.0, y = 0.0
        for place in 0..<64 * 64 {
            let light = Double(picture[3 * place]) + 1
            (sum, x, y) = (sum + light, x + light * (Double(place % 64) + 0.5), y + light * (Double(place / 64) + 0.5))
        }
        return (x / sum, y / sum)
    }

    @Test func numbersMoveWhatTheySay() {
        let picture = spot(x: 48, y: 31)
        #expect(changed([0, 0, 0, 0, 0, 0], picture) == picture.elements)
        // 2 % of 64 pixels to the right and downwards.
        let shifted = middle(changed([0, 0, 1, -1, 0, 0], picture))
        #expect(abs(shifted.x - (48.5 + 1.28)) <= 0.02 && abs(shifted.y - (31.5 - 1.28)) <= 0.02)
        // A tenth larger, from the middle at 32.
        let larger = middle(changed([0, 1, 0, 0, 0, 0], picture))
        #expect(abs(larger.x - (32 + 16.5 * exp(0.1))) <= 0.1, "\(larger)")
        // By 2 x 0.15 radians, clockwise as rows run downwards.
        let turned = middle(changed([2, 0, 0, 0, 0, 0], picture))
        #expect(abs(turned.x - (32 + 16.5 * cos(0.3) + 0.5 * sin(0.3))) <= 0.1, "\(turned)")
        #expect(abs(turned.y - (32 + 16.5 * sin(0.3) - 0.5 * cos(0.3))) <= 0.1, "\(turned)")
    }

    @Test func lightChangesAndBlackStays() {
        let picture = spot(x: 32, y: 32)
        let found = changed([0, 0, 0, 0, 1, 1], picture)
        let lit = (32 * 64 + 32) * 3
        #expect(abs(Double(found[lit]) - (2 * exp(0.17) - 1)) <= 1e-5)
        #expect(abs(Double(found[lit + 1]) - (2 * exp(0.1) - 1)) <= 1e-5)
        #expect(abs(Double(found[lit + 2]) - (2 * exp(0.03) - 1)) <= 1e-5)
        #expect(found.indices.allSatisfy { ($0 / 3) == 32 * 64 + 32 || found[$0] == -1 })
    }

    @Test func theShareIsKept() {
        let changes = (0..<2000).map { number in
            var random = Philox(seed: 1, stream: .pictureChange, index: UInt64(number))
            return Augmentation(&random, share: 0.25)
        }
        let share = Double(changes.count { $0.numbers.contains { $0 != 0 } }) / 2000
        #expect(abs(share - 0.25) <= 0.03)
        #expect(changes.allSatisfy { $0.numbers.count == Augmentation.count && $0.numbers.allSatisfy { abs($0) <= 3 } })
    }
}
