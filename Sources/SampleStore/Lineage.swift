import Files
import Foundation
import Foundation

/// Where a model comes from, `/models/<digest>/lineage`: its bases, the parcels or adapters that were mixed in, and its
/// training sets.
public struct Lineage: Codable, Hashable, Sendable {
    /// A set of photographs that weights were trained on. It holds nothing that names a patient.
    public struct TrainingSet: Codable, Hashable, Sendable {
        /// The digest of the training set.
        public var digest: String
        public var site: String
        public var licence: String
        /// The number of patients, rounded to 5; nil where a file of an older version does not say it.
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
        /// The share with which the weights went in.
        public var weight: Double
        /// The sets that these weights were trained on; nil where a file does not say it.
        public var trainingSets: [TrainingSet]?
        /// The round in which the parcel of the site `name` was merged; nil where the weights were mixed in.
        public var round: Int?
        /// The rule of that merge; nil where the weights were mixed in.
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

        /// How these weights went into the model, in words.
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
    /// The number of training images that the model saw.
    public var imagesSeen: Int?
    /// Digests of the weights that the model's training began with, the nearest first. Each of them came from the next.
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

    /// JSON with sorted keys, so that the same lineage gives the same bytes.
    /// - Throws: an `EncodingError` where a weight is not finite.
    public func json() throws -> String { try JSONText.encoded(self) }

    /// Reads JSON.
    /// - Parameter place: the file that errors name.
    /// - Throws: `Failure(.badData)` naming the key that is missing or wrong.
    public init(json: String, place: String) throws {
        self = try JSONText.decode(Lineage.self, Data(json.utf8), place: place)
    }
}
