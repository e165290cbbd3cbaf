import Foundation

/// The folder `OUT.unfinished` in which an output is made, so that finished parts outlive the process. One process at a
/// time holds the folder; the system releases it when that process ends, however it ends.
public final class UnfinishedFolder {
    public let path: String
    private let held: LockFile

    private static let lockName = "lock"

    /// Where the folder for `output` is.
    public static func path(for output: String) -> String {
        output.withoutTrailingSlashes + ".unfinished"
    }

    /// Makes the folder for `output` if it does not exist, and holds it.
    /// - Throws: `Failure(.cannotCreateOutput)` if another process holds the folder, which the sentence then names,
    ///   or if the folder cannot be made.
    public init(for output: String) throws {
        path = UnfinishedFolder.path(for: output)
        let lock = "\(path)/\(UnfinishedFolder.lockName)"
        // A process that ends may remove the folder that it held; the folder is then made again.
        for _ in 0..<100 {
            guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
                throw Failure(.cannotCreateOutput, path, "could not be made: \(SystemReason.text())")
            }
            switch try LockFile.take(lock) {
            case .held(let file):
                held = file
                return
            case .heldBy(let holder):
                throw Failure(
                    .cannotCreateOutput, output, "is being made by \(holder); wait for it or stop it")
            case .vanished: continue
            }
        }
        throw Failure(.cannotCreateOutput, path, "is made and removed by other processes all the time")
    }

    /// Removes the folder if it is empty. Otherwise the folder stays for whoever goes on with the output.
    deinit {
        if (try? FileManager.default.contentsOfDirectory(atPath: path)) == [UnfinishedFolder.lockName] {
            try? remove { _ in false }
        }
    }

    /// Where a file of the folder is.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Removes the content of the folder, `first` before anything else.
    /// - Parameter isOwn: whether a name belongs to the caller's output. If the folder holds any other name, apart from
    ///   unfinished staged files, nothing is removed.
    /// - Throws: `Failure`: `.cannotCreateOutput` that names what is not the caller's; `.readOrWriteFailed`.
    public func clear(first: String? = nil, where isOwn: (String) -> Bool) throws {
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: path).filter {
                $0 != UnfinishedFolder.lockName
            }
            if let other = names.sorted().first(where: { !isOwn($0) && !($0.hasPrefix(".") && $0.hasSuffix(".part")) })
            {
                throw Failure(
                    .cannotCreateOutput, path,
                    "holds \(other.printable), which is not part of this output; move it away, or finish that work"
                )
            }
            for name in names.filter({ $0 == first }) + names.filter({ $0 != first }) {
                try FileManager.default.removeItem(atPath: file(name))
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.readOrWriteFailed, path, "could not be cleared: \(SystemReason.text(error))")
        }
    }

    /// Removes the folder with its content; this object is not used afterwards.
    /// - Throws: the same as `clear`.
    public func remove(first: String? = nil, where isOwn: (String) -> Bool) throws {
        try clear(first: first, where: isOwn)
        held.remove()
        guard rmdir(path) == 0 else {
            throw Failure(.readOrWriteFailed, path, "could not be removed: \(SystemReason.text())")
        }
    }
}
