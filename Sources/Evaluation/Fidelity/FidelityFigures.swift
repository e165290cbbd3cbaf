import Statistics

/// How near synthetic pictures are to photographs in several kinds of features. See docs/fidelity.md.
package struct FidelityFigures: Codable, Hashable, Sendable {
    /// The numbers of photographs, of their patients, and of synthetic pictures.
    package let photographs: Int, patients: Int, synthetic: Int
    /// The figures by kind of features, in the order in which the kinds were given.
    package let kinds: [Kind]

    package struct Kind: Codable, Hashable, Sendable {
        /// What the kind is called, and how many features it has.
        package let name: String, features: Int
        package let figures: FeatureFigures?
        /// One sentence that says why there are no figures.
        package let missing: String?
    }

    /// The same figures, with photographs and patients counted to the nearest five, so that nobody is counted out.
    package var withRoundedCounts: FidelityFigures {
        FidelityFigures(
            photographs: photographs.toNearestFive, patients: patients.toNearestFive, synthetic: synthetic,
            kinds: kinds)
    }
}

/// A figure of photographs and synthetic pictures, and beside it the same figure of photographs and other photographs.
package struct FigureBesideFloor: Codable, Hashable, Sendable {
    package let value: Estimate
    /// The mean and the middle 95 % over random halves of the photographs' patients.
    package let floor: Estimate
}

/// The figures in one kind of features. Those whose expectation depends on the number of pictures are taken between a
/// half of the photographs and as many synthetic pictures, and the floor between the same half and the other one. Such
/// a value is the mean, and its range the middle 95 %, over the same random halves as the floor.
package struct FeatureFigures: Codable, Hashable, Sendable {
    /// The number of pictures in each half.
    package let picturesInHalf: Int
    /// The unbiased kernel distance of all pictures, with the 95 % interval of a bootstrap by patient.
    package let kernelDistance: FigureBesideFloor
    /// The squared Fréchet distance.
    package let frechetDistance: FigureBesideFloor
    /// The Fréchet radiomic distance; nil for other kinds of features, and where a distance is 0.
    package let radiomicDistance: FigureBesideFloor?
    package let precision: FigureBesideFloor, recall: FigureBesideFloor
    package let density: FigureBesideFloor, coverage: FigureBesideFloor
    /// The share of photographs whose nearest picture is synthetic.
    package let nearestIsSynthetic: FigureBesideFloor
    /// The Vendi score of synthetic pictures; the floor is that of as many photographs.
    package let variety: FigureBesideFloor
    /// The area under the curve of a classifier between equally many photographs and synthetic pictures, with the 95 %
    /// interval of a bootstrap by patient.
    package let classifierArea: FigureBesideFloor
}
