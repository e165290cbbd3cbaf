import Files
import Foundation

/// `/runs/schedule`: the noise levels of a run, and where guidance acts.
public struct RecordedSchedule: Codable, Hashable, Sendable {
    /// `karras`: Karras et al. 2022, equation 5.
    public var kind: String
    public var steps: Int
    public var sigmaMin: Float
    public var sigmaMax: Float
    public var rho: Float
    /// Of the network, for each sample.
    public var evaluations: Int?
    /// Lowest and highest noise level at which guidance acts; nil for all.
    public var guidanceInterval: [Float]?
    /// Attributes that guidance acts on; nil for all.
    public var guidedAttributes: [String]?

    public init(
        steps: Int, sigmaMin: Float, sigmaMax: Float, rho: Float, evaluations: Int, guidanceInterval: ClosedRange<Float>?,
        guidedAttributes: [String]?
    ) {
        kind = "karras"
        self.steps = steps
        self.sigmaMin = sigmaMin
        self.sigmaMax = sigmaMax
        self.rho = rho
        self.evaluations = evaluations
        self.guidanceInterval = guidanceInterval.map { [$0.lowerBound, $0.upperBound] }
        self.guidedAttributes = guidedAttributes
    }

    enum CodingKeys: String, CodingKey {
        case kind, steps, rho, evaluations
        case sigmaMin = "sigma_min"
        case sigmaMax = "sigma_max"
        case guidanceInterval = "guidance_interval"
        case guidedAttributes = "guided_attributes"
    }
}
