import CHDF5
import Files

extension HDF5Dataset {
    /// Writes whole rows. Codes of `n` bytes can be written to an enumeration over integers of `n` bytes.
    /// - Throws: `Failure`: `.badData` for a dataset of another type, `.readOrWriteFailed`.
    public func write<Element: HDF5Element>(_ values: [Element], rows: Range<Int>) throws {
        let shape = shape
        let expected = rows.count * shape.dropFirst().reduce(1, *)
        guard values.count == expected else {
            fatalError("\(path) \(shape): rows \(rows) take \(expected) elements, not \(values.count)")
        }
        guard !values.isEmpty else { return }
        let memoryType = try memoryType(of: Element.self)
        try transfer(rows: rows, isWriting: true) { memory, space in
            values.withUnsafeBufferPointer {
                H5Dwrite(identifier, memoryType.id, memory, space, fovea_default, $0.baseAddress)
            }
        }
    }

    /// Reads whole rows.
    /// - Returns: [rows.count, the other dimensions], row-major.
    /// - Throws: `Failure(.badData)` if the content is damaged or of another type.
    public func read<Element: HDF5Element>(_ element: Element.Type = Element.self, rows: Range<Int>) throws -> [Element]
    {
        let size = MemoryLayout<Element>.stride
        let count = try elementCount(rows: rows, bytesPerElement: size)
        return try [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            try read(into: UnsafeMutableRawBufferPointer(buffer), Element.self, rows: rows)
            initialized = count
        }
    }

    /// Reads all rows.
    /// - Throws: `Failure(.badData)` if the content is damaged or of another type.
    public func readAll<Element: HDF5Element>(_ element: Element.Type = Element.self) throws -> [Element] {
        try read(rows: 0..<(shape.first ?? 1))
    }

    /// Reads whole rows into `buffer`, which must have exactly their size.
    /// - Throws: `Failure(.badData)` if the content is damaged or of another type.
    public func read<Element: HDF5Element>(
        into buffer: UnsafeMutableRawBufferPointer, _ element: Element.Type, rows: Range<Int>
    ) throws {
        let count = try elementCount(rows: rows, bytesPerElement: MemoryLayout<Element>.stride)
        guard buffer.count == count * MemoryLayout<Element>.stride else {
            fatalError("\(path): rows \(rows) are \(count) elements, the buffer has \(buffer.count) bytes")
        }
        guard count > 0 else { return }
        let memoryType = try memoryType(of: Element.self)
        try transfer(rows: rows) { memory, space in
            H5Dread(identifier, memoryType.id, memory, space, fovea_default, buffer.baseAddress)
        }
    }

    /// Reads every string.
    /// - Throws: `Failure(.badData)` if the content is damaged or does not consist of UTF-8 strings.
    public func readStrings() throws -> [String] {
        let space = Dataspace(H5Dget_space(identifier))
        let type = Datatype(H5Dget_type(identifier))
        return try HDF5Files.readStrings(type, count: space.count, limit: contentLimit, what: path, file: file) {
            memory, buffer in
            H5Dread(identifier, memory, fovea_all, fovea_all, fovea_default, buffer)
        }
    }

    /// Reads whole rows as the bytes of the file, for any type of fixed size.
    func readBytes(rows: Range<Int>) throws -> [UInt8] {
        let type = Datatype(H5Dget_type(identifier))
        let count = try elementCount(rows: rows, bytesPerElement: H5Tget_size(type.id))
        return try [UInt8](unsafeUninitializedCapacity: count * H5Tget_size(type.id)) { buffer, initialized in
            if count > 0 {
                try transfer(rows: rows) { memory, space in
                    H5Dread(identifier, type.id, memory, space, fovea_default, buffer.baseAddress)
                }
            }
            initialized = buffer.count
        }
    }

    func writeAll(_ buffer: [UInt8], memoryType: Int64) throws {
        guard !buffer.isEmpty else { return }
        try HDF5Library.write(in: owner, file, "\(path) could not be written") {
            buffer.withUnsafeBufferPointer {
                H5Dwrite(identifier, memoryType, fovea_all, fovea_all, fovea_default, $0.baseAddress)
            }
        }
    }

    /// The number of elements in `rows`.
    /// - Throws: `Failure(.badData)` if the file is too small to hold them.
    private func elementCount(rows: Range<Int>, bytesPerElement: Int) throws -> Int {
        let shape = shape
        let rowCount = shape.first ?? 1
        guard rows.lowerBound >= 0, rows.upperBound <= rowCount else {
            fatalError("\(path) of \(file) has \(rowCount) rows; \(rows) were asked for")
        }
        var elements = rows.count, bytes = bytesPerElement, overflow = false
        for extent in shape.dropFirst() {
            (elements, overflow) = elements.multipliedReportingOverflow(by: extent)
            if overflow { break }
        }
        if !overflow { (bytes, overflow) = bytes.multipliedReportingOverflow(by: elements) }
        guard !overflow, bytes <= contentLimit else {
            throw Failure(
                .badData, file, "\(path) claims \(shape) elements, more than the file can hold: it is damaged")
        }
        return elements
    }

    /// The element's own type, or the file's enumeration over that type.
    private func memoryType<Element: HDF5Element>(of element: Element.Type) throws -> Datatype {
        switch (type, Element.typeDescription) {
        case (.enumeration(let bytes, let signed, _), let wanted)
        where wanted == .integer(bytes: bytes, signed: signed):
            return Datatype(H5Dget_type(identifier))
        case (let found, let wanted) where found == wanted:
            return Datatype(H5Tcopy(Element.memoryType))
        case (let found, let wanted):
            throw Failure(.badData, file, field: path, expected: "\(wanted)", found: "\(found)")
        }
    }

    /// Calls `body` with the dataspaces in memory and in the file that select `rows`.
    private func transfer(rows: Range<Int>, isWriting: Bool = false, _ body: (Int64, Int64) -> herr_t) throws {
        func call(_ memory: Int64, _ space: Int64) throws {
            if isWriting {
                try HDF5Library.write(in: owner, file, "\(path) could not be written") { body(memory, space) }
            } else {
                try HDF5Library.call(.badData, file, "\(path) could not be read") { body(memory, space) }
            }
        }
        let shape = shape
        guard !shape.isEmpty else { return try call(fovea_all, fovea_all) }
        let space = Dataspace(H5Dget_space(identifier))
        try space.select(rows: rows, file: file)
        let memory = try Dataspace([rows.count] + shape.dropFirst(), file: file)
        try call(memory.id, space.id)
    }
}
