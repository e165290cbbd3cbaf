import CHDF5
import Files

/// An open dataset. Rows are entries of the first dimension; a scalar has one row.
@HDF5Actor
public final class HDF5Dataset: HDF5Object, FileMember {
    public let path: String
    public let file: String
    private let fileByteCount: Int
    /// Whether this process is writing the file.
    var fileIsOwn: Bool { fileByteCount == 0 }
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

    /// The number of elements in each dimension; empty for a scalar.
    public var shape: [Int] { Dataspace(H5Dget_space(handle.id)).shape }

    public var type: HDF5Type { Datatype(H5Dget_type(handle.id)).description }

    /// The most bytes to which the content can unpack: the stored bytes, times deflate's best ratio if the dataset has
    /// chunks. Nothing larger is ever allocated, because a hostile file can claim any shape. A file that this process
    /// is writing has no limit.
    var contentLimit: Int {
        guard !fileIsOwn else { return .max }
        let stored = min(Int(clamping: H5Dget_storage_size(handle.id)), fileByteCount)
        return storage.chunkRows == nil ? stored : stored.multipliedReportingOverflow(by: 1032).partialValue
    }

    /// The number of bytes that the content takes in the file.
    public var storedByteCount: Int { Int(clamping: H5Dget_storage_size(handle.id)) }

    /// The chunks and filters that the dataset has in the file.
    public var storage: HDF5Storage {
        let list = Handle(H5Dget_create_plist(handle.id), release: H5Pclose)
        guard H5Pget_layout(list.id) == H5D_CHUNKED else { return .contiguous }
        var chunk = [hsize_t](repeating: 0, count: 32)
        H5Pget_chunk(list.id, 32, &chunk)
        var largest = [hsize_t](repeating: 0, count: 32)
        let space = Dataspace(H5Dget_space(handle.id))
        H5Sget_simple_extent_dims(space.id, nil, &largest)
        var storage = HDF5Storage(chunkRows: Int(clamping: chunk[0]), isExtendible: largest[0] == fovea_unlimited())
        for index in 0..<UInt32(max(0, H5Pget_nfilters(list.id))) {
            var flags: UInt32 = 0, config: UInt32 = 0, count = 1, values: [UInt32] = [0]
            let filter = H5Pget_filter2(list.id, index, &flags, &count, &values, 0, nil, &config)
            if filter == H5Z_FILTER_DEFLATE { storage.deflate = Int(values[0]) }
            if filter == H5Z_FILTER_FLETCHER32 { storage.fletcher32 = true }
        }
        return storage
    }

    /// Refuses content that lies in other files.
    func requireOwnStorage() throws {
        let list = Handle(H5Dget_create_plist(handle.id), release: H5Pclose)
        guard H5Pget_external_count(list.id) <= 0, H5Pget_layout(list.id) != H5D_VIRTUAL else {
            throw Failure(.badData, file, "\(path) keeps its content in another file, which is not followed")
        }
    }

    /// Checks the type and the shape.
    /// - Parameter expected: the shape; nil entries match any count.
    /// - Throws: `Failure(.badData)` that names what was expected and found.
    public func require<Element: HDF5Element>(_ element: Element.Type, shape expected: [Int?]) throws {
        guard type == Element.typeDescription else {
            throw Failure(.badData, file, field: path, expected: "\(Element.typeDescription)", found: "\(type)")
        }
        try require(shape: expected)
    }

    /// Checks the shape; nil entries match any count.
    /// - Throws: `Failure(.badData)` that names what was expected and found.
    public func require(shape expected: [Int?]) throws {
        let found = shape
        guard found.count == expected.count, zip(found, expected).allSatisfy({ $1 == nil || $0 == $1 }) else {
            let wanted = expected.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
            throw Failure(.badData, file, field: "\(path) shape", expected: "[\(wanted)]", found: "\(found)")
        }
    }

    /// Changes the number of rows.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func extend(rows: Int) throws {
        var dimensions = shape.map { hsize_t($0) }
        dimensions[0] = hsize_t(rows)
        try HDF5Library.write(in: owner, file, "\(path) could not be extended to \(rows) rows") {
            H5Dset_extent(handle.id, dimensions)
        }
    }

    /// The sources of a virtual dataset, in the order of its mappings.
    /// - Throws: `Failure(.badData)` for a mapping that does not take whole rows.
    public func virtualSources() throws -> [HDF5VirtualSource] {
        let list = Handle(H5Dget_create_plist(handle.id), release: H5Pclose)
        var count = 0
        try HDF5Library.call(.badData, file, "\(path) could not be read") { H5Pget_virtual_count(list.id, &count) }
        return try (0..<count).map { number in
            let source = try readName { H5Pget_virtual_filename(list.id, number, $0, $1) }
            let dataset = try readName { H5Pget_virtual_dsetname(list.id, number, $0, $1) }
            let space = Dataspace(H5Pget_virtual_vspace(list.id, number)),
                theirs = Dataspace(H5Pget_virtual_srcspace(list.id, number))
            return HDF5VirtualSource(
                file: source, dataset: dataset, rows: try wholeRows(space, shape: shape),
                sourceRows: try wholeRows(theirs, shape: theirs.shape))
        }
    }

    private func wholeRows(_ space: Dataspace, shape: [Int]) throws -> Range<Int> {
        var start = [hsize_t](repeating: 0, count: 32), end = start
        try HDF5Library.call(.badData, file, "\(path) could not be read") {
            H5Sget_select_bounds(space.id, &start, &end)
        }
        let rest = shape.indices.dropFirst(), selected = Int(clamping: H5Sget_select_npoints(space.id))
        let isWhole = rest.allSatisfy { start[$0] == 0 && Int(clamping: end[$0]) == shape[$0] - 1 }
        let rows = Int(clamping: start[0])..<max(Int(clamping: start[0]), Int(clamping: end[0]) + 1)
        guard !shape.isEmpty, isWhole, selected == rows.count * shape.dropFirst().reduce(1, *) else {
            throw Failure(.badData, file, field: path, expected: "a mapping of whole rows", found: "another")
        }
        return rows
    }
}

/// Rows of a virtual dataset, and the rows of another file that hold their content.
public struct HDF5VirtualSource: Hashable, Sendable {
    public let file: String
    public let dataset: String
    public let rows: Range<Int>
    /// The rows in the source's own numbering.
    public let sourceRows: Range<Int>

    public init(file: String, dataset: String, rows: Range<Int>, sourceRows: Range<Int>) {
        self.file = file
        self.dataset = dataset
        self.rows = rows
        self.sourceRows = sourceRows
    }
}
