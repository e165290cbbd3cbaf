import RetinalMatching

/// How good a photograph is, in the words of the cohort schema's attribute `quality`.
public enum QualityGrade: String, Codable, Sendable, CaseIterable, Comparable {
    case good, usable, reject

    /// Whether `one` is better.
    public static func < (one: QualityGrade, other: QualityGrade) -> Bool {
        allCases.firstIndex(of: one)! < allCases.firstIndex(of: other)!
    }
}

/// What was measured of a photograph, and what follows from it.
public struct PhotographQuality: Codable, Sendable, Equatable {
    public let grade: QualityGrade
    /// Why it is not good: a clause with the figure for each figure that is beyond its limit. The worst come first.
    public let reasons: [String]
    public let figures: PhotographFigures

    public init(_ figures: PhotographFigures) {
        self.figures = figures
        let found = QualityLimit.allCases.map { ($0, $0.grade(of: figures)) }.filter { $0.1 != .good }
            .enumerated().sorted { ($1.element.1, $0.offset) < ($0.element.1, $1.offset) }.map(\.element)
        grade = found.first?.1 ?? .good
        reasons = found.map { $0.reason($1, figures) }
    }
}

/// The limits of a figure, beyond which a photograph is usable at best, or is rejected.
///
/// They were set with bad versions of photographs of four public sets; docs/import.md ("Quality") has the figures.
public enum QualityLimit: String, Codable, Sendable, CaseIterable {
    case brightness, dark, burnt, lit, sharpness, vesselLength, vesselContrast

    /// A photograph is good on the right side of `usable`, and rejected on the wrong side of `reject`.
    public var limits: (usable: Double, reject: Double) {
        switch self {
        case .brightness: (40, 20)
        case .dark: (0.15, 0.4)
        case .burnt: (0.04, 0.25)
        case .lit: (0.8, 0.6)
        case .sharpness: (0.38, 0.25)
        case .vesselLength: (2, 0.5)
        case .vesselContrast: (0.06, 0.03)
        }
    }

    public func value(_ figures: PhotographFigures) -> Double {
        switch self {
        case .brightness: figures.brightness
        case .dark: figures.dark
        case .burnt: figures.burnt
        case .lit: figures.lit
        case .sharpness: figures.sharpness
        case .vesselLength: figures.vesselLength
        case .vesselContrast: figures.vesselContrast
        }
    }

    /// Whether larger values are worse.
    private var growsWorse: Bool { limits.reject > limits.usable }

    func grade(of figures: PhotographFigures) -> QualityGrade {
        // Without a vessel, there is no contrast of vessels.
        if self == .vesselContrast, figures.vesselLength == 0 { return .good }
        func isBeyond(_ limit: Double) -> Bool { growsWorse ? value(figures) > limit : value(figures) < limit }
        return isBeyond(limits.reject) ? .reject : isBeyond(limits.usable) ? .usable : .good
    }

    /// What is wrong, as a clause that goes on from the photograph's name.
    fileprivate func reason(_ grade: QualityGrade, _ figures: PhotographFigures) -> String {
        let value = value(figures), isRejected = grade == .reject
        func share(_ part: Double) -> String { "\(Int((100 * part).rounded())) %" }
        func number(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
        switch self {
        case .brightness:
            return "is \(isRejected ? "almost black" : "dark"): median brightness \(Int(value.rounded())) of 255"
        case .dark: return "is black in parts: \(share(value)) of its field of view"
        case .burnt: return "is burnt out: \(share(value)) of its field of view"
        case .lit: return "is lit only in part: \(share(value)) of its field of view"
        case .sharpness:
            return "is \(isRejected ? "blurred" : "not sharp"): sharpness \(number(value)), usually 0.4 to 0.9"
        case .vesselLength:
            let what = isRejected ? "hardly a vessel is visible" : "few vessels are visible"
            return "\(what): \(number(value)) widths of the picture, usually 3 to 9"
        case .vesselContrast:
            let much = value > 0 ? "\(share(value)) darker" : "no darker"
            return "its vessels are faint: \(much) than what is around them"
        }
    }

    /// The figure's name on a page.
    public var title: String {
        switch self {
        case .brightness: "Median brightness"
        case .dark: "Share that is almost black"
        case .burnt: "Share that is burnt out"
        case .lit: "Share that is lit"
        case .sharpness: "Sharpness"
        case .vesselLength: "Length of the vessels"
        case .vesselContrast: "Contrast of the vessels"
        }
    }
}
