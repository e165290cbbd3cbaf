import CheckpointStore
import Files
import Foundation
import Pictures

/// Copies in the feature space of a contrastive encoder that is trained in the audit (Somepalli et al. 2023, "Diffusion art or digital
/// forgery?"; Dar et al. 2025, "Unconditional latent diffusion models memorize patient imaging data"): the cosine to the nearest.
struct FeatureCopies: CopyTest {
    let name = CopyTestName.features
    /// The encoder has learned to tell the gallery's photographs from each other, not from those it never saw.
    let isCalibratedByGallery = false
    private let detector: CopyDetector
    private let features: [Float]

    init(_ detector: CopyDetector, gallery: PictureSet) {
        self.detector = detector
        features = detector.features(of: gallery)
    }

    func scores(of probes: PictureSet, progress: (Double) throws -> Void) throws -> CopyScores {
        var scores: [Double] = [], nearest: [Int] = []
        for start in stride(from: 0, to: probes.count, by: 128) {
            let rows = Array(start..<min(start + 128, probes.count))
            for found in detector.cosines(of: probes.selecting(rows), in: features) {
                let (score, row) = FeatureCopies.score(found)
                scores.append(score)
                nearest.append(row)
            }
            try progress(Double(rows[rows.count - 1] + 1) / Double(probes.count))
        }
        return CopyScores(scores: scores, nearest: nearest)
    }

    /// How far the nearest stands out from the next: a picture of a common kind is near to many, and a copy to one. Cosines go through
    /// Fisher's transform, so that equal steps near 1 count more.
    /// - Parameter cosines: to every photograph of the gallery.
    private static func score(_ cosines: [Float]) -> (score: Double, row: Int) {
        let order = cosines.indices.sorted { (cosines[$0], $1) > (cosines[$1], $0) }
        let next = order.dropFirst().prefix(max(1, min(20, cosines.count / 2)))
        func stretched(_ row: Int) -> Double { atanh(Double(min(max(cosines[row], -0.9999), 0.9999))) }
        let mean = next.reduce(0) { $0 + stretched($1) } / Double(max(1, next.count))
        return (stretched(order[0]) - mean, order[0])
    }

    func scoresWithinGallery(_ rows: [Int], progress: (Double) throws -> Void) throws -> CopyScores { CopyScores(scores: [], nearest: []) }
}

/// Detectors that were trained before, by the digest of all that they follow from. They saw photographs of patients: the folder is the
/// user's alone.
enum DetectorCache {
    private static var folder: String {
        let environment = ProcessInfo.processInfo.environment
        let base = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? (environment["HOME"] ?? NSTemporaryDirectory()) + "/.cache"
        return base + "/fovea/copy-detectors"
    }

    /// The detector of these pictures, trained where it is not there yet. A cache that cannot be written is none.
    static func detector(on pictures: PictureSet, _ configuration: CopyDetectorConfiguration, progress: (Double) throws -> Void) throws -> CopyDetector {
        let settings = try JSONText.encoded(configuration)
        let key = Digest(of: Array("fovea-copy-detector-1\n\(ToolVersion.current)\n\(settings)\n\(pictures.size)\n\(pictures.patients)\n".utf8) + pictures.pixels)
        let path = "\(folder)/\(key).detector"
        if let data = FileManager.default.contents(atPath: path), let found = try? CopyDetector(decoding: data), found.configuration == configuration { return found }
        let detector = try CopyDetector.trained(on: pictures, configuration, progress: progress)
        let isThere = (try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])) != nil
        if isThere, let staged = try? StagedFile(path, force: true) {
            try? staged.write(detector.encoded())
            try? staged.commit()
            chmod(path, 0o600)
        }
        return detector
    }
}
