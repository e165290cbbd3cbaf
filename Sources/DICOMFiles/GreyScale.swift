/// How grey samples become bytes: rescaling, a window, padding and inversion, as PS3.3 C.7.6.3 and C.11 define them.
struct GreyScale {
    let isInverted: Bool
    let slope: Double
    let intercept: Double
    /// Centre and width of the window; nil for the whole range.
    let window: (center: Double, width: Double)?
    /// The values that are no part of the picture; nil if there are none.
    let padding: ClosedRange<Double>?

    private enum Tag {
        static let padding: UInt32 = 0x0028_0120
        static let paddingLimit: UInt32 = 0x0028_0121
        static let windowCenter: UInt32 = 0x0028_1050
        static let windowWidth: UInt32 = 0x0028_1051
        static let intercept: UInt32 = 0x0028_1052
        static let slope: UInt32 = 0x0028_1053
        static let shape: UInt32 = 0x2050_0020
    }

    init(_ file: DICOMDataSet, layout: PixelLayout) {
        isInverted = layout.colours == .brightIsZero || file.text(Tag.shape)?.uppercased() == "INVERSE"
        slope = file.number(Tag.slope).flatMap { $0 == 0 ? nil : $0 } ?? 1
        intercept = file.number(Tag.intercept) ?? 0
        if let center = file.number(Tag.windowCenter), let width = file.number(Tag.windowWidth), width >= 1 {
            window = (center, width)
        } else {
            window = nil
        }
        padding = file.number(Tag.padding).map { value in
            let limit = file.number(Tag.paddingLimit) ?? value
            return min(value, limit)...max(value, limit)
        }
    }

    /// The byte of each sample of `bits` bits; in a signed sample, the highest bit is the sign.
    func table(bits: Int, isSigned: Bool) -> [UInt8] {
        let range = 1 << bits
        let lowest = isSigned ? -range / 2 : 0
        let ends = [Double(lowest) * slope + intercept, Double(lowest + range - 1) * slope + intercept].sorted()
        return (0..<range).map { code in
            let value = Double(isSigned && code >= range / 2 ? code - range : code)
            if padding?.contains(value) == true { return 0 }
            let rescaled = value * slope + intercept
            var part: Double
            if let window {
                // PS3.3 C.11.2.1.2.1, the linear function.
                part =
                    window.width > 1
                    ? (rescaled - (window.center - 0.5)) / (window.width - 1) + 0.5
                    : (rescaled > window.center - 0.5 ? 1 : 0)
            } else {
                part = (rescaled - ends[0]) / (ends[1] - ends[0])
            }
            part = max(0, min(1, part))
            return UInt8(((isInverted ? 1 - part : part) * 255).rounded())
        }
    }
}
