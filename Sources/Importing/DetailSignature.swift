import Datasets
import Foundation
import Pictures

/// The details that tell a photograph from all others: its vessels and lesions at 128 pixels, without illumination and
/// contrast.
///
/// Grey values are low-passed (sigma 1 pixel, so that a re-encoded copy stays alike). Their local mean (sigma 8) is
/// subtracted, and the result is divided by the local deviation. A measure that keeps the illumination would find all
/// fundus photographs alike, because each of them has a disc, a vignette and a macula.
public struct DetailSignature: Sendable {
    public static let side = 128
    /// [side, side], in 1/32 of the local deviation; 0 outside the field of view.
    let detail: [Int8]
    /// [side, side]: the pixels that count, which are the field of view without its rim.
    let mask: [Bool]
    /// The signs of 64 low frequencies of `detail`; used only for a shortlist.
    let hash: UInt64
    /// The sums of `detail` over blocks of 4 x 4 pixels, [32, 32], scaled to length 1, for a first look at a pair.
    let outlook: [Float]
    static let outlookLength = side / 4 * (side / 4)

    /// - Parameter crop: the photograph cut to its field of view, `side` pixels wide.
    public init(_ crop: FundusCrop) {
        let side = DetailSignature.side
        guard crop.picture.width == side, crop.picture.height == side else {
            fatalError(
                "DetailSignature needs a crop of \(side) x \(side), not \(crop.picture.width) x \(crop.picture.height)")
        }
        let view = crop.fieldOfView
        let radius = view.radius - 3
        var mask = [Bool](repeating: false, count: side * side)
        var inside = [Float](repeating: 0, count: side * side), grey = inside
        for y in 0..<side {
            for x in 0..<side {
                let px = Float(x) + 0.5, py = Float(y) + 0.5
                let dx = px - view.centerX, dy = py - view.centerY
                guard dx * dx + dy * dy <= radius * radius, py >= view.top + 3, py <= view.bottom - 3 else { continue }
                let colour = crop.picture[x, y]
                mask[y * side + x] = true
                inside[y * side + x] = 1
                grey[y * side + x] = (Float(colour.x) + 2 * Float(colour.y) + Float(colour.z)) / 4
            }
        }
        func mean(_ values: [Float], sigma: Float, weight: [Float]) -> [Float] {
            let sums = DetailSignature.blurred(values, sigma: sigma)
            return zip(sums, weight).map { $1 > 1e-4 ? $0 / $1 : 0 }
        }
        let near = DetailSignature.blurred(inside, sigma: 1), far = DetailSignature.blurred(inside, sigma: 8)
        let fine = mean(grey, sigma: 1, weight: near), coarse = mean(grey, sigma: 8, weight: far)
        let band = (0..<side * side).map { mask[$0] ? fine[$0] - coarse[$0] : 0 }
        let power = mean(band.map { $0 * $0 }, sigma: 8, weight: far)
        // One level is added to the deviation, so that sensor noise in an empty area is not amplified to look like
        // detail.
        detail = (0..<side * side).map { i in
            guard mask[i] else { return 0 }
            return Int8(max(-127, min(127, (32 * band[i] / (max(0, power[i]).squareRoot() + 1)).rounded())))
        }
        self.mask = mask
        hash = DetailSignature.hash(of: detail)
        outlook = DetailSignature.outlook(of: detail)
    }

    /// The size of a stored signature in bytes.
    static let byteCount = side * side
    /// What is stored for a pixel outside the mask.
    private static let outside: UInt8 = 0x80

    /// The signature as it is stored.
    var bytes: [UInt8] {
        detail.indices.map { mask[$0] ? UInt8(bitPattern: detail[$0]) : DetailSignature.outside }
    }

    /// - Parameter bytes: the `bytes` of a stored signature.
    init(bytes: [UInt8]) {
        if bytes.count != DetailSignature.byteCount { fatalError("DetailSignature: \(bytes.count) bytes") }
        mask = bytes.map { $0 != DetailSignature.outside }
        detail = bytes.map { $0 != DetailSignature.outside ? Int8(bitPattern: $0) : 0 }
        hash = DetailSignature.hash(of: detail)
        outlook = DetailSignature.outlook(of: detail)
    }

    private static func outlook(of detail: [Int8]) -> [Float] {
        let small = side / 4
        var sums = [Float](repeating: 0, count: small * small)
        for y in 0..<side {
            for x in 0..<side { sums[y / 4 * small + x / 4] += Float(detail[y * side + x]) }
        }
        let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? sums.map { $0 / length } : sums
    }

    /// A Gaussian blur. Values beyond the border count as zero.
    private static func blurred(_ values: [Float], sigma: Float) -> [Float] {
        let reach = Int((2.5 * sigma).rounded(.up))
        let raw = (-reach...reach).map { exp(-Float($0 * $0) / (2 * sigma * sigma)) }
        let total = raw.reduce(0, +)
        let kernel = raw.map { $0 / total }
        var across = [Float](repeating: 0, count: side * side), result = across
        values.withUnsafeBufferPointer { values in
            for y in 0..<side {
                for x in 0..<side {
                    var sum: Float = 0
                    for offset in max(-reach, -x)...min(reach, side - 1 - x) {
                        sum += kernel[offset + reach] * values[y * side + x + offset]
                    }
                    across[y * side + x] = sum
                }
            }
        }
        for y in 0..<side {
            for offset in max(-reach, -y)...min(reach, side - 1 - y) {
                let weight = kernel[offset + reach], from = (y + offset) * side
                for x in 0..<side { result[y * side + x] += weight * across[from + x] }
            }
        }
        return result
    }

    /// Cosines of 2 to 9 half-waves across the picture, [8, side].
    private static let cosines: [Float] = (2..<10).flatMap { frequency in
        (0..<side).map { place in
            let angle = Double(frequency) * Double.pi * (Double(place) + 0.5) / Double(side)
            return Float(cos(angle))
        }
    }

    private static func hash(of detail: [Int8]) -> UInt64 {
        var rows = [Float](repeating: 0, count: 8 * side)  // [frequency across, y]
        for y in 0..<side {
            for u in 0..<8 {
                var sum: Float = 0
                for x in 0..<side { sum += cosines[u * side + x] * Float(detail[y * side + x]) }
                rows[u * side + y] = sum
            }
        }
        var bits: UInt64 = 0
        for u in 0..<8 {
            for v in 0..<8 {
                var sum: Float = 0
                for y in 0..<side { sum += cosines[v * side + y] * rows[u * side + y] }
                if sum > 0 { bits |= 1 << UInt64(8 * u + v) }
            }
        }
        return bits
    }
}
