import CheckpointStore
import Diffusion
import Federation
import Files
import Foundation

extension Round {
    /// How the coordinator asks the sites to train. Size and network come from the base.
    public struct Training: Codable, Hashable, Sendable {
        /// What is trained: an adapter of a kind, or all weights.
        public enum Tuning: String, Codable, CaseIterable, Sendable {
            case ffa, lora, full
        }

        public var adapter: Tuning?
        /// The number of training images that each site sees.
        public var images: Int?
        /// The purposes that the sites are asked to permit, as sorted codes of the Data Use Ontology.
        public var purposes: [String]?
        /// SHA-256 of `train.yaml` in the round's folder; nil where there is none.
        public var settings: Digest?

        public init() {}

        /// Whether nothing is asked for.
        public var isEmpty: Bool { self == Training() }

        /// One clause on what is wrong, or nil.
        var problem: String? {
            if let images, !(1...1_000_000_000).contains(images) {
                return "images: expected 1 to 1000000000, found \(images)"
            }
            return nil
        }
    }

    /// The settings file that the coordinator gave; nil where there is none.
    /// - Throws: `Failure(.notPermitted)` where the file is not the one that the coordinator signed for;
    ///   `Failure(.noSuchInput)`; `Failure(.readOrWriteFailed)`.
    public func settingsPath() throws -> String? {
        guard let wanted = request.training?.settings else { return nil }
        let path = Round.file(Round.settingsName, in: folder), found = try Digest(ofFile: path)
        guard found == wanted else {
            throw Failure(
                .notPermitted, path, field: "digest", expected: "\(wanted), after round.json", found: "\(found)")
        }
        return path
    }

    /// Checks, before a parcel is sealed, that the round asks for one with this statement (its site, its base and its
    /// round), and that the site has not delivered another one that would stand beside it.
    /// - Parameters:
    ///   - path: the weights, for errors.
    ///   - output: where the parcel will be written; a parcel at this path is replaced as a file.
    /// - Throws: `Failure(.notPermitted)` naming what the round asks for.
    public func requireAsked(_ statement: ParcelStatement, path: String, output: String) throws {
        func require(_ field: String, _ expected: String, _ found: String) throws {
            guard expected != found else { return }
            throw Failure(.notPermitted, path, field: field, expected: "\(expected), as \(folder) asks", found: found)
        }
        guard request.sites.contains(statement.site) else {
            throw Failure(
                .notPermitted, path, field: "site",
                expected: "\(request.sites.joined(separator: ", ")), whom \(folder) asks", found: statement.site)
        }
        try require("round", "\(request.round)", "\(statement.round)")
        try require("base", request.base.description, statement.base)
        guard closing == nil else {
            throw Failure(.notPermitted, folder, "is closed: the round takes no more parcels")
        }
        func real(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        let own = parcels.filter { real($0) != real(output) }
            .compactMap { try? Parcel<ModelDescription>(contentsOf: $0) }
            .filter { trust.name(of: $0.signer) == statement.site && $0.statement.round == statement.round }
        let replaced = Set((own.map(\.statement) + [statement]).compactMap(\.replaces))
        if let other = own.first(where: { !replaced.contains($0.digest) }) {
            throw Failure(
                .notPermitted, other.path,
                "is a parcel of \(statement.site) for round \(request.round), and the round takes one of each site",
                remedy: .replaceParcel)
        }
    }
}
