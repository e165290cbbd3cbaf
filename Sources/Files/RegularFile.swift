import Foundation

/// Files as opposed to folders, pipes and devices: a pipe would be waited for without end, and a device never replaced.
public enum RegularFile {
    /// Whether there is a regular file at `path`, links followed.
    public static func exists(_ path: String) -> Bool {
        var found = stat()
        return stat(path, &found) == 0 && found.st_mode & S_IFMT == S_IFREG
    }

    /// - Throws: `Failure`: `.noSuchInput` where there is nothing, `.badData` where it is a folder, a pipe or a device.
    public static func require(_ path: String) throws {
        var found = stat()
        guard stat(path, &found) == 0 else { throw Failure(.noSuchInput, path, "does not exist") }
        if found.st_mode & S_IFMT == S_IFDIR { throw Failure(.badData, path, "is a folder; name a file in it") }
        guard found.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.badData, path, "is no file but a pipe or a device")
        }
    }
}
