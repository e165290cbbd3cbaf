import TensorCore

/// D(x; sigma), the expected clean picture given a noisy one: all that a sampler knows of a model.
public protocol Denoiser {
    /// - Parameters:
    ///   - x: [N, H, W, C], clean pictures plus noise of deviation sigma.
    ///   - sigma: one level for all.
    /// - Returns: [N, H, W, C].
    func denoised(_ x: Tensor, sigma: Float) -> Tensor
}

/// Classifier-free guidance (Ho and Salimans 2021): D = D_null + scale (D_cond - D_null); a scale of 1 means none.
///
/// Only where sigma lies in an interval, where one is given (Kynkaanniemi et al. 2024); elsewhere D = D_cond.
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
