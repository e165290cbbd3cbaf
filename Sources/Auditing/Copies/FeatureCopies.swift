import CheckpointStore
import Files
import Foundation
import Pictures
import Verdicts

/// Finds copies by the cosine to the nearest photograph in the feature space of a contrastive encoder that the audit
/// trains (Somepalli et al. 2023, "Diffusion art or digital forgery?"; Dar et al. 2025, "Unconditional latent diffusion
/// models memorize patient imaging data").
package struct FeatureCopies: CopyTest {
    package let name = CopyTestName.features
    private let detector: CopyDetector
    private let gallery: PictureSet
    private let features: [Float]
    private let taught: Set<Int>

    /// - Parameter taught: the patients of the gallery whom the detector was trained on. The detector has learned to
    ///   tell their photographs apart, so that only photographs of the other patients score like innocent pictures.
    package init(_ detector: CopyDetector, gallery: PictureSet, taught: Set<Int>) {
        self.detector = detector
        self.gallery = gallery
        self.taught = taught
        features = detector.features(of: gallery)
    }

    /// The patients of a gallery whom a detector should be trained on, which are two thirds. The others help the
    /// holdout to set the threshold: the holdout alone often has so few patients that the threshold would be far too
    /// high.
    package static func patientsToTeach(_ gallery: PictureSet) -> Set<Int> {
        Set(gallery.patients.filter { $0 % 3 != 0 })
    }

    package func innocent(of rows: [Int]) -> [Int] { rows.filter { !taught.contains(gallery.patients[$0]) } }

    package func scores(of probes: PictureSet, progress: (Double) throws -> Void) throws -> CopyScores {
        try scores(of: probes, excluding: { _ in nil }, progress: progress)
    }

    package func scoresWithinGallery(_ rows: [Int], progress: (Double) throws -> Void) throws -> CopyScores {
        try scores(of: gallery.selecting(rows), excluding: { gallery.patients[rows[$0]] }, progress: progress)
    }

    /// - Parameter patient: gives the patient of the gallery with whom a probe is not compared.
    private func scores(of probes: PictureSet, excluding patient: (Int) -> Int?, progress: (Double) throws -> Void)
        throws -> CopyScores
    {
        var scores: [Double] = [], nearest: [Int] = []
        for start in stride(from: 0, to: probes.count, by: 128) {
            let rows = Array(start..<min(start + 128, probes.count))
            for (probe, cosines) in zip(rows, detector.cosines(of: probes.selecting(rows), in: features)) {
                let own = patient(probe)
                let (score, row) = FeatureCopies.score(
                    cosines, of: cosines.indices.filter { own == nil || gallery.patients[$0] != own })
                scores.append(score)
                nearest.append(row)
            }
            try progress(Double(rows[rows.count - 1] + 1) / Double(probes.count))
        }
        return CopyScores(scores: scores, nearest: nearest)
    }

    /// How far the nearest photograph stands out from the next ones. A picture of a common kind is near to many
    /// photographs, a copy to one. Cosines go through Fisher's transform, so that equal steps count more near 1.
    /// - Parameters:
    ///   - cosines: the cosine to every photograph of the gallery.
    ///   - rows: the photographs that count. Without any, the score is minus infinity.
    private static func score(_ cosines: [Float], of rows: [Int]) -> (score: Double, row: Int) {
        let order = rows.sorted { (cosines[$0], $1) > (cosines[$1], $0) }
        guard !order.isEmpty else { return (-.infinity, 0) }
        let next = order.dropFirst().prefix(max(1, min(20, order.count / 2)))
        func stretched(_ row: Int) -> Double { atanh(Double(min(max(cosines[row], -0.9999), 0.9999))) }
        let mean = next.reduce(0) { $0 + stretched($1) } / Double(max(1, next.count))
        return (stretched(order[0]) - mean, order[0])
    }
}

/// Detectors that were trained before, by the digest of everything that they depend on. Since they saw photographs of
/// patients, only the user can read the folder.
enum DetectorCache {
    private static var folder: String {
        let environment = ProcessInfo.processInfo.environment
        let base =
            environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? (environment["HOME"] ?? NSTemporaryDirectory()) + "/.cache"
        return base + "/fovea/copy-detectors"
    }

    /// The detector for these pictures. It is trained where the cache does not hold it, and every time where the cache
    /// cannot be written.
    static func detector(
        on pictures: PictureSet, _ configuration: CopyDetectorConfiguration, progress: (Double) throws -> Void
    ) throws -> CopyDetector {
        let settings = try JSONText.encoded(configuration)
        let key = Digest(
            of: Array(
                "fovea-copy-detector-2\n\(ToolVersion.current)\n\(settings)\n\(pictures.size)\n\(pictures.patients)\n"
                    .utf8) + pictures.pixels)
        let path = "\(folder)/\(key).detector"
        if let data = FileManager.default.contents(atPath: path), let found = try? CopyDetector(decoding: data),
            found.configuration == configuration
        {
            return found
        }
        let detector = try CopyDetector.trained(on: pictures, configuration, progress: progress)
        let isThere =
            (try? FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])) != nil
        if isThere, let staged = try? StagedFile(path, force: true) {
            try? staged.write(detector.encoded())
            try? staged.commit()
            chmod(path, 0o600)
        }
        return detector
    }
}
