import Pictures

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

/// A test that looks for copies of single photographs.
package enum CopyTestName: String, Codable, CaseIterable, Sendable, Comparable {
    case pixels, features, retina

    package static func < (a: CopyTestName, b: CopyTestName) -> Bool { a.rawValue < b.rawValue }

    /// Its part of the family's false-alarm rate. Innocent photographs and copies lie far apart in pixels and vessels,
    /// nearer together for the encoder, which so small a set of photographs teaches; it gets most.
    var shareOfFalseAlarms: Double { self == .features ? 0.8 : 0.1 }

    /// What a privacy officer calls it.
    package var title: String {
        switch self {
        case .pixels: "Pixel copies"
        case .features: "Copies in feature space"
        case .retina: "Retinal identity"
        }
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
