import Diffusion
import Files
import Foundation
import SampleStore

extension SamplerSettings {
    /// The settings with which a run of a sample set was drawn.
    /// - Parameters:
    ///   - path: the set's path, which errors name.
    ///   - batchSize: the number of samples that are drawn together; results do not depend on it.
    /// - Throws: `Failure(.badData)` for settings that are out of range or that this version does not know.
    package init(of run: RunRecord, in path: String, batchSize: Int) throws {
        let place = "\(path) /runs/schedule"
        let schedule = try RecordedSchedule(of: run, in: path)
        guard let sampler = SamplerKind(rawValue: run.sampler) else {
            let known = SamplerKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.badData, "\(path) /runs/sampler", field: "sampler", expected: known, found: run.sampler)
        }
        self.init()
        self.sampler = sampler
        steps = schedule.steps
        sigmaMin = schedule.sigmaMin
        sigmaMax = schedule.sigmaMax
        sigmaStart = schedule.sigmaStart
        noiseGain = schedule.noiseGain.map { NoiseGain(factor: $0[0], below: $0[1]) }
        autoguidance = schedule.autoguidance.map { Autoguidance(scale: $0[0], levels: $0[1]...$0[2]) }
        rho = schedule.rho
        guidanceScale = run.guidance
        guidanceInterval = schedule.guidanceInterval.map { $0[0]...$0[1] }
        blackensSurround = schedule.surround == RecordedSchedule.blackSurround
        guidedAttributes = schedule.guidedAttributes
        readsStructure = schedule.structure == RecordedSchedule.readStructure
        self.batchSize = batchSize
        if let problem { throw Failure(.badData, place, problem) }
    }
}

extension RecordedSchedule {
    /// - Throws: `Failure(.badData)` for a text that is not valid, and for values out of range.
    init(of run: RunRecord, in path: String) throws {
        let place = "\(path) /runs/schedule"
        self = try JSONText.decode(RecordedSchedule.self, Data(run.schedule.utf8), place: place)
        if let problem { throw Failure(.badData, place, problem) }
    }
}
