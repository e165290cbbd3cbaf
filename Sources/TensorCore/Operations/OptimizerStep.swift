import CKernels
import Foundation

/// Settings of one Adam update; see `adamStep`.
public struct AdamSettings: Sendable {
    public var learningRate: Float
    public var beta1: Float = 0.9
    public var beta2: Float = 0.999
    public var epsilon: Float = 1e-8
    public var weightDecay: Float = 0
    /// The decay of each moving average: the part of the old average that is kept.
    public var averageDecays: [Float]
    /// Gradients are multiplied by this before anything else.
    public var gradientScale: Float = 1

    public init(learningRate: Float, averageDecays: [Float] = []) {
        self.learningRate = learningRate
        self.averageDecays = averageDecays
    }
}

/// One update of Adam (Kingma and Ba 2015) with decoupled weight decay (Loshchilov and Hutter 2019). The moving
/// averages of the parameter are updated in the same pass, in place.
///
/// - Parameters:
///   - step: 1 for the first update; bias correction depends on it.
///   - averages: one for each of the settings' `averageDecays`.
public func adamStep(
    _ settings: AdamSettings, step: Int, gradient: Tensor, parameter: inout Tensor, moment1: inout Tensor,
    moment2: inout Tensor, averages: inout [Tensor]
) {
    requireShape(gradient.shape == parameter.shape, "adamStep", gradient.shape, parameter.shape)
    if averages.map(\.shape) != settings.averageDecays.map({ _ in parameter.shape }) {
        fatalError(
            "adamStep: \(averages.map(\.shape)) for \(settings.averageDecays.count) averages of \(parameter.shape)")
    }
    var raw = fovea_adam_settings(
        learning_rate: settings.learningRate, beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon,
        weight_decay: settings.weightDecay, correction1: Float(1 - pow(Double(settings.beta1), Double(step))),
        correction2: Float(1 - pow(Double(settings.beta2), Double(step))), gradient_scale: settings.gradientScale)
    let targets = averages.indices.map { index in
        averages[index].withUnsafeMutableBuffer { UncheckedPointer(base: $0.baseAddress) }
    }
    parameter.withUnsafeMutableBuffer { parameter in
        moment1.withUnsafeMutableBuffer { moment1 in
            moment2.withUnsafeMutableBuffer { moment2 in
                guard let p = parameter.baseAddress, let m1 = moment1.baseAddress, let m2 = moment2.baseAddress else {
                    return
                }
                parallelRuns(parameter.count) { start, length in
                    Kernels.table.adam(length, &raw, gradient.pointer + start, p + start, m1 + start, m2 + start)
                    for (target, decay) in zip(targets, settings.averageDecays) {
                        if let base = target.base { Kernels.table.move_average(length, decay, p + start, base + start) }
                    }
                }
            }
        }
    }
}

/// The memory of one average. It was made unique before the pass, and the array of averages keeps it alive meanwhile.
private struct UncheckedPointer: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>?
}
