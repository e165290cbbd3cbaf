import Auditing
import Datasets
import Files
import Pictures
import RetinalMatching

/// Refuses a test set that shares photographs or patients with what is trained on: a classifier would know them.
struct SharedPatients {
    /// The side at which vessels are compared, and the smallest pictures in which they can be.
    private static let side = 256, leastSide = 128
    /// The agreement of vessels from which two photographs count as one eye, as in an import. Over four public sets,
    /// strangers have at most 0.21, and photographs of one eye 0.5 to 0.8.
    private static let threshold = 0.40

    private let train: AuditSource
    private let trainRows: [Int]
    private let digests: Set<Digest>
    private let gallery: PictureSet?

    init(_ train: AuditSource) async throws {
        self.train = train
        trainRows = train.rows(of: .train)
        digests = Set(trainRows.compactMap(train.pixelDigest))
        gallery =
            (train.size ?? 0) >= SharedPatients.leastSide
            ? try await train.pictures(trainRows, size: SharedPatients.side) : nil
    }

    /// Whether vessels could be compared: not in pictures below 128 pixels.
    func comparesVessels(_ test: AuditSource) -> Bool { gallery != nil && (test.size ?? 0) >= SharedPatients.leastSide }

    /// - Throws: `Failure(.badData)` that tells how many photographs are shared, and how they were found.
    func requireNone(_ test: AuditSource, rows: [Int], progress: (Double) throws -> Void) async throws {
        let same = rows.compactMap(test.pixelDigest).count { digests.contains($0) }
        guard same == 0 else { throw refusal(test, "\(same) of its photographs, pixel by pixel") }
        guard let gallery, comparesVessels(test), !rows.isEmpty else { return }
        let probes = try await test.pictures(rows, size: SharedPatients.side)
        // Photographs of one number are not compared with each other, so that each is compared with the others' alone.
        let all = PictureSet(
            size: SharedPatients.side, pixels: gallery.pixels + probes.pixels,
            patients: [Int](repeating: 0, count: gallery.count) + [Int](repeating: 1, count: probes.count))
        let search = try RetinalSearch(RetinalGallery(all))
        let matches = try search.matches(of: gallery.count..<all.count, from: SharedPatients.threshold) {
            try progress(Double($0) / Double(probes.count))
        }
        let found = matches.count { !$0.isEmpty }
        guard found == 0 else { throw refusal(test, "eyes of \(found) of its photographs, by their vessels") }
    }

    private func refusal(_ test: AuditSource, _ found: String) -> Failure {
        Failure(
            .badData, test.path, field: "photographs",
            expected: "none of a patient whose photographs are trained on (\(EvaluationData.name(train)))",
            found: found)
    }
}
