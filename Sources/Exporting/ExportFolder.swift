import Files
import Foundation
import Reporting

/// The folder that is being filled, and the list of its files.
final class ExportFolder {
    let path: String
    private(set) var files: [PackagedFile] = []

    init(_ path: String) { self.path = path }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Makes the folder, or the folder `name` in it.
    func make(_ name: String? = nil) throws {
        do {
            try FileManager.default.createDirectory(atPath: name.map(file) ?? path, withIntermediateDirectories: true)
        } catch {
            throw Failure(.cannotCreateOutput, path, "could not be made: \(SystemReason.text(error))")
        }
    }

    @discardableResult
    func write(_ data: Data, _ name: String) throws -> PackagedFile {
        do {
            try data.write(to: URL(fileURLWithPath: file(name)))
        } catch {
            throw Failure(
                .readOrWriteFailed, file(name), "could not be written: \(SystemReason.text(error))")
        }
        let packaged = PackagedFile(name: name, digest: Digest(of: data), byteCount: data.count)
        files.append(packaged)
        return packaged
    }

    /// Adds a file to the list that something else wrote into the folder.
    @discardableResult
    func add(_ name: String) throws -> PackagedFile {
        let size = (try? FileManager.default.attributesOfItem(atPath: file(name))[.size] as? Int) ?? 0
        let packaged = PackagedFile(name: name, digest: try Digest(ofFile: file(name)), byteCount: size)
        files.append(packaged)
        return packaged
    }

    static func move(_ source: String, to target: String) throws {
        guard rename(source, target) == 0 else {
            throw Failure(.readOrWriteFailed, target, "could not be written: \(SystemReason.text())")
        }
    }
}
