/// A test that looks for copies of single photographs.
package enum CopyTestName: String, Codable, CaseIterable, Sendable, Comparable {
    case pixels, features, retina

    package static func < (a: CopyTestName, b: CopyTestName) -> Bool { a.rawValue < b.rawValue }

    /// The test's part of the false-alarm rate of all tests. The features get most of it: the encoder is trained on few
    /// photographs, so that copies stand out less from innocent photographs than they do by pixels and vessels.
    package var shareOfFalseAlarms: Double { self == .features ? 0.8 : 0.1 }

    /// The name of the test on pages.
    package var title: String {
        switch self {
        case .pixels: "Pixel copies"
        case .features: "Copies in feature space"
        case .retina: "Retinal identity"
        }
    }
}
