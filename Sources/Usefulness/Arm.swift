/// One way to train the classifier. All arms take the same number of steps.
package enum Arm: Hashable, Sendable {
    /// Photographs as they are.
    case real
    /// Photographs with the classic augmentation, which all arms below have, too.
    case augmented
    /// Photographs; the loss of a picture is divided by the share of its class.
    case weighted
    /// Photographs; pictures of each class are drawn equally often.
    case resampled
    /// Photographs and this many synthetic pictures.
    case added(Int)
    /// Photographs and this many synthetic pictures, pictures of each class drawn equally often.
    case addedResampled(Int)
    /// Photographs and those synthetic pictures on which the classifier of `augmented` agrees with what was asked.
    case filtered
    /// Synthetic pictures for the first half of the steps, and photographs for the second.
    case pretrained
    /// Synthetic pictures alone.
    case syntheticOnly

    /// Whether synthetic pictures are trained on.
    package var isSynthetic: Bool {
        switch self {
        case .real, .augmented, .weighted, .resampled: false
        case .added, .addedResampled, .filtered, .pretrained, .syntheticOnly: true
        }
    }

    /// The arms of an evaluation, those without synthetic pictures first.
    /// - Parameter counts: the numbers of synthetic pictures that are added, in rising order.
    package static func all(adding counts: [Int]) -> [Arm] {
        [.real, .augmented, .weighted, .resampled] + counts.map(Arm.added)
            + (counts.last.map { [.addedResampled($0)] } ?? []) + [.filtered, .pretrained, .syntheticOnly]
    }

    /// The name in files and options, such as `added-200`.
    package var name: String {
        switch self {
        case .real: "real"
        case .augmented: "augmented"
        case .weighted: "weighted"
        case .resampled: "resampled"
        case .added(let count): "added-\(count)"
        case .addedResampled(let count): "added-\(count)-resampled"
        case .filtered: "filtered"
        case .pretrained: "pretrained"
        case .syntheticOnly: "synthetic-only"
        }
    }

    /// The name for a person.
    package var title: String {
        switch self {
        case .real: "photographs as they are"
        case .augmented: "photographs, augmented"
        case .weighted: "photographs, augmented, classes weighted"
        case .resampled: "photographs, augmented, classes drawn equally often"
        case .added(let count): "photographs and \(count) synthetic pictures"
        case .addedResampled(let count): "photographs and \(count) synthetic pictures, classes drawn equally often"
        case .filtered: "photographs and synthetic pictures on which a classifier agrees"
        case .pretrained: "synthetic pictures first, then photographs"
        case .syntheticOnly: "synthetic pictures alone"
        }
    }
}
