import Cohorts
import Files
import Foundation

/// `/runs/schedule`: the noise levels of a run, and where guidance acts.
public struct RecordedSchedule: Codable, Hashable, Sendable {
    /// `karras`: Karras et al. 2022, equation 5.
    public var kind: String
    public var steps: Int
    /// The lowest noise level.
    public var sigmaMin: Float
    /// The highest noise level of the Karras schedule.
    public var sigmaMax: Float
    /// A level above `sigmaMax` at which the first step begins; nil where that step begins at `sigmaMax`.
    public var sigmaStart: Float?
    /// The exponent of the Karras schedule.
    public var rho: Float
    /// How many times as strong as the levels ask for fresh noise was, and the level below which it was; nil where it
    /// was as strong as that everywhere.
    public var noiseGain: [Float]?
    /// The scale of autoguidance, and the lowest and the highest noise level at which it acts; nil where there is none.
    public var autoguidance: [Float]?
    /// How often the network is evaluated for each sample that is no counterfactual.
    public var evaluations: Int?
    /// The lowest and the highest noise level at which guidance acts; nil where it acts at all levels.
    public var guidanceInterval: [Float]?
    /// The attributes that guidance acts on; nil where it acts on all.
    public var guidedAttributes: [String]?
    /// `black` where everything outside the field of view was made black when the samples were written; otherwise nil.
    public var surround: String?

    /// `one-disc` where samples were drawn again in which not exactly one optic disc was found; otherwise nil. The
    /// numbers of samples that were drawn again are 2^48 or more.
    public var redrawn: String?
    /// `read` where the maps of structures that the model did not draw were read from the pixels of each sample; nil
    /// where there are no others than those that it drew.
    public var structure: String?
    /// How counterfactuals were drawn; nil in a run without them.
    public var counterfactual: RecordedChange?

    public static let blackSurround = "black", oneDisc = "one-disc", readStructure = "read"

    public init(
        steps: Int, sigmaMin: Float, sigmaMax: Float, rho: Float, evaluations: Int,
        guidanceInterval: ClosedRange<Float>?,
        guidedAttributes: [String]?, surround: String? = nil, sigmaStart: Float? = nil,
        noiseGain: [Float]? = nil, autoguidance: [Float]? = nil, redrawn: String? = nil,
        structure: String? = nil, counterfactual: RecordedChange? = nil
    ) {
        kind = "karras"
        self.steps = steps
        self.sigmaMin = sigmaMin
        self.sigmaMax = sigmaMax
        self.rho = rho
        self.evaluations = evaluations
        self.guidanceInterval = guidanceInterval.map { [$0.lowerBound, $0.upperBound] }
        self.guidedAttributes = guidedAttributes
        self.surround = surround
        self.sigmaStart = sigmaStart
        self.noiseGain = noiseGain
        self.autoguidance = autoguidance
        self.redrawn = redrawn
        self.structure = structure
        self.counterfactual = counterfactual
    }

    /// One clause that says what is wrong with a schedule from a file; nil where nothing is wrong.
    public var problem: String? {
        guard kind == "karras" else { return "kind: expected karras, found \(kind.debugDescription)" }
        guard (1...1000).contains(steps) else { return "steps: expected 1 to 1000, found \(steps)" }
        guard sigmaMin > 0, sigmaMin < sigmaMax, sigmaMax <= 1e4 else {
            return "sigma: expected 0 < sigma_min < sigma_max <= 10000, found \(sigmaMin) and \(sigmaMax)"
        }
        if let sigmaStart, !(sigmaStart > sigmaMax && sigmaStart <= 1e4) {
            return "sigma_start: expected more than sigma_max, \(sigmaMax), and at most 10000, found \(sigmaStart)"
        }
        guard (0.01...1000).contains(rho) else { return "rho: expected 0.01 to 1000, found \(rho)" }
        if let gain = noiseGain {
            guard gain.count == 2, (1...1.2).contains(gain[0]), gain[1] > 0, gain[1] <= 1e4 else {
                return "noise_gain: expected 1 to 1.2 and a noise level, found \(gain)"
            }
        }
        if let auto = autoguidance {
            guard auto.count == 3, (1...4).contains(auto[0]), auto[1] > 0, auto[1] <= auto[2], auto[2] <= 1e4 else {
                return "autoguidance: expected a scale from 1 to 4 and two noise levels in order, found \(auto)"
            }
        }
        if let evaluations, !(steps...8 * steps).contains(evaluations) {
            return "evaluations: expected \(steps) to \(8 * steps) for \(steps) steps, found \(evaluations)"
        }
        if let interval = guidanceInterval {
            guard interval.count == 2, interval[0] >= 0, interval[0] <= interval[1], interval[1].isFinite else {
                return "guidance_interval: expected two noise levels in order, found \(interval)"
            }
        }
        if let surround, surround != RecordedSchedule.blackSurround {
            return "surround: expected \(RecordedSchedule.blackSurround), found \(surround.debugDescription)"
        }
        if let redrawn, redrawn != RecordedSchedule.oneDisc {
            return "redrawn: expected \(RecordedSchedule.oneDisc), found \(redrawn.debugDescription)"
        }
        if let structure, structure != RecordedSchedule.readStructure {
            return "structure: expected \(RecordedSchedule.readStructure), found \(structure.debugDescription)"
        }
        if let problem = counterfactual?.problem { return "counterfactual: \(problem)" }
        if let unknown = guidedAttributes?.first(where: { CohortSchema.attribute($0) == nil }) {
            return "guided_attributes: expected attributes of the schema, found \(unknown.debugDescription)"
        }
        return nil
    }

    enum CodingKeys: String, CodingKey {
        case kind, steps, rho, autoguidance, evaluations, surround, redrawn, structure
        case counterfactual
        case sigmaMin = "sigma_min"
        case sigmaMax = "sigma_max"
        case sigmaStart = "sigma_start"
        case noiseGain = "noise_gain"
        case guidanceInterval = "guidance_interval"
        case guidedAttributes = "guided_attributes"
    }
}

/// How the counterfactuals of a run were drawn: samples that show their original in another cohort.
public struct RecordedChange: Codable, Hashable, Sendable {
    /// The noise level at and below which the changed cohort holds.
    public var below: Float
    /// How strongly the change is shown; 1 is as strongly as the model would.
    public var scale: Float
    /// `vessels` where the vessels of the original are kept; otherwise nil.
    public var kept: String?

    public static let vessels = "vessels"

    public init(below: Float, scale: Float, kept: String?) {
        (self.below, self.scale, self.kept) = (below, scale, kept)
    }

    /// One clause that says what is wrong; nil where nothing is wrong.
    var problem: String? {
        guard below > 0, below <= 1e4 else { return "expected a noise level above 0 and up to 10000, found \(below)" }
        guard scale >= 1, scale <= 10 else { return "expected a scale from 1 to 10, found \(scale)" }
        if let kept, kept != RecordedChange.vessels {
            return "expected \(RecordedChange.vessels) as what is kept, found \(kept.debugDescription)"
        }
        return nil
    }
}
