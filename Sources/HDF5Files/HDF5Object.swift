import CHDF5
import Files
import Foundation

/// A group or a dataset: an object that can have attributes.
@HDF5Actor
public protocol HDF5Object: AnyObject {
    /// The path inside the file, which starts with `/`.
    var path: String { get }
    /// The file, as the user named it.
    var file: String { get }
    /// The library's identifier.
    var identifier: Int64 { get }
}

/// What lies in an open file.
@HDF5Actor
protocol FileMember {
    /// The file.
    var owner: Handle { get }
}

extension HDF5Object {
    /// The sorted names of the attributes.
    /// - Throws: `Failure(.badData)`.
    public var attributeNames: [String] {
        get throws {
            var info = H5O_info_t()
            try HDF5Library.call(.badData, file, "\(path) could not be read") {
                H5Oget_info2(identifier, &info, UInt32(H5O_INFO_NUM_ATTRS))
            }
            return try (0..<info.num_attrs).map { index in
                try readName { buffer, size in
                    H5Aget_name_by_idx(
                        identifier, ".", H5_INDEX_NAME, H5_ITER_INC, hsize_t(index), buffer, size, fovea_default)
                }
            }
        }
    }

    /// Whether the object has an attribute of that name.
    /// - Throws: `Failure(.badData)`.
    public func hasAttribute(_ name: String) throws -> Bool {
        try HDF5Library.call(.badData, file, "\(path) could not be read") { H5Aexists(identifier, name) } > 0
    }

    /// Writes a UTF-8 string of variable length, which h5py reads as `str`.
    /// - Throws: `Failure`: `.badData` for text that holds a zero byte, `.readOrWriteFailed`.
    public func setAttribute(_ name: String, _ value: String) throws {
        try writeStrings(name, [value], isScalar: true)
    }

    /// Writes a string in place of an attribute of that name, or as a new one.
    /// - Throws: the same as `setAttribute`.
    public func replaceAttribute(_ name: String, _ value: String) throws {
        if try hasAttribute(name) { try writing(name) { H5Adelete(identifier, name) } }
        try setAttribute(name, value)
    }

    /// Writes an int64.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func setAttribute(_ name: String, _ value: Int) throws {
        let space = Dataspace(H5Screate(H5S_SCALAR))
        let attribute = try create(name, Int64.fileType, space)
        try writing(name) { withUnsafePointer(to: Int64(value)) { H5Awrite(attribute.id, Int64.memoryType, $0) } }
    }

    /// Names the dimensions as HDF5's high-level library does (`H5DSset_label`; h5py's `dims[i].label`).
    /// - Throws: `Failure`: `.badData` for text that holds a zero byte, `.readOrWriteFailed`.
    public func setDimensionLabels(_ labels: [String]) throws {
        try writeStrings("DIMENSION_LABELS", labels, isScalar: false)
    }

    /// The strings of an attribute, of variable or fixed length.
    /// - Throws: `Failure(.badData)` if the attribute is missing or holds something else.
    public func attributeStrings(_ name: String) throws -> [String] {
        let attribute = try open(name)
        let type = Datatype(H5Aget_type(attribute.id))
        let space = Dataspace(H5Aget_space(attribute.id))
        return try readStrings(type, count: space.count, limit: 1 << 24, what: shown(name), file: file) {
            memoryType, buffer in
            H5Aread(attribute.id, memoryType, buffer)
        }
    }

    /// The string of an attribute that holds exactly one string.
    /// - Throws: `Failure(.badData)` if the attribute is missing or holds something else.
    public func attributeString(_ name: String) throws -> String {
        let strings = try attributeStrings(name)
        guard strings.count == 1 else {
            throw Failure(.badData, file, field: shown(name), expected: "one string", found: "\(strings.count)")
        }
        return strings[0]
    }

    /// The integer of an attribute that holds exactly one integer.
    /// - Throws: `Failure(.badData)` if the attribute is missing or holds something else.
    public func attributeInt(_ name: String) throws -> Int {
        let attribute = try open(name)
        let type = Datatype(H5Aget_type(attribute.id)).description
        let space = Dataspace(H5Aget_space(attribute.id))
        guard case .integer = type, space.count == 1 else {
            throw Failure(
                .badData, file, field: shown(name), expected: "one integer", found: "\(space.count) of \(type)")
        }
        var value: Int64 = 0
        try HDF5Library.call(.badData, file, "\(shown(name)) could not be read") {
            H5Aread(attribute.id, Int64.memoryType, &value)
        }
        return Int(value)
    }

    /// The type of an attribute.
    /// - Throws: `Failure(.badData)` if the attribute is missing.
    public func attributeType(_ name: String) throws -> HDF5Type {
        let attribute = try open(name)
        return Datatype(H5Aget_type(attribute.id)).description
    }

    private var fileHandle: Handle? { (self as? any FileMember)?.owner }

    private func shown(_ name: String) -> String { "attribute \(name) of \(path)" }

    private func open(_ name: String) throws -> Handle {
        guard try hasAttribute(name) else { throw Failure(.badData, file, "\(shown(name)) is missing") }
        return Handle(
            try HDF5Library.call(.badData, file, "\(shown(name)) could not be read") {
                H5Aopen(identifier, name, fovea_default)
            }, in: fileHandle, release: H5Aclose)
    }

    private func create(_ name: String, _ type: hid_t, _ space: Dataspace) throws -> Handle {
        Handle(
            try writing(name) { H5Acreate2(identifier, name, type, space.id, fovea_default, fovea_default) },
            in: fileHandle, release: H5Aclose)
    }

    @discardableResult
    private func writing<Status: SignedInteger>(_ name: String, _ body: () -> Status) throws -> Status {
        do {
            return try HDF5Library.call(.readOrWriteFailed, file, "\(shown(name)) could not be written", body)
        } catch let failure as Failure {
            fileHandle?.giveUp(failure.sentence)
            throw failure
        }
    }

    private func writeStrings(_ name: String, _ values: [String], isScalar: Bool) throws {
        try requireNoZeroBytes(values, shown(name), file)
        let space = isScalar ? Dataspace(H5Screate(H5S_SCALAR)) : try Dataspace([values.count], file: file)
        let type = try Datatype.string(bytes: nil, place: file)
        let attribute = try create(name, type.id, space)
        let pointers = values.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        try writing(name) { pointers.withUnsafeBufferPointer { H5Awrite(attribute.id, type.id, $0.baseAddress) } }
    }

    /// Reads a name with the two calls that the library needs: one for the length and one for the bytes.
    func readName(_ body: (UnsafeMutablePointer<CChar>?, Int) -> Int) throws -> String {
        let length = try HDF5Library.call(.badData, file, "a name in \(path) could not be read") { body(nil, 0) }
        var buffer = [CChar](repeating: 0, count: length + 1)
        try HDF5Library.call(.badData, file, "a name in \(path) could not be read") { body(&buffer, buffer.count) }
        guard let name = String(validating: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) else {
            throw Failure(.badData, file, "a name in \(path) is not UTF-8")
        }
        return name
    }
}
