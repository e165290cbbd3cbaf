import Auditing
import CheckpointStore
import Evaluation
import Files
import Foundation
import TensorCore

/// Features of pictures that another program computed, such as those of a network: a safetensors file that says of
/// which pictures they are. docs/formats.md describes it, and Tools/python/picture_features.py makes it.
package struct GivenFeatures: Sendable {
    package static let kind = "fovea.features"
    /// The names of the features that an evaluation computes itself.
    private static let ownNames: Set = ["radiomic", "retina", "encoder"]
    private static let mostWidth = 65536

    package let path: String
    /// What the features are called.
    package let name: String
    /// Of the file's bytes.
    let digest: Digest
    private let rows: [Digest: [Double]]

    /// Reads a file of features.
    /// - Throws: `Failure`: `.noSuchInput`; `.readOrWriteFailed`; `.badData` that names what is wrong.
    package init(_ path: String) throws {
        func bad(_ field: String, _ expected: String, _ found: String) -> Failure {
            Failure(.badData, path, field: field, expected: expected, found: found)
        }
        let index = try SafetensorsIndex(contentsOf: path), metadata = index.metadata
        guard metadata["kind"] == GivenFeatures.kind, metadata["version"] == "1" else {
            let found = metadata["kind"].map { "\($0) \(metadata["version"] ?? "")" } ?? "none"
            throw bad("metadata kind and version", "\(GivenFeatures.kind) 1", found.printable)
        }
        let name = metadata["name"] ?? ""
        guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,39}/) != nil, !GivenFeatures.ownNames.contains(name)
        else {
            throw bad(
                "metadata name", "a name of at most 40 letters, digits, dots and dashes that is not Fovea's own",
                name.isEmpty ? "none" : name.printable)
        }
        let names = index.entries.map(\.name)
        guard let entry = index.entries.first, names == ["features"], entry.shape.count == 2,
            (1...GivenFeatures.mostWidth).contains(entry.shape[1])
        else {
            throw bad(
                "tensors", "one, features [pictures, 1 to \(GivenFeatures.mostWidth)]",
                index.entries.map { "\($0.name) \($0.shape)" }.joined(separator: ", ").printable)
        }
        let texts = (metadata["pictures"] ?? "").split(separator: " "), width = entry.shape[1]
        guard texts.count == entry.shape[0] else {
            throw bad("metadata pictures", "\(entry.shape[0]) digests, one for each row", "\(texts.count)")
        }
        let numbers = try index.tensor(entry).elements
        if let wrong = numbers.firstIndex(where: { !$0.isFinite }) {
            throw bad("features", "finite numbers", "\(numbers[wrong]) in row \(wrong / width)")
        }
        var rows: [Digest: [Double]] = [:]
        for (row, text) in texts.enumerated() {
            let picture = try Digest(hexadecimal: String(text), field: "metadata pictures", file: path)
            rows[picture] = numbers[row * width..<(row + 1) * width].map(Double.init)
        }
        (self.path, self.name, self.rows, digest) = (path, name, rows, try Digest(ofFile: path))
    }

    /// The features of pictures that are compared.
    /// - Throws: `Failure(.badData)` where some of the pictures have none.
    func kind(_ pictures: ComparedPictures, _ inputs: EvaluationInputs) throws -> FidelityFeatures.Kind {
        .given(
            name: name, photographs: try rows(of: inputs.train, pictures.photographRows),
            synthetic: try rows(of: inputs.samples, pictures.syntheticRows))
    }

    private func rows(of source: AuditSource, _ wanted: [Int]) throws -> FeatureRows {
        let found = wanted.compactMap { row in source.pixelDigest(row).flatMap { rows[$0] } }
        guard found.count == wanted.count else {
            throw Failure(
                .badData, path, field: "metadata pictures",
                expected: "the \(wanted.count) pictures of \(EvaluationData.name(source)) that are compared",
                found: "\(found.count) of them")
        }
        return FeatureRows(found)
    }
}
