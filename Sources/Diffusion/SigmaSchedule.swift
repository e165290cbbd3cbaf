import Foundation

/// The noise levels of a sampling run, falling, with a 0 at the end.
public struct SigmaSchedule: Codable, Hashable, Sendable {
    public let sigmas: [Float]

    /// Karras et al. 2022, equation 5: steps + 1 levels from sigmaMax to sigmaMin, then 0.
    ///
    /// - Parameters:
    ///   - steps: at least 1; one step goes from sigmaMax to 0.
    ///   - start: a level above sigmaMax from which the first step goes down; only used where there are several steps.
    ///     A sampler starts from pure noise, as if all pictures had a mean of 0. In large pictures the mean is still
    ///     visible at sigmaMax; with a higher start, the first step finds it.
    public static func karras(
        steps: Int, sigmaMin: Float = 0.002, sigmaMax: Float = 80, rho: Float = 7, start: Float? = nil
    ) -> SigmaSchedule {
        if let start, steps > 1 {
            if !(start > sigmaMax) {
                fatalError("SigmaSchedule.karras: start \(start) is not above sigmaMax \(sigmaMax)")
            }
            let below = karras(steps: steps - 1, sigmaMin: sigmaMin, sigmaMax: sigmaMax, rho: rho)
            return SigmaSchedule(sigmas: [start] + below.sigmas)
        }
        if steps < 1 || !(sigmaMin > 0 && sigmaMin < sigmaMax && rho > 0) {
            fatalError("SigmaSchedule.karras: steps \(steps), sigmaMin \(sigmaMin), sigmaMax \(sigmaMax), rho \(rho)")
        }
        let high = pow(Double(sigmaMax), 1 / Double(rho)), low = pow(Double(sigmaMin), 1 / Double(rho))
        let levels = (0..<steps).map { step -> Float in
            guard step > 0 else { return sigmaMax }
            guard step < steps - 1 else { return sigmaMin }
            return Float(pow(high + Double(step) / Double(steps - 1) * (low - high), Double(rho)))
        }
        return SigmaSchedule(sigmas: levels + [0])
    }

    /// The number of steps.
    public var steps: Int { sigmas.count - 1 }
}

/// The noise levels that samples of a model go through, in the model's space.
public struct SampledLevels: Hashable, Sendable {
    /// From the last level before 0 up to sigmaMax of the schedule.
    public var range: ClosedRange<Float>
    /// A level above `range` at which samples start; see `SigmaSchedule.karras`.
    public var start: Float?

    public init(range: ClosedRange<Float>, start: Float? = nil) {
        self.range = range
        self.start = start
    }

    /// A schedule of this many steps through these levels.
    public func schedule(steps: Int) -> SigmaSchedule {
        .karras(steps: steps, sigmaMin: range.lowerBound, sigmaMax: range.upperBound, start: start)
    }
}
