import Yams

/// A public data set that is known by the columns of its table, with the map that comes with the program.
struct KnownSet {
    let shipped: ShippedMap
    private let map: LabelMap
    private let columns: Set<String>

    /// The set whose columns a table has; of several, the one with the most columns.
    static func of(_ columns: [String]) -> KnownSet? {
        let columns = Set(columns)
        var best: (set: KnownSet, known: Int)?
        for shipped in ShippedMap.all {
            guard let map = try? shipped.map() else { fatalError("the map \(shipped.name) cannot be read") }
            // A table without a header cannot be told by its columns.
            guard map.readsTable, map.columns == nil else { continue }
            let known = map.knownBy.isEmpty ? map.usedColumns : Set(map.knownBy)
            if known.isSubset(of: columns), known.count > best?.known ?? 0 {
                best = (KnownSet(shipped: shipped, map: map, columns: columns), known.count)
            }
        }
        return best?.set
    }

    /// The attributes whose columns the table has.
    var attributes: [String] {
        let entries = map.attributes + map.files.flatMap(\.attributes)
        return CohortSchema.attributes.map(\.name).filter { name in
            entries.contains { $0.attribute.name == name && fits($0) }
        }
    }

    /// The columns of the table that the map uses.
    var usedColumns: Set<String> { map.usedColumns.intersection(columns) }

    /// The map as lines of YAML, without attributes whose columns the table lacks.
    func lines() throws -> [String] {
        guard case .mapping(var root)? = try Yams.compose(yaml: shipped.text) else { return [] }
        root["known_by"] = nil
        if case .column(let column, _) = map.patient, !columns.contains(column) { root["patient"] = nil }
        root["attributes"] = pruned(root["attributes"], map.attributes)
        if case .sequence(var files)? = root["files"] {
            for (index, file) in map.files.enumerated() {
                guard case .mapping(var node) = files[index] else { continue }
                node["attributes"] = pruned(node["attributes"], file.attributes)
                files[index] = .mapping(node)
            }
            root["files"] = .sequence(files)
        }
        return try Yams.serialize(node: .mapping(root), width: -1, allowUnicode: true)
            .split(separator: "\n").map(String.init)
    }

    private func fits(_ entry: LabelMap.Entry) -> Bool { columns.isSuperset(of: entry.source.columns) }

    private func pruned(_ node: Node?, _ entries: [LabelMap.Entry]) -> Node? {
        guard case .mapping(var mapping)? = node else { return nil }
        for entry in entries where !fits(entry) { mapping[Node(entry.attribute.name)] = nil }
        return mapping.isEmpty ? nil : .mapping(mapping)
    }
}
