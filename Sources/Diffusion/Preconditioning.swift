import Foundation

/// EDM preconditioning: D(x; sigma) = c_skip x + c_out F(c_in x; c_noise) (Karras et al. 2022, equation 7, table 1).
public struct Preconditioning: Codable, Hashable, Sendable {
    /// Standard deviation of the data.
    public var sigmaData: Float

    public init(sigmaData: Float = 0.5) {
        self.sigmaData = sigmaData
    }

    private func sum(_ sigma: Float) -> Float { sigma * sigma + sigmaData * sigmaData }

    public func skip(_ sigma: Float) -> Float { sigmaData * sigmaData / sum(sigma) }

    public func out(_ sigma: Float) -> Float { sigma * sigmaData / sum(sigma).squareRoot() }

    public func input(_ sigma: Float) -> Float { 1 / sum(sigma).squareRoot() }

    /// c_noise = 100 ln(sigma) / 4: the paper's ln(sigma) / 4 in the units of the network's sinusoids, whose highest
    /// frequency is one radian a unit, as for DDPM's timesteps.
    public func noise(_ sigma: Float) -> Float { 25 * log(sigma) }

    /// lambda(sigma), with which the loss on F has unit weight at every noise level (table 1).
    public func lossWeight(_ sigma: Float) -> Float {
        let product = sigma * sigmaData
        return sum(sigma) / (product * product)
    }
}
