import CheckpointStore
import Diffusion
import Files
import Foundation
import Models
import Networks
import Support
import TensorCore
import Testing
import Training

/// The small network for autoguidance, which is trained with the others.
@Suite(.serialized) struct GuidingNetworkTests {
    private let phantoms: PhantomFolder

    init() async throws { phantoms = try await PhantomFolder() }

    private func settings(hasGuiding: Bool = true) -> TrainingConfiguration {
        var settings = phantoms.threeNetworks()
        if !hasGuiding { settings.guiding.highestNoise = 0 }
        return settings
    }

    private func tensors(_ model: LoadedModel, _ prefix: String) -> [String: [Float]] {
        let all = zip(model.parameters.specifications.map(\.path), model.parameters.tensors.map(\.elements))
        return Dictionary(uniqueKeysWithValues: all.filter { $0.0.hasPrefix(prefix) })
    }

    /// Its loss is in the log, falls, and counts in the sum; the validation loss does not depend on it.
    @Test func isTrainedWithTheOthers() async throws {
        let run = try await phantoms.run("run", settings(), images: 96)
        struct Line: Decodable {
            let loss, middle_loss, fine_loss, guiding_loss: Double?
        }
        let lines = try String(contentsOfFile: run.folder + "/log.jsonl", encoding: .utf8).split(separator: "\n")
            .map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }.filter { $0.loss != nil }
        let losses = try lines.map { try #require($0.guiding_loss) }
        let half = losses.count / 2
        #expect(losses.suffix(half).reduce(0, +) < losses.prefix(half).reduce(0, +))
        for line in lines {
            let parts = try [line.middle_loss, line.fine_loss, line.guiding_loss].map { try #require($0) }
            #expect(try parts.reduce(0, +) < #require(line.loss))
        }
        let model = try LoadedModel(contentsOf: run.snapshotPath)
        let guiding = try #require(model.manifest.model.guiding)
        #expect(guiding.space.name == "dct-8" && guiding.highestNoise == 20)
        #expect(guiding.preconditioning.channelDeviations == model.manifest.model.preconditioning.channelDeviations)
        let set = try await TrainingSet(
            [phantoms.dataset], split: .validation, size: 32, encoding: model.manifest.model.cohort)
        var spoiled = model.parameters
        for (number, specification) in spoiled.specifications.enumerated()
        where specification.path.hasPrefix(ModelDescription.guidingName + ".") {
            spoiled.tensors[number] = Tensor(repeating: 3, shape: specification.shape)
        }
        #expect(
            run.trainer.validationLoss(model.parameters, set) == run.trainer.validationLoss(spoiled, set))
    }

    /// The other networks see the same pictures with the same noise, whether there is a guiding network or not.
    @Test func changesNothingThatTheOthersSee() async throws {
        let encoding = CohortEncoding(attributes: ["dr_icdr"])
        let set = try await TrainingSet([phantoms.dataset], split: .train, size: 32, encoding: encoding)
        func batch(_ hasGuiding: Bool) -> TrainingBatch {
            var settings = settings(hasGuiding: hasGuiding)
            settings.measure(set)
            return TrainingBatch(settings, encoding, data: set, imagesSeen: 8)
        }
        let with = batch(true), without = batch(false)
        #expect(with.experts.count == 3 && without.experts.count == 2)
        for (one, other) in zip([with.whole] + with.experts, [without.whole] + without.experts) {
            #expect(one.clean.elements == other.clean.elements && one.noise.elements == other.noise.elements)
            #expect(one.sigma == other.sigma)
        }
        let own = with.experts[2]
        #expect(own.clean.elements == with.whole.clean.elements && own.noise.elements != with.whole.noise.elements)
        // From 0.24 to 26 on pixels, an eighth of that in blocks of 8 x 8.
        #expect(own.sigma.allSatisfy { (0.03...3.25).contains($0) } && Set(own.sigma).count == own.sigma.count)
    }

    /// Trained alone, it changes no bit of the others, and a configuration that cannot be meant is refused.
    @Test func isTrainedAlone() async throws {
        let before = try await phantoms.run("base", settings())
        let base = try LoadedModel(contentsOf: before.snapshotPath)
        var wanted = settings()
        wanted.start(from: base)
        wanted.trainsGuidingAlone = true
        let sentence =
            "trainsGuidingAlone: expected a base, --adapter full, guiding.highestNoise above 0 and no weightDecay"
        #expect(wanted.problem == sentence)
        wanted.tunesEverything = true
        #expect(wanted.problem == nil)
        let run = try await phantoms.run("alone", wanted)
        let model = try LoadedModel(contentsOf: run.snapshotPath)
        let own = tensors(model, ""), old = tensors(base, "")
        #expect(Set(own.keys) == Set(old.keys))
        let changed = Set(own.keys.filter { own[$0] != old[$0] })
        #expect(changed.contains("guiding.conv_in.weight") && changed.allSatisfy { $0.hasPrefix("guiding.") })
        struct Line: Decodable {
            let loss, fine_loss, guiding_loss: Double?
        }
        let lines = try String(contentsOfFile: run.folder + "/log.jsonl", encoding: .utf8).split(separator: "\n")
            .map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }.filter { $0.loss != nil }
        #expect(lines.count == 4 && lines.allSatisfy { $0.guiding_loss == $0.loss && $0.fine_loss == nil })
        wanted.weightDecay = 0.1
        #expect(wanted.problem == sentence)
        (wanted.weightDecay, wanted.guiding.highestNoise) = (0, 0)
        #expect(wanted.problem == sentence)
    }

    /// A base of an older version gets a guiding network where all weights are trained; resumed, the same bytes.
    @Test func isAddedToABaseThatLacksIt() async throws {
        let before = try await phantoms.run("base", settings(hasGuiding: false))
        let base = try LoadedModel(contentsOf: before.snapshotPath)
        #expect(base.manifest.model.guiding == nil)
        let file = phantoms.folder.file("guiding.yaml")
        try "guiding: {highestNoise: 20}\n".write(toFile: file, atomically: true, encoding: .utf8)
        func wanted(everything: Bool) throws -> TrainingConfiguration {
            var settings = settings()
            settings.start(from: base)
            #expect(!settings.guiding.isUsed)
            settings = try settings.tuned(by: file)
            settings.tunesEverything = everything
            return settings
        }
        let straight = try await phantoms.run("straight", wanted(everything: true))
        _ = try await phantoms.run("halves", wanted(everything: true), images: 16)
        let resumed = try await phantoms.run("halves", wanted(everything: true), resume: true)
        #expect(FileManager.default.contentsEqual(atPath: straight.snapshotPath, andPath: resumed.snapshotPath))
        let model = try LoadedModel(contentsOf: straight.snapshotPath)
        #expect(model.manifest.model.guiding != nil)
        #expect(tensors(model, "guiding.").values.contains { $0.contains { $0 != 0 } })
        #expect(Set(tensors(base, "").keys) == Set(tensors(model, "").keys.filter { !$0.hasPrefix("guiding.") }))
        // An adapter is on the base's own networks.
        do {
            _ = try await phantoms.run("adapter", wanted(everything: false))
            Issue.record("an adapter brought a network")
        } catch let failure as Failure {
            #expect(failure.kind == .badData && "\(failure)".contains("network: expected the settings of"))
        }
    }
}
