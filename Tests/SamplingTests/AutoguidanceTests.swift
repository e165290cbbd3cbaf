import Diffusion
import Files
import Foundation
import Models
import SampleStore
import Sampling
import Support
import Testing

/// Samples of a model with a guiding network.
@Suite(.serialized) struct AutoguidanceTests {
    let folder: TemporaryFolder
    let model: LoadedModel

    init() throws {
        folder = try TemporaryFolder()
        model = try .drawn(.ofTwoNetworks(), in: folder)
    }

    private func draw(_ name: String, _ change: (inout SamplerSettings) -> Void = { _ in }) async throws
        -> SampleSetFile
    {
        var settings = SamplerSettings(for: model.manifest.model)
        settings.steps = 4
        change(&settings)
        _ = try await SamplingRun(
            model, settings, plan: SamplingPlan(count: 3, cohorts: [try CohortRequest("dr_icdr=3")]), seed: 7,
            firstIndex: 0, path: folder.file(name), options: .init()
        ).run(contact: "")
        return try await SampleSetFile.open(folder.file(name))
    }

    private func schedule(_ file: SampleSetFile) throws -> RecordedSchedule {
        try JSONText.decode(RecordedSchedule.self, Data(file.runs[0].schedule.utf8), place: "test")
    }

    /// It is the default, the file says so, and it is made again to the same bytes.
    @Test func isRecordedAndMadeAgain() async throws {
        let guided = try await draw("guided.h5"), plain = try await draw("plain.h5") { $0.autoguidance = nil }
        // From 0.3 to 20 on pixels, which is 4 times the level in blocks of 4 x 4.
        let scale = model.manifest.model.space.noiseScale
        #expect(scale == 0.25)
        let usual = try #require(SamplerSettings(for: model.manifest.model).autoguidance)
        #expect(try schedule(guided).autoguidance == [usual.scale, 0.3 * scale, 20 * scale])
        #expect(try schedule(plain).autoguidance == nil)
        let rows = Array(0..<3)
        #expect(try await guided.images(rows: rows) != plain.images(rows: rows))
        for file in [guided, plain] {
            let outcome = try await Replay(file, model: model).run(rows: rows, batchSize: 2)
            #expect(outcome.equal == 3 && outcome.mode == .bitwise)
        }
    }

    /// It stops where the guiding network was not trained, and a network for lower levels alone ends nothing.
    @Test(arguments: [(50, 20), (4, 4), (0.1, 0.3)] as [(Float, Float)])
    func itActsWhereTheGuidingNetworkWasTrained(_ highest: Float, _ expected: Float) {
        var description = ModelDescription.ofTwoNetworks()
        description.guiding?.highestNoise = highest
        let scale = description.space.noiseScale
        #expect(Autoguidance(scale: 2, for: description).levels == 0.3 * scale...expected * scale)
    }

    @Test func aModelWithoutAGuidingNetworkRefuses() throws {
        let without = try LoadedModel.drawn(
            ModelDescription.ofTwoNetworks(hasGuiding: false), in: try TemporaryFolder())
        var settings = SamplerSettings(for: without.manifest.model)
        #expect(settings.autoguidance == nil)
        settings.autoguidance = Autoguidance(scale: 2, for: without.manifest.model)
        do {
            _ = try Sampler(without, settings, plan: SamplingPlan(count: 1, cohorts: []), seed: 1)
            Issue.record("autoguidance without a guiding network was taken")
        } catch let failure as Failure {
            #expect(failure.kind == .usage)
            #expect("\(failure)".contains("autoguidance needs a guiding network, which the model does not have"))
        }
    }

    /// Without the deviations of its channels a network's answers cannot be computed.
    @Test(arguments: ["", "fine.", "guiding."]) func aModelThatWasNeverMeasuredRefuses(_ network: String) throws {
        var description = ModelDescription.ofTwoNetworks()
        switch network {
        case "fine.": description.fine?.preconditioning.channelDeviations = []
        case "guiding.": description.guiding?.preconditioning.channelDeviations = []
        default: description.preconditioning.channelDeviations = []
        }
        do {
            _ = try LoadedModel.drawn(description, in: try TemporaryFolder())
            Issue.record("a model without deviations was taken")
        } catch let failure as Failure {
            let channels = network == "fine." ? 12 : 48
            let expected = "\(network)preconditioning.channelDeviations: expected \(channels) numbers, found none"
            #expect(failure.kind == .badData && "\(failure)".contains(expected))
        }
    }

    @Test func aRecordOutOfRangeIsNamed() throws {
        let json =
            #"{"kind":"karras","steps":4,"sigma_min":0.002,"sigma_max":80,"rho":7,"autoguidance":[1.4,2,1]}"#
        let read = try JSONText.decode(RecordedSchedule.self, Data(json.utf8), place: "test")
        #expect(
            read.problem
                == "autoguidance: expected a scale from 1 to 4 and two noise levels in order, found [1.4, 2.0, 1.0]")
    }
}
