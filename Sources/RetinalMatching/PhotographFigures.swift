import Pictures

/// The light, the sharpness and the vessels of a photograph, measured inside its field of view. They are measured on a
/// crop of 256 x 256 pixels, so that they do not depend on the size at which the photograph is imported.
public struct PhotographFigures: Codable, Hashable, Sendable {
    /// The median brightness (0.299 red + 0.587 green + 0.114 blue), 0 to 255.
    public let brightness: Double
    /// The share of pixels that are almost black: of a brightness below 16.
    public let dark: Double
    /// The share of pixels that are burnt out: in which red and green are 250 or more.
    public let burnt: Double
    /// The share of the field of view that is lit: at least a quarter as bright, smoothed, as its brightest tenth.
    public let lit: Double
    /// The deviation of fine detail (1.4 to 2.5 pixels) relative to that of coarse detail (4.5 to 8.5 pixels) in the
    /// green channel. The share of fine detail that white noise makes is taken away.
    public let sharpness: Double
    /// The length of all vessels that are found, in widths of the crop.
    public let vesselLength: Double
    /// By what share the vessels are darker than their surroundings: the median over their middle lines, in green.
    public let vesselContrast: Double

    /// - Parameters:
    ///   - response: made of a crop.
    ///   - view: the field of view in that crop, whose side is `VesselField.workingSide`.
    package init(_ response: VesselResponse, fieldOfView view: FieldOfView) {
        let planes = EyePlanes(response.picture, fieldOfView: view)
        brightness = rounded(planes.median(planes.brightness), to: 10)
        dark = rounded(planes.share { planes.brightness[$0] < 16 }, to: 1000)
        let pixels = response.picture.pixels
        burnt = rounded(planes.share { pixels[3 * $0] >= 250 && pixels[3 * $0 + 1] >= 250 }, to: 1000)
        let smooth = planes.smoothed(planes.brightness, sigma: 8)
        let bright = planes.quantile(smooth, 0.9)
        lit = rounded(planes.share { smooth[$0] > bright / 4 }, to: 1000)
        sharpness = rounded(planes.sharpness, to: 1000)
        let lines = VesselLines(response) { planes.isInside[$0] }.pixels
        vesselLength = rounded(Float(lines.count) / Float(planes.side), to: 100)
        let around = planes.smoothed(planes.green, sigma: 15.5)
        let contrasts = lines.map { (around[$0] - planes.green[$0]) / max(around[$0], 1) }.sorted()
        vesselContrast = rounded(contrasts.isEmpty ? 0 : contrasts[contrasts.count / 2], to: 1000)
    }
}

/// Rounds to whole parts of 1.
private func rounded(_ value: Float, to parts: Double) -> Double { (Double(value) * parts).rounded() / parts }

/// The brightness and the green of a crop, and where its field of view is.
private struct EyePlanes {
    let side: Int
    let brightness: [Float]
    let green: [Float]
    /// The field of view without 4 pixels of its rim.
    let isInside: [Bool]
    private let inside: [Int]
    /// The field of view without 12 pixels of its rim, in which detail is measured.
    private let inner: [Int]

    init(_ picture: Picture, fieldOfView view: FieldOfView) {
        let side = picture.width, pixels = picture.pixels
        self.side = side
        let places = 0..<side * side
        brightness = places.map {
            0.299 * Float(pixels[3 * $0]) + 0.587 * Float(pixels[3 * $0 + 1]) + 0.114 * Float(pixels[3 * $0 + 2])
        }
        green = places.map { Float(pixels[3 * $0 + 1]) }
        let distance = places.map { view.signedDistance(x: Float($0 % side) + 0.5, y: Float($0 / side) + 0.5) }
        isInside = distance.map { $0 >= 4 }
        inside = places.filter { distance[$0] >= 4 }
        inner = places.filter { distance[$0] >= 12 }
    }

    func share(_ isCounted: (Int) -> Bool) -> Float {
        Float(inside.count(where: isCounted)) / Float(max(1, inside.count))
    }

    func median(_ plane: [Float]) -> Float { quantile(plane, 0.5) }

    func quantile(_ plane: [Float], _ share: Double) -> Float {
        var values = inside.map { plane[$0] }
        return values.isEmpty ? 0 : values.select(min(values.count - 1, Int(share * Double(values.count))))
    }

    /// A blur over the field of view alone.
    func smoothed(_ plane: [Float], sigma: Double) -> [Float] {
        let blur = BoxBlur(width: side, height: side, sigma: sigma)
        let sum = blur.applied(to: plane.indices.map { isInside[$0] ? plane[$0] : 0 })
        let cover = blur.applied(to: isInside.map { $0 ? 1 : 0 })
        return zip(sum, cover).map { $0 / max($1, 1e-6) }
    }

    /// See `PhotographFigures.sharpness`.
    var sharpness: Float {
        let fine = deviation(1.41, 2.45), coarse = deviation(4.47, 8.49)
        let ofNoise = EyePlanes.fineShareOfNoise * noise
        // A coarse detail of less than a quarter of a level is rounding.
        return max(0, fine * fine - ofNoise * ofNoise).squareRoot() / max(coarse, 0.25)
    }

    /// The fine detail of white noise of deviation 1.
    private static let fineShareOfNoise: Float = 0.114

    /// The deviation of what one blur keeps and a wider one does not.
    private func deviation(_ narrow: Double, _ wide: Double) -> Float {
        let one = smoothed(green, sigma: narrow), other = smoothed(green, sigma: wide)
        let sum = inner.reduce(Float(0)) { $0 + (one[$1] - other[$1]) * (one[$1] - other[$1]) }
        return (sum / Float(max(1, inner.count))).squareRoot()
    }

    /// The deviation of white noise (after Immerkaer, "Fast noise variance estimation", Computer Vision and Image
    /// Understanding 64(2), 1996, with the median in place of the mean).
    private var noise: Float {
        var laplacians = inner.map { i -> Float in
            let above = green[i - side - 1] - 2 * green[i - side] + green[i - side + 1]
            let here = green[i - 1] - 2 * green[i] + green[i + 1]
            let below = green[i + side - 1] - 2 * green[i + side] + green[i + side + 1]
            return abs(above - 2 * here + below)
        }
        return laplacians.isEmpty ? 0 : laplacians.select(laplacians.count / 2) / 0.6745 / 6
    }
}

extension [Float] {
    /// The element that would stand at `place` if all were sorted; they are partly sorted thereby. In mean time
    /// proportional to their number (Hoare, "Algorithm 65: Find", Communications of the ACM 4(7), 1961).
    fileprivate mutating func select(_ place: Int) -> Float {
        withUnsafeMutableBufferPointer { values in
            var low = 0, high = values.count - 1
            while low < high {
                let pivot = values[(low + high) / 2]
                var i = low, j = high
                while i <= j {
                    while values[i] < pivot { i += 1 }
                    while pivot < values[j] { j -= 1 }
                    if i <= j {
                        values.swapAt(i, j)
                        (i, j) = (i + 1, j - 1)
                    }
                }
                if place <= j { high = j } else if place >= i { low = i } else { break }
            }
            return values[place]
        }
    }
}
