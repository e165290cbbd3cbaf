import Auditing
import Files
import Foundation
import Phantoms
import Pictures
import Randomness
import TensorCore
import TestTensors
import Testing
import Verdicts

@Suite(.serialized) struct CopyDetectorTests {
    private static let phantoms: PictureSet = {
        guard let generator = try? PhantomGenerator(patients: 96, size: 64, seed: 11) else { fatalError("no phantoms") }
        let made = generator.phantoms(0..<96, threads: 2)
        return PictureSet(size: 64, pixels: made.flatMap(\.pixels), patients: Array(0..<96))
    }()
    private static var gallery: PictureSet { phantoms.selecting(Array(0..<40)) }
    private static var training: PictureSet { phantoms.selecting(Array(0..<56)) }
    private static var strangers: PictureSet { phantoms.selecting(Array(56..<96)) }

    private static func configuration(steps: Int) -> CopyDetectorConfiguration {
        var configuration = CopyDetectorConfiguration()
        (configuration.side, configuration.steps, configuration.batch, configuration.channels) = (64, steps, 32, 8)
        (configuration.grid, configuration.width) = (4, 32)
        return configuration
    }

    private static let short = CopyDetector.trained(on: training.selecting(Array(0..<12)), configuration(steps: 4)) {
        _ in
    }

    /// Turned, cropped and recompressed copies: the probability that one scores above a stranger, and the share that
    /// find their photograph.
    private func separation(_ detector: CopyDetector) throws -> (area: Double, found: Double) {
        let gallery = Self.gallery, strangers = Self.strangers
        let features = detector.features(of: gallery)
        let innocent = detector.nearest(of: strangers, in: features).map(\.cosine)
        var copies: [Picture] = []
        for (number, disguise) in [Disguise.rotation, .crop, .recompression].enumerated() {
            for i in 0..<gallery.count {
                var random = Philox(seed: 8, stream: .disguise, index: UInt64(number * gallery.count + i))
                copies.append(try disguise.applied(to: gallery[i], partner: strangers[i], &random))
            }
        }
        let scores = detector.nearest(
            of: PictureSet(copies, size: gallery.size, patients: copies.map { _ in 0 }), in: features)
        let wins = scores.reduce(0) { sum, copy in sum + innocent.count { $0 < copy.cosine } }
        let own = scores.indices.count { scores[$0].row == $0 % gallery.count }
        return (Double(wins) / Double(scores.count * innocent.count), Double(own) / Double(scores.count))
    }

    @Test func `training makes the detector tell disguised copies from strangers`() throws {
        var configuration = Self.configuration(steps: 0)
        (configuration.channels, configuration.width, configuration.learningRate, configuration.blending) = (
            16, 64, 2e-3, 0
        )
        let untrained = try separation(CopyDetector.trained(on: Self.training, configuration) { _ in })
        configuration.steps = 220
        let trained = try separation(CopyDetector.trained(on: Self.training, configuration) { _ in })
        print("untrained \(untrained), trained \(trained)")
        #expect(untrained.area < 0.65 && untrained.found < 0.7)
        #expect(trained.area >= 0.75 && trained.found >= 0.9)
    }

    @Test(.exclusivePool) func `the same bytes for any number of threads, and others for another seed`() throws {
        let pictures = Self.training.selecting(Array(0..<12))
        let encoded = try [1, 3].map { threads in
            ComputeEnvironment.threads = threads
            try #require(ComputeEnvironment.threads == threads)
            return CopyDetector.trained(on: pictures, Self.configuration(steps: 4)) { _ in }.encoded()
        }
        let one = encoded[0]
        #expect(one == encoded[1])
        var other = Self.configuration(steps: 4)
        other.seed = 2
        #expect(CopyDetector.trained(on: pictures, other) { _ in }.encoded() != one)
    }

    @Test func `features are unit vectors that depend on their picture alone`() {
        let all = Self.short.features(of: Self.phantoms), width = Self.short.width
        #expect(all.count == 96 * width)
        for i in [0, 1, 31, 32, 95] {
            let alone = Self.short.features(of: Self.phantoms.selecting([i]))
            #expect(alone == Array(all[i * width..<(i + 1) * width]))
            #expect(abs(alone.reduce(0) { $0 + Double($1) * Double($1) } - 1) <= 1e-5)
        }
    }

    @Test func `a gallery photograph and its mirror image find themselves`() {
        let gallery = Self.gallery, features = Self.short.features(of: gallery)
        let mirrored = PictureSet(
            (0..<gallery.count).map { gallery[$0].mirrored }, size: 64, patients: gallery.patients)
        #expect(Self.short.nearest(of: gallery, in: features).map(\.row) == Array(0..<gallery.count))
        #expect(Self.short.nearest(of: mirrored, in: features).map(\.row) == Array(0..<gallery.count))
    }

    @Test func `the features of mirror images are those of mirrored pictures`() {
        let gallery = Self.gallery, width = Self.short.width
        let mirrored = PictureSet(
            (0..<gallery.count).map { gallery[$0].mirrored }, size: 64, patients: gallery.patients)
        let one = Self.short.features(of: gallery, mirrored: true), other = Self.short.features(of: mirrored),
            plain = Self.short.features(of: gallery)
        for row in 0..<gallery.count {
            func cosine(_ a: [Float]) -> Float { (row * width..<(row + 1) * width).reduce(0) { $0 + one[$1] * a[$1] } }
            let same = cosine(other), own = cosine(plain)
            #expect(same > 0.999 && own < same)
        }
    }

    @Test func `photographs of patients whom the detector never saw score against other patients alone`() throws {
        // Two equal photographs each of twenty patients: a patient's second photograph must not count.
        let rows = (0..<40).map { $0 / 2 }, twice = Self.phantoms.selecting(rows)
        let gallery = PictureSet(size: 64, pixels: twice.pixels, patients: rows)
        let taught = FeatureCopies.patientsToTeach(gallery),
            test = FeatureCopies(Self.short, gallery: gallery, taught: taught)
        #expect(taught.count == 13)
        let innocent = test.innocent(of: Array(0..<40))
        #expect(Set(innocent.map { rows[$0] }) == Set(0..<20).subtracting(taught))
        let within = try test.scoresWithinGallery(innocent) { _ in },
            whole = try test.scores(of: gallery.selecting(innocent)) { _ in }
        for (place, row) in innocent.enumerated() {
            let other = rows[within.nearest[place]], own = rows[whole.nearest[place]]
            #expect(other != rows[row] && own == rows[row])
        }
    }

    @Test func `a detector comes back from its bytes`() throws {
        let again = try CopyDetector(decoding: Self.short.encoded())
        #expect(again.configuration == Self.short.configuration)
        #expect(again.encoded() == Self.short.encoded())
        #expect(again.features(of: Self.gallery) == Self.short.features(of: Self.gallery))
    }

    @Test(arguments: ["short", "bit", "mark", "version", "empty", "digest of another length"])
    func `damaged bytes are refused with a sentence`(_ damage: String) {
        var bytes = [UInt8](Self.short.encoded())
        switch damage {
        case "short": bytes.removeLast(7)
        case "bit": bytes[bytes.count / 2] ^= 4
        case "mark": bytes[0] ^= 1
        case "version": bytes[8] = 9
        case "empty": bytes = []
        default:
            // Four bytes fewer of parameters, with a digest that is right.
            bytes.removeLast(36)
            bytes += Digest(of: bytes).bytes
        }
        #expect { try CopyDetector(decoding: Data(bytes)) } throws: { error in
            guard let failure = error as? Failure else { return false }
            return failure.kind == .badData && failure.description.hasPrefix("the copy detector's file ")
        }
    }

    @Test func `views of one patient, also by what was mixed in, are excluded`() {
        let pictures = (0..<12).map { FloatPicture(Self.phantoms[$0], side: 64) }
        var configuration = Self.configuration(steps: 1)
        configuration.blending = 1
        // Twelve pictures of six patients.
        let patients = (0..<12).map { $0 / 2 }
        let batch = ContrastiveBatch([0, 1, 2, 4, 6][...], of: pictures, patients: patients, configuration, step: 0)
        #expect(batch.isExcluded(0, 2) && batch.isExcluded(3, 1))
        configuration.blending = 0
        let pure = ContrastiveBatch([0, 1, 2, 4, 6][...], of: pictures, patients: patients, configuration, step: 0)
        let excluded = (0..<10).map { i in (0..<10).filter { pure.isExcluded(i, $0) } }
        #expect(excluded == (0..<10).map { $0 < 4 ? [0, 1, 2, 3] : [$0 / 2 * 2, $0 / 2 * 2 + 1] })
        let mixed = (0..<10).flatMap { i in (0..<10).filter { batch.isExcluded(i, $0) } }.count
        #expect(mixed > excluded.joined().count)
    }

    @Test func `batches take every picture once an epoch`() {
        let order = BatchOrder(count: 20, batch: 5, seed: 3)
        #expect((0..<4).flatMap { Array(order[$0]) }.sorted() == Array(0..<20))
        #expect((4..<8).flatMap { Array(order[$0]) }.sorted() == Array(0..<20))
        #expect((0..<4).flatMap { Array(order[$0]) } != (4..<8).flatMap { Array(order[$0]) })
        #expect(BatchOrder(count: 3, batch: 5, seed: 3).size == 3)
    }
}
