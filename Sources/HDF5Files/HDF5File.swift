import CHDF5
import Files
import Foundation

/// An open HDF5 file. What is written depends only on the calls: it holds no times of objects and no addresses of
/// memory.
///
/// HDF5 1.10.8 has known flaws with hostile input. Plug-ins, external storage and links out of the file are refused. A
/// sample set is checked before the library touches it (`UserBlock.verify`). Open files of unknown origin in a child
/// process.
@HDF5Actor
public final class HDF5File {
    /// The path as the user named it.
    public let path: String
    /// The size on disk in bytes when the file was opened; 0 for a file that is being written.
    public let byteCount: Int
    private let handle: Handle
    public let root: HDF5Group

    private init(path: String, byteCount: Int, handle: Handle) throws {
        self.path = path
        self.byteCount = byteCount
        self.handle = handle
        let id = try HDF5Library.call(.badData, path, "the root group could not be opened") {
            H5Gopen2(handle.id, "/", fovea_default)
        }
        root = HDF5Group(
            Handle(id, in: handle, release: H5Gclose), path: "/", file: path, owner: handle, fileByteCount: byteCount)
    }

    /// Creates or replaces the file at `path`. HDF5 1.8 and later can read it; virtual datasets need 1.10.
    ///
    /// - Parameters:
    ///   - shownAs: the path that errors name, such as a staged file's destination.
    ///   - userBlock: the number of bytes that are kept free at the file's start: 0, or a power of two from 512.
    /// - Throws: `Failure`: `.cannotCreateOutput`, `.readOrWriteFailed`.
    public static func create(_ path: String, shownAs: String? = nil, userBlock: Int = 0) throws -> HDF5File {
        let shown = shownAs ?? path
        let creation = try propertyList(fovea_file_create(), shown) { list in
            min(H5Pset_userblock(list, hsize_t(userBlock)), H5Pset_obj_track_times(list, false))
        }
        let access = try propertyList(fovea_file_access(), shown) { list in
            // The lower bound 1.8 gives headers with checksums, which every reader since 2008 understands.
            min(H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_V110), accessProperties(list, locks: false))
        }
        // The library refuses a file that is there and that it still holds, because a write in it failed.
        unlink(path)
        let id = try HDF5Library.call(.cannotCreateOutput, shown, "could not be created") {
            H5Fcreate(path, fovea_truncate(), creation.id, access.id)
        }
        return try HDF5File(path: shown, byteCount: 0, handle: Handle(id, release: flushAndClose))
    }

    /// Opens the file at `path` for reading.
    /// - Throws: `Failure`: `.noSuchInput` if there is no file or it may not be read, `.badData` if it is not an HDF5
    ///   file or is damaged, `.readOrWriteFailed` if another program writes it.
    public static func open(_ path: String) throws -> HDF5File {
        let hasLocks = try SystemLock.requireNoWriter(path)
        return try open(path, shownAs: path, fovea_read_only(), locks: hasLocks, release: H5Fclose)
    }

    /// Opens the file at `path` for changes. A change that is interrupted can leave a file that nothing reads, so make
    /// it in a copy (`StagedFile`).
    /// - Parameter shownAs: the path that errors name, such as a staged file's destination.
    /// - Throws: as `open`.
    public static func change(_ path: String, shownAs: String) throws -> HDF5File {
        try open(path, shownAs: shownAs, fovea_read_write(), locks: false, release: flushAndClose)
    }

    /// Closing could crash where something cannot be written. So everything is written before, and the file is closed
    /// only if that succeeded.
    private static let flushAndClose: @Sendable @convention(c) (hid_t) -> herr_t = { id in
        H5Fflush(id, H5F_SCOPE_LOCAL) < 0 ? -1 : H5Fclose(id)
    }

    private static func open(
        _ path: String, shownAs shown: String, _ mode: UInt32, locks: Bool,
        release: @escaping @Sendable @convention(c) (hid_t) -> herr_t
    ) throws -> HDF5File {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(.noSuchInput, shown, "there is no such file")
        }
        guard !isFolder.boolValue else { throw Failure(.badData, shown, "is a folder, not an HDF5 file") }
        guard access(path, R_OK) == 0 else {
            throw Failure(.noSuchInput, shown, "cannot be read (\(SystemReason.text()))")
        }
        let isHDF5 = try HDF5Library.call(.badData, shown, "could not be examined") { H5Fis_hdf5(path) }
        guard isHDF5 > 0 else { throw Failure(.badData, shown, "is not an HDF5 file") }
        let properties = try propertyList(fovea_file_access(), shown) { accessProperties($0, locks: locks) }
        let id: hid_t
        do {
            id = try HDF5Library.call(.badData, shown, "could not be opened as HDF5") {
                H5Fopen(path, mode, properties.id)
            }
        } catch let failure as Failure where failure.sentence.contains("is already open for") {
            // A mark in the file itself, which programs set that write HDF5 of version 1.10 or later.
            throw Failure(
                .readOrWriteFailed, shown,
                """
                is open for writing in another program, or such a program ended without closing it; close it there, or \
                remove the mark with h5clear --status
                """)
        }
        // The size of the file that a link leads to, and not of the link.
        var found = stat()
        let size = stat(path, &found) == 0 ? Int(found.st_size) : 0
        return try HDF5File(path: shown, byteCount: size, handle: Handle(id, release: release))
    }

    /// Hands everything that is buffered to the operating system.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func flush() throws {
        try HDF5Library.write(in: handle, path, "could not be written") { H5Fflush(handle.id, H5F_SCOPE_LOCAL) }
    }

    /// Writes what is buffered, and closes the file and everything open in it. A second call does nothing.
    /// - Throws: `Failure(.readOrWriteFailed)`, also where anything that was written to the file before failed.
    public func close() throws {
        handle.close()
        if let reason = handle.failedWrite {
            throw Failure(.readOrWriteFailed, path, "could not be written: \(reason)")
        }
    }

    /// Closing the file closes its objects, too. A file that is written has a name that no other process knows, so it
    /// needs no lock.
    private static func accessProperties(_ list: hid_t, locks: Bool) -> herr_t {
        min(H5Pset_fclose_degree(list, H5F_CLOSE_STRONG), H5Pset_file_locking(list, locks, true))
    }
}

/// Makes a property list of `kind`, which `body` sets up.
@HDF5Actor
func propertyList(_ kind: hid_t, _ place: String, _ body: (hid_t) -> herr_t) throws -> Handle {
    let list = Handle(
        try HDF5Library.call(.readOrWriteFailed, place, "a property list") { H5Pcreate(kind) }, release: H5Pclose)
    try HDF5Library.call(.readOrWriteFailed, place, "a property list") { body(list.id) }
    return list
}
