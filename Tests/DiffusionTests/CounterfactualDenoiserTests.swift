import Diffusion
import TensorCore
import Testing

/// Samples whose cohort changes on the way from noise to picture.
@Suite struct CounterfactualDenoiserTests {
    /// D(x; sigma) = factor x + sigma.
    private struct Linear: Denoiser {
        let factor: Float

        func denoised(_ x: Tensor, sigma: Float) -> Tensor {
            Tensor(x.elements.map { factor * $0 + sigma }, shape: x.shape)
        }
    }

    private func answer(
        scale: Float, kept: (Int) -> Float, sigma: Float, in space: LatentSpace
    ) -> [Float] {
        let size = 4 * space.factor, shape = [2, size, size]
        let denoiser = CounterfactualDenoiser(
            original: Linear(factor: 0.5), changed: Linear(factor: 0.25), space: space,
            change: CohortChange(below: 1, scale: scale, keepsVessels: false),
            kept: Tensor((0..<2 * size * size).map(kept), shape: shape))
        return denoiser.denoised(input(space), sigma: sigma).elements
    }

    private func input(_ space: LatentSpace) -> Tensor {
        let channels = space.channels
        return Tensor((0..<2 * 16 * channels).map { Float($0 % 7) - 3 }, shape: [2, 4, 4, channels])
    }

    @Test(arguments: [LatentSpace.pixels, .dct(side: 2, colours: .identity), .wavelet(levels: 2)])
    func `above its level nothing changes, and below it all that is not kept does`(space: LatentSpace) {
        let x = input(space), own = Linear(factor: 0.5), changed = Linear(factor: 0.25)
        func expectClose(_ found: [Float], _ expected: [Float], sourceLocation: SourceLocation = #_sourceLocation) {
            let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
            #expect(worst < 1e-5, sourceLocation: sourceLocation)
        }
        #expect(answer(scale: 3, kept: { _ in 0 }, sigma: 1.01, in: space) == own.denoised(x, sigma: 1.01).elements)
        expectClose(
            answer(scale: 1, kept: { _ in 0 }, sigma: 1, in: space), changed.denoised(x, sigma: 1).elements)
        expectClose(answer(scale: 4, kept: { _ in 1 }, sigma: 1, in: space), own.denoised(x, sigma: 1).elements)
        // D_original + s (D_changed - D_original), here 0.5 x + 3 (0.25 x - 0.5 x) + sigma.
        expectClose(
            answer(scale: 3, kept: { _ in 0 }, sigma: 0.5, in: space), x.elements.map { -0.25 * $0 + 0.5 })
    }

    @Test func `a pixel is kept and the one beside it is not`() {
        let space = LatentSpace.dct(side: 2, colours: .identity), x = input(space)
        let found = space.decoded(
            Tensor(answer(scale: 1, kept: { $0 % 2 == 0 ? 1 : 0 }, sigma: 0, in: space), shape: x.shape)
        ).elements
        let picture = space.decoded(x).elements
        let worst = found.enumerated().map { place, value in
            abs(value - (place / 3 % 2 == 0 ? 0.5 : 0.25) * picture[place])
        }.max()
        #expect(worst ?? .infinity < 1e-5)
    }
}
