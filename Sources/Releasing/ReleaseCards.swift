import Files
import Foundation
import Reporting
import SampleStore

/// Writes the cards of a released set beside it: `R.card.md` and `R.croissant.json`.
package enum ReleaseCards {
    private static let suffixes = (card: ".card.md", croissant: ".croissant.json")

    private static func stem(_ path: String) -> String { path.withoutHDF5Suffix }

    /// Checks that both files can be written, before the set is.
    /// - Throws: `Failure(.cannotCreateOutput)`.
    package static func requireWritable(for path: String, force: Bool) throws {
        for suffix in [suffixes.card, suffixes.croissant] {
            try StagedFile.requireWritable(stem(path) + suffix, force: force)
        }
    }

    /// - Returns: the path of the card.
    /// - Throws: `Failure(.cannotCreateOutput)`; `Failure(.readOrWriteFailed)`; the failures of `SampleSetFile.open`.
    package static func write(for path: String, force: Bool) async throws -> String {
        let file = try await SampleSetFile.open(path, verifying: false),
            name = URL(fileURLWithPath: path).lastPathComponent
        let content = try await SampleSetFile.contentDigest(path),
            packaged = PackagedFile(name: name, digest: try Digest(ofFile: path), byteCount: file.byteCount)
        let card = try DatasetCard.markdown(of: file, name: name, files: [packaged], content: content)
        let croissant = try Croissant(
            try file.description(), name: name, layout: .sampleSet(packaged), content: content
        ).json()
        for (suffix, text) in [(suffixes.card, card), (suffixes.croissant, croissant)] {
            let staged = try StagedFile(stem(path) + suffix, force: force)
            try staged.write(Data(text.utf8))
            try staged.commit()
        }
        return stem(path) + suffixes.card
    }
}
