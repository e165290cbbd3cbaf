import Pictures
import Foundation
import TensorCore

/// A picture as a copy of it may look: what the detector learns to see through. It covers `Disguise` and goes beyond.
struct TrainingView {
    /// [side, side, 3], ready for the network.
    let input: [Float]
    /// What was mixed in, by its number among the pictures; nil for nothing.
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
                share = Float(0.3 + 0.2 * random.nextUniform())
            }
        }
        view.add(pictures[number], Pose(&random, strength: 1), weight: 1 - share)
        if let partner { view.add(pictures[partner], Pose(&random, strength: 0.5), weight: share) }
        view.recolour(&random)
        if random.nextUniform() < 0.3 { view = view.smoothed() }
        if random.nextUniform() < 0.3 { view.coarsenColour() }
        view.disturb(&random)
        input = view.localContrast()
        self.partner = partner
    }
}

/// Where a point of a view lies in its picture: mirrored, turned, scaled, shifted.
private struct Pose {
    let xx: Float, xy: Float, yx: Float, yy: Float
    /// In shares of the side.
    let shiftX: Float, shiftY: Float

    /// Half are mirrored. At `strength` 1: turned by up to 25 degrees, scaled by 0.75 to 1.33, shifted by up to 8 % of the side.
    init(_ random: inout Philox, strength: Double) {
        func symmetric(_ bound: Double, _ random: inout Philox) -> Double { (2 * random.nextUniform() - 1) * bound * strength }
        let mirror = random.nextUniform() < 0.5 ? -1.0 : 1.0
        let angle = symmetric(25 * .pi / 180, &random), scale = exp(symmetric(0.285, &random))
        xx = Float(mirror * scale * cos(angle))
        xy = Float(-mirror * scale * sin(angle))
        yx = Float(scale * sin(angle))
        yy = Float(scale * cos(angle))
        shiftX = Float(symmetric(0.08, &random))
        shiftY = Float(symmetric(0.08, &random))
    }
}

extension FloatPicture {
    /// Adds `weight` times `source` seen through `pose`, bilinear; black beyond its borders.
    fileprivate mutating func add(_ source: FloatPicture, _ pose: Pose, weight: Float) {
        let side = self.side, center = Float(side) / 2 - 0.5
        let offsetX = center + pose.shiftX * Float(side), offsetY = center + pose.shiftY * Float(side)
        source.pixels.withUnsafeBufferPointer { source in
            pixels.withUnsafeMutableBufferPointer { target in
                for y in 0..<side {
                    for x in 0..<side {
                        let dx = Float(x) - center, dy = Float(y) - center
                        let fromX = pose.xx * dx + pose.xy * dy + offsetX, fromY = pose.yx * dx + pose.yy * dy + offsetY
                        let left = Int(fromX.rounded(.down)), top = Int(fromY.rounded(.down))
                        guard left >= 0, top >= 0, left + 1 < side, top + 1 < side else { continue }
                        let fx = fromX - Float(left), fy = fromY - Float(top)
                        let upper = 3 * (top * side + left), lower = upper + 3 * side, at = 3 * (y * side + x)
                        for channel in 0..<3 {
                            let above = source[upper + channel] * (1 - fx) + source[upper + 3 + channel] * fx
                            let below = source[lower + channel] * (1 - fx) + source[lower + 3 + channel] * fx
                            target[at + channel] += weight * (above * (1 - fy) + below * fy)
                        }
                    }
                }
            }
        }
    }

    /// Every channel through v -> gain v^gamma, with gains of 0.7 to 1.3 and a gamma of 0.67 to 1.5, which channels nearly share.
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

    /// Blocks of 4 x 4 pixels share their differences of channels from luma, as after strong compression.
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

    /// Noise, uniform, of a deviation of up to 0.03.
    fileprivate mutating func disturb(_ random: inout Philox) {
        let scale = Float(0.03 * random.nextUniform()) * Float(12).squareRoot() / 65536
        // Two numbers a word; nothing outside the field of view.
        var word: UInt32 = 0
        for i in pixels.indices {
            word = i % 2 == 0 ? random.nextWord() : word >> 16
            if pixels[i] > 0.02 { pixels[i] = min(1, max(0, pixels[i] + (Float(word & 0xFFFF) - 32767.5) * scale)) }
        }
    }
}
