import Pictures
import Verdicts

/// How near some pictures come to a gallery.
package struct CopyScores: Sendable {
    /// The best score of each picture over the gallery. Higher is closer.
    package let scores: [Double]
    /// The gallery picture with the best score, for each picture.
    package let nearest: [Int]

    package init(scores: [Double], nearest: [Int]) {
        self.scores = scores
        self.nearest = nearest
    }
}

/// One copy test with its gallery.
package protocol CopyTest: Sendable {
    var name: CopyTestName { get }
    /// Those of `rows`, which are photographs of the gallery, that score like innocent pictures against other patients.
    /// Photographs that the test was trained on are left out.
    func innocent(of rows: [Int]) -> [Int]
    /// The best match of each probe in the gallery.
    func scores(of probes: PictureSet, progress: (Double) throws -> Void) throws -> CopyScores
    /// The best match of some photographs of the gallery among the photographs of other patients.
    func scoresWithinGallery(_ rows: [Int], progress: (Double) throws -> Void) throws -> CopyScores
}

extension CopyTest {
    package func innocent(of rows: [Int]) -> [Int] { rows }
}
