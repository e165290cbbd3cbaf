import Foundation

/// Tells regular files from folders, pipes and devices. Reading a pipe could wait without end, and a device must never
/// be replaced.
public enum RegularFile {
    /// Whether there is a regular file at `path`; links are followed.
    public static func exists(_ path: String) -> Bool {
        var found = stat()
        return stat(path, &found) == 0 && found.st_mode & S_IFMT == S_IFREG
    }

    /// Which file is at a path: paths that lead to one file have the same identity.
    public struct Identity: Hashable, Sendable {
        private let device: UInt
        private let inode: UInt

        /// Nil where there is nothing at the path; links are followed.
        public init?(_ path: String) {
            var found = stat()
            guard stat(path, &found) == 0 else { return nil }
            (device, inode) = (UInt(found.st_dev), UInt(found.st_ino))
        }
    }

    /// Checks that there is a regular file at `path`.
    /// - Throws: `Failure`: `.noSuchInput` if there is nothing, `.badData` for a folder, a pipe or a device.
    public static func require(_ path: String) throws {
        var found = stat()
        guard stat(path, &found) == 0 else { throw Failure(.noSuchInput, path, "does not exist") }
        if found.st_mode & S_IFMT == S_IFDIR { throw Failure(.badData, path, "is a folder; name a file in it") }
        guard found.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.badData, path, "is a pipe or a device, and not a file")
        }
    }
}
