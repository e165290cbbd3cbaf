import Pictures
import Verdicts

/// How near some pictures come to a gallery.
package struct CopyScores: Sendable {
    /// The best over the gallery; higher is closer.
    package let scores: [Double]
    /// Which picture of the gallery that is.
    package let nearest: [Int]

    package init(scores: [Double], nearest: [Int]) {
        self.scores = scores
        self.nearest = nearest
    }
}

/// A gallery that was made ready for one test.
package protocol CopyTest: Sendable {
    var name: CopyTestName { get }
    /// Those of some photographs of the gallery that score against other patients what innocent pictures score: none
    /// that the test was trained on.
    func innocent(of rows: [Int]) -> [Int]
    /// Best match of each probe in the gallery.
    func scores(of probes: PictureSet, progress: (Double) throws -> Void) throws -> CopyScores
    /// Best match of some photographs of the gallery among those of other patients.
    func scoresWithinGallery(_ rows: [Int], progress: (Double) throws -> Void) throws -> CopyScores
}

extension CopyTest {
    package func innocent(of rows: [Int]) -> [Int] { rows }
}
