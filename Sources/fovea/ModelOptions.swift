import ArgumentParser
import Files
import Foundation
import Models

/// The model that makes samples.
struct ModelOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A snapshot.", valueName: "snapshot"))
    var model: String

    @Option(
        help: ArgumentHelp(
            "Adapters to mix in by weight, NAME.adapter.safetensors, NAME.safetensors or NAME.parcel each.",
            valueName: "name=weight,..."))
    var mix: String?

    @Option(help: ArgumentHelp("Where the adapters are (default: the folder of the model).", valueName: "folder"))
    var adapters: String?

    func validate() throws {
        if adapters != nil, mix == nil {
            throw ValidationError("--adapters: expected --mix, which of them and how much")
        }
    }

    /// - Throws: `Failure` where a file is none, or an adapter is of another base.
    func load() throws -> LoadedModel {
        let loaded = try LoadedModel(contentsOf: model)
        guard let mix = try mix.map(Mixture.init) else { return loaded }
        let folder = adapters ?? URL(fileURLWithPath: model).deletingLastPathComponent().path
        return try loaded.mixing(
            mix.parts.map { name, weight in
                let paths = ["adapter.safetensors", "safetensors", "parcel"].map { "\(folder)/\(name).\($0)" }
                return (name, paths.first { FileManager.default.fileExists(atPath: $0) } ?? paths[0], weight)
            })
    }
}

/// `name=weight,...`: adapters by name.
private struct Mixture {
    let parts: [(name: String, weight: Double)]

    /// - Throws: `Failure(.usage)`.
    init(_ text: String) throws {
        func refuse(_ expected: String) -> Failure {
            Failure(.usage, nil, field: "--mix", expected: expected, found: text)
        }
        var parts: [(name: String, weight: Double)] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2, let weight = Double(sides[1]), weight >= 0, weight <= 1 else {
                throw refuse("name=weight,... with weights from 0 to 1")
            }
            let letters = sides[0].utf8.allSatisfy {
                UInt8(ascii: "-")...UInt8(ascii: "z") ~= $0 && $0 != UInt8(ascii: "/")
            }
            guard letters, !sides[0].hasPrefix(".") else { throw refuse("names of files, without folders") }
            guard !parts.contains(where: { $0.name == sides[0] }) else { throw refuse("each name once") }
            parts.append((sides[0], weight))
        }
        // More would leave the base behind it with a negative share.
        guard parts.reduce(0, { $0 + $1.weight }) <= 1 + 1e-9 else { throw refuse("weights that sum to at most 1") }
        self.parts = parts
    }
}
