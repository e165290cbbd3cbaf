import Foundation
import Pictures
import Randomness
import TensorCore

/// A picture as a copy of it may look. The detector learns to recognise such views, which cover `Disguise` and more.
struct TrainingView {
    /// [side, side, 3], ready for the network.
    let input: [Float]
    /// The number of the picture that was mixed in; nil where nothing was.
    let partner: Int?

    /// - Parameters:
    ///   - blending: the probability that another picture of `pictures`, of another patient, is mixed in.
    init(of number: Int, in pictures: [FloatPicture], patients: [Int], blending: Double, _ random: inout Philox) {
        let side = pictures[number].side
        var view = FloatPicture(side: side, pixels: [Float](repeating: 0, count: 3 * side * side))
        var partner: Int?
        var share: Float = 0
        if random.nextUniform() < blending {
            let other = random.nextInteger(below: pictures.count)
            if patients[other] != patients[number] {
                partner = other
                share = Float(0.4 + 0.1 * random.nextUniform())
            }
        }
        view.add(pictures[number], ViewPose(&random, strength: 1), weight: 1 - share)
        if let partner { view.add(pictures[partner], ViewPose(&random, strength: 0.5), weight: share) }
        view.recolour(&random)
        if random.nextUniform() < 0.3 { view = view.smoothed() }
        if random.nextUniform() < 0.3 { view.coarsenColour() }
        view.disturb(&random)
        input = view.localContrast()
        self.partner = partner
    }
}

extension FloatPicture {
    /// Maps every channel by v -> gain v^gamma, with gains of 0.7 to 1.3 and gammas of 0.67 to 1.5. The channels have
    /// nearly the same gamma.
    fileprivate mutating func recolour(_ random: inout Philox) {
        let shared = (2 * random.nextUniform() - 1) * 0.35
        for channel in 0..<3 {
            let gain = 0.7 + 0.6 * random.nextUniform()
            let gamma = exp(shared + (2 * random.nextUniform() - 1) * 0.05)
            let table = (0...256).map { Float(min(1, gain * pow(Double($0) / 256, gamma))) }
            for i in stride(from: channel, to: pixels.count, by: 3) {
                let place = min(1, max(0, pixels[i])) * 256
                let index = min(255, Int(place))
                let part = place - Float(index)
                pixels[i] = table[index] * (1 - part) + table[index + 1] * part
            }
        }
    }

    /// Gives all pixels of a block of 4 x 4 the same differences between channels and luma, as after strong
    /// compression.
    fileprivate mutating func coarsenColour() {
        let block = 4
        for top in stride(from: 0, to: side, by: block) {
            for left in stride(from: 0, to: side, by: block) {
                let indices = (0..<block * block).map { (top + $0 / block) * side + left + $0 % block }
                let lumas = indices.map { luma($0) }
                for channel in 0..<3 {
                    var sum: Float = 0
                    for (k, i) in indices.enumerated() { sum += pixels[3 * i + channel] - lumas[k] }
                    for (k, i) in indices.enumerated() { pixels[3 * i + channel] = min(1, max(0, lumas[k] + sum / 16)) }
                }
            }
        }
    }

    /// Adds uniform noise with a deviation of up to 0.03.
    fileprivate mutating func disturb(_ random: inout Philox) {
        let scale = Float(0.03 * random.nextUniform()) * Float(12).squareRoot() / 65536
        // Each random word gives two numbers. Pixels outside the field of view are left as they are.
        var word: UInt32 = 0
        for i in pixels.indices {
            word = i % 2 == 0 ? random.nextWord() : word >> 16
            if pixels[i] > 0.02 { pixels[i] = min(1, max(0, pixels[i] + (Float(word & 0xFFFF) - 32767.5) * scale)) }
        }
    }
}
