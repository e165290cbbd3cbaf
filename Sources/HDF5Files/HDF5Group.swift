import CHDF5
import Files

/// An open group.
@HDF5Actor
public final class HDF5Group: HDF5Object, FileMember {
    public let path: String
    public let file: String
    let fileByteCount: Int
    private let handle: Handle
    /// The file. It stays open as long as anything in it is used.
    let owner: Handle
    public var identifier: Int64 { handle.id }

    init(_ handle: Handle, path: String, file: String, owner: Handle, fileByteCount: Int) {
        self.handle = handle
        self.path = path
        self.file = file
        self.owner = owner
        self.fileByteCount = fileByteCount
    }

    /// The names of what lies directly in the group, sorted.
    /// - Throws: `Failure(.badData)`.
    public var names: [String] {
        get throws {
            var info = H5G_info_t()
            try HDF5Library.call(.badData, file, "\(path) could not be listed") { H5Gget_info(identifier, &info) }
            return try (0..<info.nlinks).map { index in
                try readName { buffer, size in
                    H5Lget_name_by_idx(
                        identifier, ".", H5_INDEX_NAME, H5_ITER_INC, index, buffer, size, fovea_default)
                }
            }
        }
    }

    /// Whether the group holds something of that name.
    /// - Throws: `Failure(.badData)`.
    public func contains(_ name: String) throws -> Bool {
        try HDF5Library.call(.badData, file, "\(path) could not be read") {
            H5Lexists(identifier, name, fovea_default)
        } > 0
    }

    /// Creates a group in this one.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func createGroup(_ name: String) throws -> HDF5Group {
        let list = try propertyList(fovea_group_create(), file) { H5Pset_obj_track_times($0, false) }
        let id = try HDF5Library.write(in: owner, file, "\(child(name)) could not be written") {
            H5Gcreate2(identifier, name, fovea_default, list.id, fovea_default)
        }
        return group(id, name)
    }

    /// Opens a group in this one.
    /// - Throws: `Failure(.badData)` if this file has no group of that name here.
    public func group(_ name: String) throws -> HDF5Group {
        try requireInside(name)
        let id = try HDF5Library.call(.badData, file, "\(child(name)) is not a group") {
            H5Gopen2(identifier, name, fovea_default)
        }
        return group(id, name)
    }

    /// Opens a dataset in this group.
    /// - Throws: `Failure(.badData)` if this file has no dataset of that name here, or keeps its content in another
    ///   file.
    public func dataset(_ name: String) throws -> HDF5Dataset {
        try requireInside(name)
        let id = try HDF5Library.call(.badData, file, "\(child(name)) is not a dataset") {
            H5Dopen2(identifier, name, fovea_default)
        }
        let dataset = HDF5Dataset(
            Handle(id, in: owner, release: H5Dclose), path: child(name), file: file, owner: owner,
            fileByteCount: fileByteCount)
        try dataset.requireOwnStorage()
        return dataset
    }

    /// Opens a virtual dataset of bytes, whose content lies in other files, for its shape and attributes. Nil if the
    /// dataset is of another kind.
    /// - Throws: `Failure(.badData)`.
    public func virtualDataset(_ name: String) throws -> HDF5Dataset? {
        try requireInside(name)
        let handle = Handle(
            try HDF5Library.call(.badData, file, "\(child(name)) is not a dataset") {
                H5Dopen2(identifier, name, fovea_default)
            },
            in: owner, release: H5Dclose)
        let list = Handle(H5Dget_create_plist(handle.id), release: H5Pclose)
        let dataset = HDF5Dataset(handle, path: child(name), file: file, owner: owner, fileByteCount: fileByteCount)
        return H5Pget_layout(list.id) == H5D_VIRTUAL && dataset.type == UInt8.typeDescription ? dataset : nil
    }

    /// Whether `name` is a group and not a dataset.
    /// - Throws: `Failure(.badData)` if there is nothing of that name in this file.
    public func isGroup(_ name: String) throws -> Bool {
        try requireInside(name)
        let id = try HDF5Library.call(.badData, file, "\(child(name)) could not be opened") {
            H5Oopen(identifier, name, fovea_default)
        }
        let object = Handle(id, in: owner, release: H5Oclose)
        return H5Iget_type(object.id) == H5I_GROUP
    }

    func child(_ name: String) -> String {
        path == "/" ? "/\(name)" : "\(path)/\(name)"
    }

    private func group(_ id: hid_t, _ name: String) -> HDF5Group {
        HDF5Group(
            Handle(id, in: owner, release: H5Gclose), path: child(name), file: file, owner: owner,
            fileByteCount: fileByteCount)
    }

    /// Refuses a link that leads to another file or name. Otherwise, somebody else's file could make this process read
    /// what its sender may not read.
    private func requireInside(_ name: String) throws {
        guard try contains(name) else { throw Failure(.badData, file, "\(child(name)) is missing") }
        var info = H5L_info_t()
        try HDF5Library.call(.badData, file, "\(child(name)) could not be read") {
            H5Lget_info(identifier, name, &info, fovea_default)
        }
        guard info.type == H5L_TYPE_HARD else {
            throw Failure(.badData, file, "\(child(name)) is a link to elsewhere, which is not followed")
        }
    }
}
