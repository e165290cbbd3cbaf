/// How far the samples are from photographs, whoever's photographs these are.
///
/// Samples that are noise match no patient, so every test for copies lets them pass. These figures show that case: both
/// are far above their values for photographs.
package struct RealismFigures: Codable, Hashable, Sendable {
    /// The area under the ROC curve of a linear classifier that tells samples from training photographs, on pictures
    /// that it was not trained on: 0.5 where it cannot tell them apart, and 1 where it always can. It is 1 where there
    /// are too few pictures for a classifier.
    package let classifierArea: Double
    /// The distance between samples and training photographs, in deviations of photographs: 0 where colours, spectrum
    /// and layout are distributed alike, and about 1 between two cameras.
    package let distance: Double
    /// The same distance between photographs of the holdout and training photographs, for comparison.
    package let holdoutDistance: Double

    package init(classifierArea: Double, distance: Double, holdoutDistance: Double) {
        self.classifierArea = classifierArea
        self.distance = distance
        self.holdoutDistance = holdoutDistance
    }
}
