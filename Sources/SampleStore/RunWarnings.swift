import Files
import Foundation

/// Whether a guidance scale does what somebody expects who asks for a cohort.
public enum GuidanceLabel: String, Codable, Sendable {
    /// At 0 the pictures are those of no request. Version 0.1 drew such samples.
    case ignored = "ignores what was asked"
    /// Between 0 and 1.
    case weaker = "weaker than asked"
    /// Far above the scales with which samples were tested.
    case untested = "far above the tested scales"

    /// The highest scale that was tested; docs/recipes.md has the results.
    public static let highestTested: Float = 3
    /// Scales above this are called untested.
    private static let mostWithoutWarning: Float = 5

    /// The label of a scale; nil for a scale that needs none.
    public init?(scale: Float) {
        if scale == 0 {
            self = .ignored
        } else if scale < 1 {
            self = .weaker
        } else if scale > GuidanceLabel.mostWithoutWarning {
            self = .untested
        } else {
            return nil
        }
    }
}

/// What somebody must know who uses the samples of a run: JSON in `/runs/warnings`.
public struct RunWarnings: Codable, Hashable, Sendable {
    /// The label of the guidance scale; nil for a scale that needs none.
    public var guidance: GuidanceLabel?
    /// The requests that the model saw with fewer than five patients and that were drawn because somebody insisted.
    public var smallCohorts: [String]?

    enum CodingKeys: String, CodingKey {
        case guidance
        case smallCohorts = "small_cohorts"
    }

    /// - Parameter smallCohorts: texts of requests, in any order.
    public init(guidanceScale: Float, smallCohorts: [String] = []) {
        guidance = GuidanceLabel(scale: guidanceScale)
        self.smallCohorts = smallCohorts.isEmpty ? nil : smallCohorts.sorted()
    }

    public var isEmpty: Bool { guidance == nil && smallCohorts == nil }

    /// A scale as people write it: 20 and 0.5.
    fileprivate static func text(_ scale: Float) -> String { String(format: "%g", scale) }
}

extension RunRecord {
    /// What somebody must know who uses the samples, one sentence each. The guidance scale speaks for itself in files
    /// of version 0.1, too.
    public var warningSentences: [String] {
        var sentences: [String] = []
        if let label = GuidanceLabel(scale: guidance) {
            switch label {
            case .ignored: sentences.append("Guidance 0 \(label.rawValue): the labels mean nothing.")
            case .weaker: sentences.append("Guidance \(RunWarnings.text(guidance)): the cohort is \(label.rawValue).")
            case .untested:
                sentences.append(
                    """
                    Guidance \(RunWarnings.text(guidance)) is \(label.rawValue), which end at \
                    \(RunWarnings.text(GuidanceLabel.highestTested)): colours and contrast may be wrong.
                    """)
            }
        }
        if let cohorts = warnings?.smallCohorts, !cohorts.isEmpty {
            sentences.append(
                """
                Drawn although the model saw fewer than 5 patients, who may be recognisable: \
                \(cohorts.joined(separator: "; ")).
                """)
        }
        return sentences
    }

    /// What is wrong with the warnings of a run from a file; nil where nothing is wrong.
    var warningsProblem: String? {
        guard let warnings else { return nil }
        if let cohorts = warnings.smallCohorts, cohorts.isEmpty || cohorts.contains("") {
            return "small_cohorts: expected what was asked for, found nothing"
        }
        let expected = GuidanceLabel(scale: guidance)
        guard warnings.guidance == expected else {
            return
                """
                guidance: expected \(expected?.rawValue ?? "no label") at guidance \(guidance), found \
                \(warnings.guidance?.rawValue ?? "none")
                """
        }
        return nil
    }
}
