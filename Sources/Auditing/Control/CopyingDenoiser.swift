import Diffusion
import Foundation
import TensorCore

/// The limit of overfitting in closed form. Where the photographs y_i are all of the data, the denoiser with the least
/// loss is
///
///     D(x; sigma) = sum_i softmax_i(-|x - y_i|^2 / (2 sigma^2)) y_i
///
/// (Karras et al. 2022, equation 57), and every sample is one of the y_i. It needs no training.
///
/// Above the noise level `handover`, where the layout is decided, only this formula acts. Below it, a model takes over
/// and renders the details in its own way. The samples are then near copies, like those of a model that learned some
/// patients by heart.
package struct CopyingDenoiser: Denoiser {
    /// [photographs, h, w, C], in the model's space.
    private let photographs: Tensor
    private let model: ModelDenoiser?
    private let handover: Float

    /// - Parameters:
    ///   - photographs: the photographs that are copied, [photographs, h, w, C] in the model's space.
    ///   - model: the model that takes over below `handover`; nil for exact copies.
    package init(_ photographs: Tensor, model: ModelDenoiser? = nil, handover: Float = 0) {
        self.photographs = photographs
        self.model = model
        self.handover = handover
    }

    package func denoised(_ x: Tensor, sigma: Float) -> Tensor {
        if let model, sigma < handover { return model.denoised(x, sigma: sigma) }
        let known = photographs.elements, noisy = x.elements, each = noisy.count / x.shape[0],
            count = photographs.shape[0]
        let rows = (0..<x.shape[0]).map { row -> [Float] in
            let exponents = (0..<count).map { i -> Double in
                var sum = 0.0
                for j in 0..<each {
                    let difference = Double(noisy[row * each + j] - known[i * each + j])
                    sum += difference * difference
                }
                return -sum / (2 * Double(sigma) * Double(sigma))
            }
            let highest = exponents.max() ?? 0, weights = exponents.map { exp($0 - highest) },
                total = weights.reduce(0, +)
            var mean = [Float](repeating: 0, count: each)
            for (i, weight) in weights.enumerated() where weight > 1e-12 * total {
                let share = Float(weight / total)
                for j in 0..<each { mean[j] += share * known[i * each + j] }
            }
            return mean
        }
        return Tensor(rows.flatMap { $0 }, shape: x.shape)
    }
}
