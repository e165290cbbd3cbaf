import Pictures

/// The features of photographs and synthetic pictures, from which the figures of all pictures and of each cohort are
/// taken.
package struct FidelityFeatures: Sendable {
    /// A kind of features.
    package enum Kind: Sendable {
        /// Statistics and texture of the brightness; see `RadiomicFeatures`.
        case radiomic
        /// Colours, vessels, bright disc, spectrum and layout; see `RetinaFeatures`.
        case retina
        /// Features from elsewhere, such as a network, equally many with a row for each picture. They are taken as they
        /// are.
        case given(name: String, photographs: FeatureRows, synthetic: FeatureRows)
    }

    private struct Features {
        let name: String
        /// The rows of photographs and of synthetic pictures; nil where there are none of either.
        let rows: (photographs: FeatureRows, synthetic: FeatureRows)?
        var isRadiomic = false, isStandardised = true
    }

    private let patients: [Int], synthetic: Int
    private let kinds: [Features]

    /// The largest side at which features are taken. Larger pictures are shrunk.
    private static let mostSide = 256
    /// The least number of patients, and of synthetic pictures: so that each half has ten.
    package static let leastCount = 20

    /// The largest feature, of which the figures take the sixth power.
    private static let largestFeature = 1e30

    /// Computes the features. Pictures of different sizes are brought to the smaller one.
    package init(photographs: PictureSet, synthetic: PictureSet, kinds: [Kind]) {
        (patients, self.synthetic) = (photographs.patients, synthetic.count)
        let side = min(photographs.size, synthetic.size, Self.mostSide)
        let real = photographs.resized(to: side), fake = synthetic.resized(to: side)
        func both(_ features: (PictureSet) -> FeatureRows) -> (photographs: FeatureRows, synthetic: FeatureRows)? {
            real.count > 0 && fake.count > 0 ? (features(real), features(fake)) : nil
        }
        self.kinds = kinds.map { kind in
            switch kind {
            case .radiomic: return Features(name: "radiomic", rows: both(RadiomicFeatures.rows), isRadiomic: true)
            case .retina: return Features(name: "retina", rows: both(RetinaFeatures.rows))
            case .given(let name, let own, let others):
                guard own.count == real.count, others.count == fake.count, own.width == others.width else {
                    fatalError(
                        "FidelityFeatures: \(name) has [\(own.count), \(own.width)] and [\(others.count), "
                            + "\(others.width)] features for \(real.count) photographs and \(fake.count) other pictures"
                    )
                }
                return Features(name: name, rows: (own, others), isStandardised: false)
            }
        }
    }

    /// The figures of some photographs and some synthetic pictures, such as those of a cohort.
    /// - Parameters:
    ///   - photographs, synthetic: numbers of rows; nil for all.
    package func figures(photographs: [Int]? = nil, synthetic: [Int]? = nil, seed: UInt64) -> FidelityFigures {
        let own = photographs ?? Array(patients.indices), others = synthetic ?? Array(0..<self.synthetic)
        let people = own.map { patients[$0] }, count = Set(people).count
        return FidelityFigures(
            photographs: own.count, patients: count, synthetic: others.count,
            kinds: kinds.map { kind in
                let (figures, missing) = Self.figures(kind, own, people, others, seed: seed)
                return FidelityFigures.Kind(
                    name: kind.name, features: kind.rows?.photographs.width ?? 0, figures: figures, missing: missing)
            })
    }

    private static func figures(
        _ kind: Features, _ photographs: [Int], _ patients: [Int], _ synthetic: [Int], seed: UInt64
    ) -> (FeatureFigures?, missing: String?) {
        let count = Set(patients).count
        if count < leastCount {
            return (nil, "These are photographs of \(count) patients; figures need \(leastCount).")
        }
        guard synthetic.count >= leastCount, let rows = kind.rows else {
            return (nil, "There are \(synthetic.count) synthetic pictures; figures need \(leastCount).")
        }
        let own = rows.photographs.selecting(photographs), others = rows.synthetic.selecting(synthetic)
        guard (own.elements + others.elements).allSatisfy({ abs($0) <= largestFeature }) else {
            return (nil, "Some features are not numbers, or larger than \(largestFeature).")
        }
        let found = FeatureFigures(
            photographs: own, patients: patients, synthetic: others, isRadiomic: kind.isRadiomic,
            isStandardised: kind.isStandardised, seed: seed)
        return (found, found == nil ? "The photographs all have the same features." : nil)
    }
}

extension FidelityFigures {
    /// - Parameter seed: decides the random halves, folds and resamples.
    package init(
        photographs: PictureSet, synthetic: PictureSet, kinds: [FidelityFeatures.Kind] = [.radiomic, .retina],
        seed: UInt64
    ) {
        self = FidelityFeatures(photographs: photographs, synthetic: synthetic, kinds: kinds).figures(seed: seed)
    }
}
