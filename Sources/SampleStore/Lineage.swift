import Files
import Foundation

/// Where a model comes from, `/models/<digest>/lineage`: bases, parcels or adapters that were mixed in, and training sets.
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

        public init(name: String, digest: String, weight: Double, trainingSets: [TrainingSet]?) {
            self.name = name
            self.digest = digest
            self.weight = weight
            self.trainingSets = trainingSets
        }

        enum CodingKeys: String, CodingKey {
            case name, digest, weight
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
        model: String, imagesSeen: Int?, parents: [String], sites: [String], parcels: [Parcel], trainingSets: [TrainingSet]
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

    /// Sorted keys: the same lineage gives the same bytes.
    public func json() throws -> String { try JSONText.encoded(self) }

    /// - Throws: `Failure(.badData)` naming the key.
    public init(json: String, place: String) throws {
        self = try JSONText.decode(Lineage.self, Data(json.utf8), place: place)
    }
}
