import CHDF5
import Files

/// How a dataset is stored in the file.
public struct HDF5Storage: Hashable, Sendable {
    /// The number of rows in one chunk; nil for one block without filters.
    public var chunkRows: Int?
    /// zlib's level, 1 to 9; 0 for no compression.
    public var deflate: Int
    /// Whether every chunk has a checksum, which is checked on reading.
    public var fletcher32: Bool
    /// Whether rows can be added, which needs chunks.
    public var isExtendible: Bool

    /// One block without filters.
    public static let contiguous = HDF5Storage(chunkRows: nil)

    public init(chunkRows: Int?, deflate: Int = 0, fletcher32: Bool = false, isExtendible: Bool = false) {
        self.chunkRows = chunkRows
        self.deflate = deflate
        self.fletcher32 = fletcher32
        self.isExtendible = isExtendible
    }

    @HDF5Actor
    fileprivate func apply(to list: hid_t, shape: [Int]) -> herr_t {
        var status = H5Pset_obj_track_times(list, false)
        guard let chunkRows else { return status }
        let chunk = [hsize_t(chunkRows)] + shape.dropFirst().map { hsize_t($0) }
        status = min(status, H5Pset_chunk(list, Int32(chunk.count), chunk))
        if deflate > 0 { status = min(status, H5Pset_deflate(list, UInt32(deflate))) }
        if fletcher32 { status = min(status, H5Pset_fletcher32(list)) }
        return status
    }
}

extension HDF5Group {
    /// Creates a dataset of numbers, filled with zeros until it is written.
    /// - Parameter shape: the number of elements in each dimension; empty for a scalar.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func create<Element: HDF5Element>(
        _ name: String, _ element: Element.Type, shape: [Int], storage: HDF5Storage = .contiguous
    ) throws -> HDF5Dataset {
        try create(name, type: Element.fileType, shape: shape, storage: storage)
    }

    /// Creates a dataset of numbers and writes all of it.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    @discardableResult
    public func write<Element: HDF5Element>(
        _ name: String, _ values: [Element], shape: [Int], storage: HDF5Storage = .contiguous
    ) throws -> HDF5Dataset {
        let dataset = try create(name, Element.self, shape: shape, storage: storage)
        try dataset.write(values, rows: 0..<(shape.first ?? 1))
        return dataset
    }

    /// Creates a dataset of [codes.count] codes with names, and writes it.
    /// - Throws: `Failure`: `.badData` for names that HDF5 cannot hold, `.readOrWriteFailed`.
    @discardableResult
    public func write<Code: HDF5Element & BinaryInteger>(
        _ name: String, codes: [Code], members: [(name: String, code: Code)]
    ) throws -> HDF5Dataset {
        let dataset = try create(name, members: members, count: codes.count)
        try dataset.write(codes, rows: 0..<codes.count)
        return dataset
    }

    /// Creates a dataset of [count] codes with names.
    /// - Throws: `Failure`: `.badData` for names that HDF5 cannot hold, `.readOrWriteFailed`.
    public func create<Code: HDF5Element & BinaryInteger>(
        _ name: String, members: [(name: String, code: Code)], count: Int
    ) throws -> HDF5Dataset {
        let what = child(name)
        try requireNoZeroBytes(members.map(\.name), what, file)
        guard !members.contains(where: \.name.isEmpty) else {
            throw Failure(.badData, file, "\(what): a code has no name")
        }
        // The library keeps a type in an object header, whose messages hold at most 64 kB. A member takes its name, a
        // zero, padding and its code.
        let bytes = members.reduce(0) { $0 + ($1.name.utf8.count + 8) / 8 * 8 + MemoryLayout<Code>.size }
        guard bytes < 60_000 else {
            throw Failure(
                .badData, file, "\(what): \(members.count) names of \(bytes) bytes are more than HDF5 can hold (60000)")
        }
        let type = try Datatype.enumeration(members, place: file)
        return try create(name, type: type.id, shape: [count], storage: .contiguous)
    }

    /// Creates a dataset whose rows are those of datasets of the same type in other files, one file after another.
    ///
    /// - Parameters:
    ///   - shape: the shape of the whole; the rows of all files add up to its first entry.
    ///   - sources: names of files beside this one, and how many rows each file has. HDF5 reads zeros if a file is
    ///     missing.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func createVirtual<Element: HDF5Element>(
        _ name: String, _ element: Element.Type, shape: [Int], sources: [(file: String, rows: Int)], dataset: String
    ) throws -> HDF5Dataset {
        let space = try Dataspace(shape, file: file)
        let list = try propertyList(fovea_dataset_create(), file) { H5Pset_obj_track_times($0, false) }
        var first = 0
        for source in sources {
            let rows = first..<first + source.rows
            try space.select(rows: rows, file: file)
            let theirs = try Dataspace([source.rows] + shape.dropFirst(), file: file)
            // The rows are selected although they are the whole source: HDF5 does not store the extent of a source, so
            // that it could not be read back.
            try theirs.select(rows: 0..<source.rows, file: file)
            try HDF5Library.call(.readOrWriteFailed, file, "\(child(name)) could not be mapped to \(source.file)") {
                H5Pset_virtual(list.id, space.id, source.file, dataset, theirs.id)
            }
            first = rows.upperBound
        }
        let whole = try Dataspace(shape, file: file)
        let id = try HDF5Library.write(in: owner, file, "\(child(name)) could not be written") {
            H5Dcreate2(identifier, name, Element.fileType, whole.id, fovea_default, list.id, fovea_default)
        }
        return HDF5Dataset(
            Handle(id, in: owner, release: H5Dclose), path: child(name), file: file, owner: owner,
            fileByteCount: fileByteCount)
    }

    /// Creates and writes strings of one length (that of the longest string), padded with zeros.
    /// - Parameter shape: `[values.count]`, or empty for a scalar.
    /// - Throws: `Failure`: `.badData` for text that holds a zero byte, `.readOrWriteFailed`.
    @discardableResult
    public func write(_ name: String, strings values: [String], shape: [Int]? = nil) throws -> HDF5Dataset {
        try requireNoZeroBytes(values, child(name), file)
        let bytes = max(1, values.map(\.utf8.count).max() ?? 1)
        let type = try Datatype.string(bytes: bytes, place: file)
        let dataset = try create(name, type: type.id, shape: shape ?? [values.count], storage: .contiguous)
        var buffer = [UInt8](repeating: 0, count: bytes * values.count)
        for (index, value) in values.enumerated() {
            buffer.replaceSubrange(index * bytes..<index * bytes + value.utf8.count, with: value.utf8)
        }
        try dataset.writeAll(buffer, memoryType: type.id)
        return dataset
    }

    private func create(_ name: String, type: hid_t, shape: [Int], storage: HDF5Storage) throws -> HDF5Dataset {
        let space = try Dataspace(shape, extendible: storage.isExtendible, file: file)
        let list = try propertyList(fovea_dataset_create(), file) { storage.apply(to: $0, shape: shape) }
        let id = try HDF5Library.write(in: owner, file, "\(child(name)) could not be written") {
            H5Dcreate2(identifier, name, type, space.id, fovea_default, list.id, fovea_default)
        }
        return HDF5Dataset(
            Handle(id, in: owner, release: H5Dclose), path: child(name), file: file, owner: owner,
            fileByteCount: fileByteCount)
    }
}
