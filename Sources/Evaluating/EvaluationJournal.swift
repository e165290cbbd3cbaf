import Files
import Foundation
import Usefulness

/// Keeps what each training found, so that an evaluation that was stopped or killed goes on.
struct EvaluationJournal: Sendable {
    private let folder: String, resumes: Bool
    /// What the folder says that is evaluated.
    private let text: String

    /// - Parameters:
    ///   - folder: exists; nothing is written into it before `begin`.
    ///   - fingerprint: says what is evaluated, and how.
    ///   - resumes: whether to go on with what is there.
    ///   - replaces: whether what is there may be deleted.
    /// - Throws: `Failure(.usage)` where the folder belongs to another evaluation; `Failure(.cannotCreateOutput)` where
    ///   it holds one and neither is wanted; `Failure(.readOrWriteFailed)`.
    init(_ folder: String, fingerprint: Digest, resumes: Bool, replaces: Bool) throws {
        (self.folder, self.resumes, text) = (folder, resumes, "\(fingerprint)\n")
        guard let known = FileManager.default.contents(atPath: "\(folder)/inputs") else { return }
        if resumes, String(decoding: known, as: UTF8.self) != text {
            throw Failure(
                .usage, folder,
                """
                belongs to an evaluation of other files or settings; name another output, or begin anew with --force
                """)
        }
        if !resumes, !replaces {
            throw Failure(
                .cannotCreateOutput, folder,
                "holds an evaluation that was begun; go on with --resume, or begin anew with --force")
        }
    }

    /// Says in the folder what is evaluated. What another evaluation left is deleted, unless this one goes on with it.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    func begin() throws {
        if !resumes {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            where name.hasSuffix(".json") { unlink("\(folder)/\(name)") }
        }
        try EvaluationJournal.put(Data(text.utf8), at: "\(folder)/inputs")
    }

    /// What an earlier process found; nil where there is nothing, or nothing whole.
    func read(_ name: String) -> ArmPrediction? {
        FileManager.default.contents(atPath: "\(folder)/\(name).json").flatMap {
            try? JSONDecoder().decode(ArmPrediction.self, from: $0)
        }
    }

    /// - Throws: `Failure(.readOrWriteFailed)`.
    func write(_ prediction: ArmPrediction, _ name: String) throws {
        try EvaluationJournal.put(Data(try JSONText.encoded(prediction).utf8), at: "\(folder)/\(name).json")
    }

    private static func put(_ data: Data, at path: String) throws {
        let staged = try StagedFile(path, force: true, isPrivate: true)
        try staged.write(data)
        try staged.commit()
    }
}
