import Files
import Foundation

/// The folder that `fovea evaluate` writes.
package struct EvaluationFolder {
    package static let page = "report.html", figures = "evaluation.json"
    private let path: String

    package init(_ path: String) { self.path = path }

    /// The figures as they are stored.
    /// - Parameter digest: the content digest of the sample set that they must be about.
    /// - Throws: `Failure(.noSuchInput)`; `Failure(.badData)` where they are no evaluation, or one of another set.
    package func text(of digest: Digest) throws -> String {
        let place = "\(path)/\(EvaluationFolder.figures)"
        let text = String(decoding: try JSONText.contents(place), as: UTF8.self)
        let record = try EvaluationRecord.decode(text, place: place)
        guard record.samples.digest == digest else {
            throw Failure(
                .badData, place, field: "samples", expected: "an evaluation of \(digest)",
                found: "one of \(record.samples.digest.map(\.description) ?? "pictures without a digest")")
        }
        return text
    }
}
