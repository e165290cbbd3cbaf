import TensorCore

/// D(x; sigma), the expected clean picture given a noisy picture. Samplers need nothing else of a model.
public protocol Denoiser {
    /// - Parameters:
    ///   - x: [N, H, W, C], clean pictures plus noise of deviation sigma.
    ///   - sigma: one noise level for all pictures.
    /// - Returns: [N, H, W, C].
    func denoised(_ x: Tensor, sigma: Float) -> Tensor
}

/// How strongly samples are guided away from the answers of a worse network, and at which noise levels (Karras et al.
/// 2024, "Guiding a diffusion model with a bad version of itself"). A scale of 1 is no guidance.
public struct Autoguidance: Codable, Hashable, Sendable {
    public var scale: Float
    /// Noise levels in the model's space.
    public var levels: ClosedRange<Float>

    public static let scales: ClosedRange<Float> = 1...4

    public init(scale: Float, levels: ClosedRange<Float>) { (self.scale, self.levels) = (scale, levels) }

    /// One clause that says what is wrong, or nil.
    public var problem: String? {
        guard Autoguidance.scales.contains(scale) else { return "expected a scale from 1 to 4, found \(scale)" }
        guard levels.lowerBound > 0, levels.upperBound <= 1e4 else {
            return "expected noise levels above 0 and up to 10000, found \(levels)"
        }
        return nil
    }

    /// The noise levels on pixels at which it acts; see docs/recipes.md.
    public static let usualLevels: ClosedRange<Float> = 0.3...20

    /// Autoguidance at the usual noise levels, up to the highest one that the model's guiding network knows.
    public init(scale: Float, for model: ModelDescription) {
        let usual = Autoguidance.usualLevels, known = model.guiding?.highestNoise ?? usual.upperBound
        let highest = max(usual.lowerBound, min(usual.upperBound, known)), unit = model.space.noiseScale
        self.init(scale: scale, levels: usual.lowerBound * unit...highest * unit)
    }
}

/// Two kinds of guidance, each of which adds its own difference to D_cond.
///
/// Classifier-free guidance (Ho and Salimans 2021): D = D_null + scale (D_cond - D_null). A scale of 1 is no guidance.
/// Where an interval is given, guidance is used only for sigma inside it (Kynkaanniemi et al. 2024). Autoguidance then
/// adds (its scale - 1) (D_cond - D_guiding).
public struct GuidedDenoiser<Conditional: Denoiser, Unconditional: Denoiser>: Denoiser {
    private let conditional: Conditional
    private let unconditional: Unconditional
    private let guidanceScale: Float
    private let interval: ClosedRange<Float>?
    private let guiding: (any Denoiser)?
    private let autoguidance: Autoguidance?

    /// - Parameter guiding: the worse network; not used where `autoguidance` is nil.
    public init(
        conditional: Conditional, unconditional: Unconditional, guidanceScale: Float,
        interval: ClosedRange<Float>? = nil, guiding: (any Denoiser)? = nil, autoguidance: Autoguidance? = nil
    ) {
        self.conditional = conditional
        self.unconditional = unconditional
        self.guidanceScale = guidanceScale
        self.interval = interval
        self.guiding = guiding
        self.autoguidance = autoguidance
    }

    public func denoised(_ x: Tensor, sigma: Float) -> Tensor {
        let with = conditional.denoised(x, sigma: sigma)
        var result = with
        if guidanceScale != 1, interval?.contains(sigma) != false {
            let without = unconditional.denoised(x, sigma: sigma)
            result = without + (with - without).scaled(by: guidanceScale)
        }
        if let guiding, let autoguidance, autoguidance.scale != 1, autoguidance.levels.contains(sigma) {
            let worse = guiding.denoised(x, sigma: sigma)
            result = result + (with - worse).scaled(by: autoguidance.scale - 1)
        }
        return result
    }
}
