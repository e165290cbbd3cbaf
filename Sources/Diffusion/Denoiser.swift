import TensorCore

/// D(x; sigma), the expected clean picture given a noisy picture. Samplers need nothing else of a model.
public protocol Denoiser {
    /// - Parameters:
    ///   - x: [N, H, W, C], clean pictures plus noise of deviation sigma.
    ///   - sigma: one noise level for all pictures.
    /// - Returns: [N, H, W, C].
    func denoised(_ x: Tensor, sigma: Float) -> Tensor
}

/// Classifier-free guidance (Ho and Salimans 2021): D = D_null + scale (D_cond - D_null). A scale of 1 is no guidance.
///
/// Where an interval is given, guidance is used only for sigma inside it, and D = D_cond elsewhere (Kynkaanniemi et al.
/// 2024).
public struct GuidedDenoiser<Conditional: Denoiser, Unconditional: Denoiser>: Denoiser {
    private let conditional: Conditional
    private let unconditional: Unconditional
    private let guidanceScale: Float
    private let interval: ClosedRange<Float>?

    public init(
        conditional: Conditional, unconditional: Unconditional, guidanceScale: Float,
        interval: ClosedRange<Float>? = nil
    ) {
        self.conditional = conditional
        self.unconditional = unconditional
        self.guidanceScale = guidanceScale
        self.interval = interval
    }

    public func denoised(_ x: Tensor, sigma: Float) -> Tensor {
        let with = conditional.denoised(x, sigma: sigma)
        if guidanceScale == 1 || interval?.contains(sigma) == false { return with }
        let without = unconditional.denoised(x, sigma: sigma)
        return without + (with - without).scaled(by: guidanceScale)
    }
}
