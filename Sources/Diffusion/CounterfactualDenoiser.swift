import TensorCore

/// How the cohort of a sample is changed on its way from noise to picture.
public struct CohortChange: Hashable, Sendable {
    /// The noise level, in the model's space, at and below which the changed cohort holds. Above it the original's
    /// cohort holds.
    public var below: Float
    /// How strongly the change is shown; 1 is as strongly as the model would.
    public var scale: Float
    /// Whether the vessels of the original are kept.
    public var keepsVessels: Bool

    public init(below: Float, scale: Float, keepsVessels: Bool) {
        (self.below, self.scale, self.keepsVessels) = (below, scale, keepsVessels)
    }
}

/// A denoiser of samples that change their cohort on the way from noise to picture.
///
/// Above the change's level it is the original's denoiser. At and below the level
/// D = D_original + (1 - kept) s (D_changed - D_original), where `kept` is a share for each pixel of the picture. With
/// s = 1 and nothing kept this is D_changed. A larger s shows the change more strongly: it is classifier-free guidance
/// (Ho and Salimans 2021) with the original's cohort in place of the open one.
public struct CounterfactualDenoiser<D: Denoiser>: Denoiser {
    private let original: D
    private let changed: D
    private let space: LatentSpace
    private let change: CohortChange
    private let kept: Tensor

    /// - Parameter kept: [N, H, W], how much of each pixel stays as the original's denoiser draws it, from 0 to 1.
    public init(original: D, changed: D, space: LatentSpace, change: CohortChange, kept: Tensor) {
        self.original = original
        self.changed = changed
        self.space = space
        self.change = change
        self.kept = kept
    }

    public func denoised(_ x: Tensor, sigma: Float) -> Tensor {
        let own = original.denoised(x, sigma: sigma)
        guard sigma <= change.below else { return own }
        let difference = (changed.denoised(x, sigma: sigma) - own).scaled(by: change.scale)
        return own + space.encoded(withoutKept(space.decoded(difference)))
    }

    /// [N, H, W, planes], each pixel times the share of it that is not kept.
    private func withoutKept(_ planes: Tensor) -> Tensor {
        let depth = planes.shape[3]
        return planes.withUnsafeBuffer { source in
            kept.withUnsafeBuffer { kept in
                Tensor(shape: planes.shape) { target in
                    for place in target.indices { target[place] = (1 - kept[place / depth]) * source[place] }
                }
            }
        }
    }
}
