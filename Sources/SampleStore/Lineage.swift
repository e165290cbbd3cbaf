import Files
import Foundation
import Foundation

/// Where a model comes from, `/models/<digest>/lineage`: bases, parcels or adapters that were mixed in, and training
/// sets.
public struct Lineage: Codable, Hashable, Sendable {
    /// Photographs that weights were trained on; nothing that names a patient.
    public struct TrainingSet: Codable, Hashable, Sendable {
        public var digest: String
        public var site: String
        public var licence: String
        /// Patients, rounded to 5; nil where a file of older versions does not say.
        public var patients: Int?
        /// Whether its pictures were drawn and show no patient.
        public var synthetic: Bool?

        public init(digest: String, site: String, licence: String, patients: Int? = nil, synthetic: Bool? = nil) {
            self.digest = digest
            self.site = site
            self.licence = licence
            self.patients = patients
            self.synthetic = synthetic
        }
    }

    /// Weights that were mixed or merged in.
    public struct Parcel: Codable, Hashable, Sendable {
        public var name: String
        public var digest: String
        public var weight: Double
        public var trainingSets: [TrainingSet]?
        /// The round that it was merged in, by the site of that name, and how; nil where it was mixed in.
        public var round: Int?
        public var rule: String?

        public init(
            name: String, digest: String, weight: Double, trainingSets: [TrainingSet]?, round: Int? = nil,
            rule: String? = nil
        ) {
            self.name = name
            self.digest = digest
            self.weight = weight
            self.trainingSets = trainingSets
            self.round = round
            self.rule = rule
        }

        /// What it is to the model, for people.
        public var relation: String {
            let share = String(format: "%.3g", weight)
            return round.map { "merged in round \($0) by \(rule ?? "mean") with \(share)" } ?? "mixed in with \(share)"
        }

        enum CodingKeys: String, CodingKey {
            case name, digest, weight, round, rule
            case trainingSets = "training_sets"
        }
    }

    /// The model's digest, 64 hexadecimal digits.
    public var model: String
    /// Training images that it saw.
    public var imagesSeen: Int?
    /// Digests of the weights that its training began with, nearest first: each came from the next.
    public var parents: [String]
    public var sites: [String]
    public var parcels: [Parcel]
    public var trainingSets: [TrainingSet]

    public init(
        model: String, imagesSeen: Int?, parents: [String], sites: [String], parcels: [Parcel],
        trainingSets: [TrainingSet]
    ) {
        self.model = model
        self.imagesSeen = imagesSeen
        self.parents = parents
        self.sites = sites
        self.parcels = parcels
        self.trainingSets = trainingSets
    }

    enum CodingKeys: String, CodingKey {
        case model, parents, sites, parcels
        case imagesSeen = "images_seen"
        case trainingSets = "training_sets"
    }

    /// Every site that the model comes from.
    public var allSites: Set<String> {
        Set(sites).union(trainingSets.map(\.site)).union(parcels.flatMap { $0.trainingSets ?? [] }.map(\.site)).union(
            parcels.filter { $0.round != nil }.map(\.name))
    }

    /// Sorted keys: the same lineage gives the same bytes.
    public func json() throws -> String { try JSONText.encoded(self) }

    /// - Throws: `Failure(.badData)` naming the key.
    public init(json: String, place: String) throws {
        self = try JSONText.decode(Lineage.self, Data(json.utf8), place: place)
    }
}
