import Networks
import TensorCore

extension Expert {
    /// The weighted denoising loss of each picture: lambda(sigma) times the mean of (D(y + sigma n; sigma) - y)^2
    /// (Karras et al. 2022, equations 2 and 8). For a network that predicts what is black, see `DenoiserHead.losses`.
    ///
    /// - Parameters:
    ///   - clean, noise: [N, H, W, C].
    ///   - sigma: [N].
    ///   - maps, changes: see `denoised`.
    /// - Returns: [N, 1, 1, 1].
    package func losses(
        clean: Tensor, noise: Tensor, sigma: [Float], maps: [Float]? = nil, cohorts: [[CohortEncoding.Value]],
        changes: Tensor? = nil,
        _ parameters: BoundParameters
    ) -> Variable {
        let noisy = clean + noise * levels(sigma, maps: maps)
        let p = preconditioning
        if p.gatesSurround {
            let raw = output(Variable(noisy), sigma: sigma, maps: maps, cohorts: cohorts, changes: changes, parameters)
            return head(sigma, maps: maps).losses(
                raw, noisy, clean: clean, weights: channelWeights(sigma, maps: maps ?? sigma))
        }
        let error =
            denoised(Variable(noisy), sigma: sigma, maps: maps, cohorts: cohorts, changes: changes, parameters)
            - Variable(clean)
        if space.mapChannels > 0 { return weighted(error, sigma, maps: maps ?? sigma) }
        if p.relativeLoss || p.bandWeighting == 0 {
            // One weight for all channels needs fewer multiplications.
            let weights = Tensor(sigma.map(pictureWeight), shape: [sigma.count, 1, 1, 1])
            return error.squared().mean(axes: [1, 2, 3]) * Variable(weights)
        }
        return (error.squared() * Variable(p.column(sigma, p.lossWeight))).mean(axes: [1, 2, 3])
    }

    /// The deviation of the noise, [N, 1, 1, 1], or [N, 1, 1, C] where the maps have another noise level.
    private func levels(_ sigma: [Float], maps: [Float]?) -> Tensor {
        guard let maps, space.mapChannels > 0 else { return Tensor(sigma, shape: [sigma.count, 1, 1, 1]) }
        let levels = zip(sigma, maps).flatMap { level, mapLevel in
            [Float](repeating: level, count: space.pictureChannels)
                + [Float](repeating: mapLevel, count: space.mapChannels)
        }
        return Tensor(levels, shape: [sigma.count, 1, 1, space.channels])
    }

    /// The weight of the squared error of each channel, [N, C]; the loss is the mean over channels. Pictures and maps
    /// are each weighted by the error that c_skip alone leaves, so that neither outweighs the other, whatever their
    /// contrasts.
    private func channelWeights(_ sigma: [Float], maps: [Float]) -> Tensor {
        let (own, other) = (space.pictureChannels, space.mapChannels), all = Float(space.channels)
        guard preconditioning.relativeLoss, other > 0 else {
            let weights = sigma.flatMap { [Float](repeating: pictureWeight($0), count: space.channels) }
            return Tensor(weights, shape: [sigma.count, space.channels])
        }
        let weights = zip(sigma, maps).flatMap { level, mapLevel in
            let picture = preconditioning.relativeWeight(level, channels: 0..<own) * all / Float(own)
            let map = preconditioning.relativeWeight(mapLevel, channels: own..<own + other) * all / Float(other)
            return [Float](repeating: picture, count: own)
                + [Float](repeating: StructureMap.lossShare * map, count: other)
        }
        return Tensor(weights, shape: [sigma.count, space.channels])
    }

    /// The weighted squared error of pictures and maps, [N, 1, 1, 1].
    private func weighted(_ error: Variable, _ sigma: [Float], maps: [Float]) -> Variable {
        let weights = channelWeights(sigma, maps: maps).reshaped([sigma.count, 1, 1, space.channels])
        return (error.squared() * Variable(weights)).mean(axes: [1, 2, 3])
    }

    /// The weight of a picture's mean squared error, where all channels have the same weight.
    private func pictureWeight(_ sigma: Float) -> Float {
        preconditioning.relativeLoss
            ? preconditioning.relativeWeight(sigma, channels: 0..<space.pictureChannels)
            : preconditioning.lossWeight(sigma, deviation: preconditioning.sigmaData)
    }

    /// The weighted squared error of each picture as a sampler would denoise it, [N, 1, 1, 1]: `losses` without the
    /// term that trains the gate. For a network without a gate the two are the same.
    func errors(
        clean: Tensor, noise: Tensor, sigma: [Float], cohorts: [[CohortEncoding.Value]], _ parameters: BoundParameters
    ) -> Variable {
        guard preconditioning.gatesSurround else {
            return losses(clean: clean, noise: noise, sigma: sigma, cohorts: cohorts, parameters)
        }
        let noisy = clean + noise * Tensor(sigma, shape: [sigma.count, 1, 1, 1])
        let error = denoised(Variable(noisy), sigma: sigma, cohorts: cohorts, parameters) - Variable(clean)
        if space.mapChannels > 0 { return weighted(error, sigma, maps: sigma) }
        let weights = Tensor(sigma.map(pictureWeight), shape: [sigma.count, 1, 1, 1])
        return error.squared().mean(axes: [1, 2, 3]) * Variable(weights)
    }
}
