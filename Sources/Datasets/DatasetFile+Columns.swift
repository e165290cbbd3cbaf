import Files
import HDF5Files
import Pictures

extension DatasetFile {
    @HDF5Actor
    static func splits(_ root: HDF5Group, count: Int) throws -> [Split] {
        let dataset = try root.dataset("split")
        let members = Dictionary(uniqueKeysWithValues: Split.allCases.map { ("\($0)", Int($0.rawValue)) })
        guard dataset.type == .enumeration(bytes: 1, signed: true, members: members) else {
            throw Failure(
                .badData, root.file, field: "/split", expected: "an enum of int8 (train, validation, holdout)",
                found: "\(dataset.type)")
        }
        try dataset.require(shape: [count])
        return try dataset.readAll(Int8.self).enumerated().map { row, code in
            guard let split = Split(rawValue: code) else {
                throw Failure(.badData, root.file, field: "/split row \(row)", expected: "0, 1 or 2", found: "\(code)")
            }
            return split
        }
    }

    @HDF5Actor
    static func strings(_ root: HDF5Group, _ name: String, count: Int) throws -> [String] {
        let dataset = try root.dataset(name)
        try dataset.require(shape: [count])
        return try dataset.readStrings()
    }

    @HDF5Actor
    static func visits(_ root: HDF5Group, count: Int) throws -> [Int32] {
        let dataset = try root.dataset("visit")
        try dataset.require(Int32.self, shape: [count])
        return try dataset.readAll()
    }

    @HDF5Actor
    static func fieldsOfView(_ root: HDF5Group, count: Int) throws -> [FieldOfView] {
        let dataset = try root.dataset("field_of_view")
        try dataset.require(Float.self, shape: [count, 5])
        let values = try dataset.readAll(Float.self)
        if let bad = values.firstIndex(where: { !$0.isFinite }) {
            throw Failure(
                .badData, root.file, field: "/field_of_view row \(bad / 5)", expected: "numbers",
                found: "\(values[bad])")
        }
        return stride(from: 0, to: values.count, by: 5).map {
            FieldOfView(
                centerX: values[$0], centerY: values[$0 + 1], radius: values[$0 + 2], top: values[$0 + 3],
                bottom: values[$0 + 4])
        }
    }

    @HDF5Actor
    static func masks(_ root: HDF5Group, count: Int, size: Int) throws -> [String: HDF5Dataset] {
        guard try root.contains("masks") else { return [:] }
        let group = try root.group("masks")
        var masks: [String: HDF5Dataset] = [:]
        for name in try group.names {
            let mask = try group.dataset(name)
            try mask.require(UInt8.self, shape: [count, size, size])
            masks[name] = mask
        }
        return masks
    }
}
