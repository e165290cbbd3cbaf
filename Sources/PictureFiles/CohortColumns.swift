import Cohorts
import Files
import HDF5Files

extension CohortSchema {
    /// Refuses labels that the schema does not name: if they silently became unknown, they would be lost.
    ///
    /// - Parameter row: the row that the message names.
    /// - Throws: `Failure(.badData)`.
    package static func require(_ cohort: Cohort, row: Int, file: String) throws {
        for (name, value) in cohort.values.sorted(by: { $0.key < $1.key }) {
            guard let attribute = attribute(name) else {
                let known = attributes.map(\.name).joined(separator: ", ")
                throw Failure(
                    .badData, file, field: "cohort of row \(row)", expected: "an attribute of the schema (\(known))",
                    found: name)
            }
            let isKnown = attribute.isOpen ? !value.isEmpty && value != "unspecified" : attribute.names.contains(value)
            guard isKnown || value == "unknown" else {
                let allowed = attribute.isOpen ? "a name" : (attribute.names + ["unknown"]).joined(separator: ", ")
                throw Failure(.badData, file, field: "\(name) of row \(row)", expected: allowed, found: "\"\(value)\"")
            }
        }
    }
}

extension CohortColumn {
    /// Writes [codes.count] int16 codes with their names, and the name `unknown` for -1.
    /// - Parameter isRequest: whether -2 gets a name, too: `unspecified`.
    /// - Throws: `Failure`: `.badData` for names that HDF5 cannot hold, `.readOrWriteFailed`.
    @HDF5Actor
    package func write(to group: HDF5Group, isRequest: Bool) throws {
        let dataset = try create(in: group, count: codes.count, isRequest: isRequest)
        try dataset.write(codes, rows: 0..<codes.count)
    }

    /// Creates the dataset that `write` fills.
    /// - Throws: the same as `write`.
    @HDF5Actor
    package func create(in group: HDF5Group, count: Int, isRequest: Bool) throws -> HDF5Dataset {
        var members = names.enumerated().map { (name: $1, code: Int16($0)) }
        members.insert((name: "unknown", code: Attribute.unknown), at: 0)
        if isRequest { members.insert((name: "unspecified", code: Attribute.unspecified), at: 0) }
        return try group.create(attribute.name, members: members, count: count)
    }

    /// Reads the column of `attribute` that `write` wrote.
    ///
    /// - Throws: `Failure(.badData)` if the column is missing, has other names than the schema, or has codes without
    ///   a name.
    @HDF5Actor
    package init(_ attribute: Attribute, from group: HDF5Group, count: Int, isRequest: Bool) throws {
        let dataset = try group.dataset(attribute.name)
        guard case .enumeration(2, true, var members) = dataset.type else {
            throw Failure(
                .badData, dataset.file, field: dataset.path, expected: "an enum of int16", found: "\(dataset.type)")
        }
        try dataset.require(shape: [count])
        let expected = isRequest ? [Attribute.unknown, Attribute.unspecified] : [Attribute.unknown]
        for code in expected {
            let name = code == Attribute.unknown ? "unknown" : "unspecified"
            guard members.removeValue(forKey: name) == Int(code) else {
                throw Failure(
                    .badData, dataset.file, field: dataset.path, expected: "the name \(name) for \(code)",
                    found: "another code")
            }
        }
        let sorted = members.sorted { $0.value < $1.value }
        let names = sorted.map(\.key)
        guard sorted.map(\.value) == Array(0..<names.count), attribute.isOpen || names == attribute.names else {
            let wanted = attribute.isOpen ? "codes from 0 without a gap" : attribute.names.joined(separator: ", ")
            let found = sorted.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
            throw Failure(.badData, dataset.file, field: "names of \(dataset.path)", expected: wanted, found: found)
        }
        let codes = try dataset.readAll(Int16.self)
        let lowest = isRequest ? Attribute.unspecified : Attribute.unknown
        if let row = codes.firstIndex(where: { $0 < lowest || Int($0) >= names.count }) {
            throw Failure(
                .badData, dataset.file, field: "\(dataset.path) row \(row)", expected: "a code that has a name",
                found: "\(codes[row])")
        }
        self.init(attribute: attribute, names: names, codes: codes)
    }

    /// The number of rows by name of the code, with `unknown` and `unspecified` where they occur.
    package var counts: [String: Int] { counts { _ in true } }

    /// The same counts, over the rows for which `isCounted` is true.
    package func counts(where isCounted: (Int) -> Bool) -> [String: Int] {
        codes.enumerated().reduce(into: [:]) { counts, row in
            guard isCounted(row.offset) else { return }
            let code = row.element
            let name =
                code == Attribute.unknown ? "unknown" : code == Attribute.unspecified ? "unspecified" : names[Int(code)]
            counts[name, default: 0] += 1
        }
    }
}

extension HDF5Dataset {
    /// Reads whole rows in any order.
    /// - Returns: [rows.count, the other dimensions].
    /// - Throws: `Failure(.badData)`.
    package func readRows(_ rows: [Int]) throws -> [UInt8] {
        let rowSize = shape.dropFirst().reduce(1, *)
        return try [UInt8](unsafeUninitializedCapacity: rows.count * rowSize) { buffer, initialized in
            for (index, row) in rows.enumerated() {
                let target = UnsafeMutableBufferPointer(rebasing: buffer[index * rowSize..<(index + 1) * rowSize])
                try read(into: UnsafeMutableRawBufferPointer(target), UInt8.self, rows: row..<row + 1)
                initialized += rowSize
            }
        }
    }

    /// Compares the SHA-256 of every row of pixels with `digests`, one row at a time.
    /// - Throws: `Failure`: `.checkFailed` that names the first rows that differ; `.badData` for rows that cannot be
    ///   read.
    package func requireDigests(_ digests: [Digest]) throws {
        var bad: [Int] = []
        for (row, digest) in digests.enumerated() {
            if Digest(of: try readRows([row])) != digest { bad.append(row) }
        }
        guard bad.isEmpty else {
            let shown = bad.prefix(10).map(String.init).joined(separator: ", ") + (bad.count > 10 ? ", ..." : "")
            throw Failure(
                .checkFailed, file, "\(path): the pixels of \(bad.count) rows differ from their digests (rows \(shown))"
            )
        }
    }
}

extension HDF5Group {
    /// Reads [count, 32] bytes as digests.
    /// - Throws: `Failure(.badData)`.
    package func readDigests(_ name: String, count: Int) throws -> [Digest] {
        let dataset = try dataset(name)
        try dataset.require(UInt8.self, shape: [count, 32])
        let bytes = try dataset.readAll(UInt8.self)
        return (0..<count).compactMap { Digest(bytes: Array(bytes[$0 * 32..<($0 + 1) * 32])) }
    }

    /// The dataset `/images`, which is checked: uint8 [N, H, W, 3] with at least one row, sides of 1 to 16384 pixels,
    /// and all content in this file.
    /// - Throws: `Failure(.badData)`.
    package func readImages() throws -> HDF5Dataset {
        let images = try dataset("images")
        try images.require(UInt8.self, shape: [nil, nil, nil, 3])
        let shape = images.shape
        guard shape[0] > 0, (1...16384).contains(shape[1]), (1...16384).contains(shape[2]) else {
            throw Failure(
                .badData, file, field: "/images shape", expected: "pictures of 1 to 16384 pixels", found: "\(shape)")
        }
        // A row takes at least one byte in the file. This limits the memory that a hostile file can make anyone
        // allocate.
        guard shape[0] <= images.storedByteCount else {
            throw Failure(
                .badData, file, field: "/images", expected: "\(shape[0]) pictures",
                found: "\(images.storedByteCount) stored bytes")
        }
        return images
    }
}
