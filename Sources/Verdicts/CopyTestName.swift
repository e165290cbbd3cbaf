/// A test that looks for copies of single photographs.
package enum CopyTestName: String, Codable, CaseIterable, Sendable, Comparable {
    case pixels, features, retina

    package static func < (a: CopyTestName, b: CopyTestName) -> Bool { a.rawValue < b.rawValue }

    /// Its part of the family's false-alarm rate. Innocent photographs and copies lie far apart in pixels and vessels,
    /// nearer together for the encoder, which so small a set of photographs teaches; it gets most.
    package var shareOfFalseAlarms: Double { self == .features ? 0.8 : 0.1 }

    /// What a privacy officer calls it.
    package var title: String {
        switch self {
        case .pixels: "Pixel copies"
        case .features: "Copies in feature space"
        case .retina: "Retinal identity"
        }
    }
}
