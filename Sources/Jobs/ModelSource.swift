import Files
import Foundation
import Models

/// The model that makes samples: a snapshot into which adapters may be mixed by weight.
public struct ModelSource: Sendable {
    /// One adapter, in the file `NAME.adapter.safetensors`, `NAME.safetensors` or `NAME.parcel`.
    public struct Part: Sendable {
        public let name: String
        /// The weight of the adapter, 0 to 1.
        public let weight: Double

        public init(name: String, weight: Double) {
            self.name = name
            self.weight = weight
        }
    }

    public var snapshot: String
    /// The adapters to mix in. Their weights sum to at most 1.
    public var mix: [Part] = []
    /// The folder of the adapters; nil for the folder of the snapshot.
    public var adapters: String?

    public init(_ snapshot: String) { self.snapshot = snapshot }

    /// Checks the mixture.
    /// - Throws: `Failure(.usage)` where a name or a weight is not valid.
    func validate() throws {
        func refuse(_ expected: String, _ found: String) -> Failure {
            Failure(.usage, option: "mix", expected: expected, found: found)
        }
        if adapters != nil, mix.isEmpty {
            throw Failure(.usage, option: "adapters", "adapters are mixed in by weight, and no mixture is given")
        }
        for (place, part) in mix.enumerated() {
            guard (0...1).contains(part.weight) else { throw refuse("weights from 0 to 1", "\(part.weight)") }
            let isPlain = part.name.utf8.allSatisfy {
                UInt8(ascii: "-")...UInt8(ascii: "z") ~= $0 && $0 != UInt8(ascii: "/")
            }
            guard isPlain, !part.name.isEmpty, !part.name.hasPrefix(".") else {
                throw refuse("names of files, without folders", part.name.printable)
            }
            guard !mix[..<place].contains(where: { $0.name == part.name }) else {
                throw refuse("each name once", part.name)
            }
        }
        let sum = mix.reduce(0) { $0 + $1.weight }
        // A larger sum would give the base a negative share.
        guard sum <= 1 + 1e-9 else { throw refuse("weights that sum to at most 1", "a sum of \(sum.short)") }
    }

    /// Loads the snapshot and mixes the adapters in.
    /// - Throws: `Failure` where a file is missing or not valid, or an adapter is of another base.
    func load() throws -> LoadedModel {
        let loaded = try LoadedModel(contentsOf: snapshot)
        guard !mix.isEmpty else { return loaded }
        let folder = adapters ?? URL(fileURLWithPath: snapshot).deletingLastPathComponent().path
        return try loaded.mixing(
            mix.map { part in
                let paths = ["adapter.safetensors", "safetensors", "parcel"].map { "\(folder)/\(part.name).\($0)" }
                return (
                    part.name, paths.first { FileManager.default.fileExists(atPath: $0) } ?? paths[0], part.weight
                )
            })
    }
}

extension ModelSource {
    /// Reads a mixture from a text such as `name=weight,...`.
    /// - Throws: `Failure(.usage)` where the text has another form.
    public static func mixture(_ text: String) throws -> [Part] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2, let weight = Double(sides[1]), weight >= 0, weight <= 1 else {
                throw Failure(
                    .usage, option: "mix", expected: "name=weight,... with weights from 0 to 1", found: text.printable)
            }
            return Part(name: sides[0], weight: weight)
        }
    }
}
