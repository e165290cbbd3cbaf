import Files
import Releasing
import SampleStore

/// Whether a sample set that calls itself releasable is what was released. Anybody can set a flag in a file, so whoever
/// repeats "may be released" checks the chain first.
enum ReleaseGuard {
    /// What is wrong with the release of a set; empty for a set that does not call itself releasable.
    /// - Throws: the failures of `SampleSetFile.open`.
    static func findings(_ path: String, _ file: SampleSetFile) async throws -> [Finding] {
        guard file.isReleasable || file.release != nil else { return [] }
        guard file.isReleasable, file.release != nil else {
            return [
                Finding(
                    "attribute releasable of /",
                    file.isReleasable
                        ? "is YES, and there is no verdict of an audit" : "is NO, and there is a verdict of an audit")
            ]
        }
        return try await ReleaseChain.check(path).findings
    }

    /// Refuses a set that calls itself releasable and is not what was released.
    /// - Throws: `Failure(.checkFailed)`.
    static func require(_ path: String, _ file: SampleSetFile) async throws {
        guard let first = try await findings(path, file).first else { return }
        throw Failure(
            .checkFailed, path,
            "calls itself releasable, but it is not what was released: \(first.place): \(first.problem)")
    }
}
