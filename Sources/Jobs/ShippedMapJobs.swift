import Cohorts

/// Lists the maps of public data sets that come with the program.
public struct MapListJob: Job {
    public init() {}

    public struct Outcome: JobOutcome {
        public struct Entry: Encodable, Sendable {
            public let name: String
            /// The release of the data set.
            public let release: String
            /// Whether the map reads a table. The others read the photographs' names alone.
            public let table: Bool
        }

        public let maps: [Entry]

        public var lines: [String] {
            let width = maps.map(\.name.count).max() ?? 0
            return maps.map { map in
                map.name + String(repeating: " ", count: width + 2 - map.name.count) + map.release
                    + (map.table ? "" : " (no table)")
            }
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        Outcome(
            maps: try ShippedMap.all.map { shipped in
                let map = try shipped.map()
                return .init(name: shipped.name, release: map.release ?? "", table: map.readsTable)
            })
    }
}

/// Shows a map that comes with the program, with its remarks.
public struct MapShowJob: Job {
    public var name: String

    public init(_ name: String) { self.name = name }

    public struct Outcome: JobOutcome {
        public let name: String
        /// The map as YAML.
        public let map: String

        public var lines: [String] {
            map.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).dropLast(
                map.hasSuffix("\n") ? 1 : 0)
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let shipped = try ShippedMap(name)
        return Outcome(name: shipped.name, map: shipped.text)
    }
}
