import Files
import Foundation
import Reporting
import SampleStore

/// Writes the cards of a released set beside it: `R.card.md` and `R.croissant.json`.
package enum ReleaseCards {
    /// - Returns: the path of the card.
    /// - Throws: `Failure(.cannotCreateOutput)`; `Failure(.readOrWriteFailed)`; the failures of `SampleSetFile.open`.
    package static func write(for path: String, force: Bool) async throws -> String {
        let file = try await SampleSetFile.open(path, verifying: false),
            name = URL(fileURLWithPath: path).lastPathComponent
        let stem = path.hasSuffix(".h5") ? String(path.dropLast(3)) : path
        let content = try await SampleSetFile.contentDigest(path),
            packaged = PackagedFile(name: name, digest: try Digest(ofFile: path), byteCount: file.byteCount)
        let card = try DatasetCard.markdown(of: file, name: name, files: [packaged], content: content)
        let croissant = try Croissant(
            try file.description(), name: name, layout: .sampleSet(packaged), content: content
        ).json()
        for (suffix, text) in [(".card.md", card), (".croissant.json", croissant)] {
            let staged = try StagedFile(stem + suffix, force: force)
            try staged.write(Data(text.utf8))
            try staged.commit()
        }
        return stem + ".card.md"
    }
}
