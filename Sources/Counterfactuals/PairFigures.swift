import Foundation
import Pictures
import RetinalMatching
import SampleStore

/// What was measured on the counterfactuals of a set: `P.pairs.json` beside `P.h5`.
package struct PairFigures: Codable, Sendable {
    package static let kind = "fovea.pairs", version = 1

    /// A counterfactual beside its original.
    package struct Pair: Codable, Sendable {
        /// The rows in the set.
        package let row, original: Int
        /// What the counterfactual was drawn for, by attribute.
        package let cohort: [String: String]
        /// The attributes in which it differs from its original.
        package let changed: [String]
        /// The agreement of the vessels, -1 to 1; nil where no field of view was found.
        package let vessels: Double?
        /// The mean difference of the pixels inside the field of view, in levels of 0 to 255.
        package let difference: Double
    }

    package let kind, samples: String
    package let version: Int
    /// The content digest of the set.
    package let content: String
    package let pairs: [Pair]
    /// The median agreement of the vessels; nil where it was measured nowhere.
    package let vessels: Double?
    /// What a classifier reads in the pictures; nil where there were no photographs to train it on.
    package var reading: CohortReading?

    /// Measures the counterfactuals of a set.
    /// - Parameter name: what the set is called.
    package init(of file: SampleSetFile, name: String, content: String) async throws {
        (kind, version, samples, self.content) = (PairFigures.kind, PairFigures.version, name, content)
        var pairs: [Pair] = []
        for row in 0..<file.count {
            guard let original = file.original(row: row) else { continue }
            pairs.append(try await Pair(file, row: row, original: original))
        }
        self.pairs = pairs
        let agreements = pairs.compactMap(\.vessels).sorted(), middle = agreements.count / 2
        vessels =
            agreements.isEmpty
            ? nil : (agreements[middle] + agreements[(agreements.count - 1) / 2]) / 2
    }
}

extension PairFigures.Pair {
    fileprivate init(_ file: SampleSetFile, row: Int, original: Int) async throws {
        let pixels = try await file.images(rows: [original, row]), size = pixels.count / 2
        let pictures = [0, 1].map {
            Picture(width: file.width, height: file.height, pixels: Array(pixels[$0 * size..<($0 + 1) * size]))
        }
        let map = try await file.map(SampleSet.difference, rows: [row]), inside = fieldOfView(of: pictures[0])
        let differences = zip(map, inside).filter(\.1).map { Double($0.0) }
        let texts = [original, row].map { file.askedValues(row: $0) }
        self.init(
            row: row, original: original, cohort: texts[1],
            changed: Set(texts[0].keys).union(texts[1].keys).filter { texts[0][$0] != texts[1][$0] }.sorted(),
            vessels: vesselAgreement(pictures[0], pictures[1]),
            difference: differences.isEmpty ? 0 : differences.reduce(0, +) / Double(differences.count))
    }
}
