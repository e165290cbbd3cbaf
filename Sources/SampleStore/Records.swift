import Cohorts
import Files
import Foundation

/// One synthetic photograph and how it was asked for.
public struct SampleRecord: Sendable {
    /// [height, width, 3], RGB.
    public var pixels: [UInt8]
    /// What was asked for; an attribute that is absent was left open, the value `unknown` asked for the unknown token.
    public var cohort: Cohort
    /// Ordinal requests by attribute, on the line of its codes: 2.5 lies between 2 and 3. Whole ones become the code,
    /// too.
    public var requests: [String: Float]
    public var seed: UInt64
    /// The sample's number under its seed.
    public var index: UInt64
    /// Weight of each site's adapter, in the order of the writer's `siteNames`.
    public var siteWeights: [Float]
    /// Structure maps in the order of the writer's `structures`, [height, width] each: 0 for none, 255 for certain.
    public var maps: [[UInt8]]

    public init(
        pixels: [UInt8], cohort: Cohort = Cohort(), requests: [String: Float] = [:], seed: UInt64, index: UInt64,
        siteWeights: [Float] = [], maps: [[UInt8]] = []
    ) {
        self.pixels = pixels
        self.cohort = cohort
        self.requests = requests
        self.seed = seed
        self.index = index
        self.siteWeights = siteWeights
        self.maps = maps
    }
}

/// How one run of the sampler was set up: everything that its samples depend on besides model, seed and cohort.
public struct RunRecord: Hashable, Sendable, Codable {
    public var modelDigest: Digest
    /// The step rule, such as `heun`.
    public var sampler: String
    /// JSON object: at least `sigma_min`, `sigma_max`, `rho` and `steps`.
    public var schedule: String
    public var steps: Int
    /// 1 means none.
    public var guidance: Float
    public var toolVersion: String
    public var openBLASVersion: String
    /// The kernels that OpenBLAS chose, such as `Zen`.
    public var blasCore: String
    /// The vector code that was chosen, such as `v4`.
    public var kernelISA: String
    /// Whole seconds are stored.
    public var started: Date
    /// Nil until the run has ended.
    public var finished: Date?

    public init(
        modelDigest: Digest, sampler: String, schedule: String, steps: Int, guidance: Float,
        toolVersion: String = ToolVersion.current, openBLASVersion: String, blasCore: String, kernelISA: String,
        started: Date, finished: Date? = nil
    ) {
        self.modelDigest = modelDigest
        self.sampler = sampler
        self.schedule = schedule
        self.steps = steps
        self.guidance = guidance
        self.toolVersion = toolVersion
        self.openBLASVersion = openBLASVersion
        self.blasCore = blasCore
        self.kernelISA = kernelISA
        self.started = started
        self.finished = finished
    }
}

/// A model that made samples, and where it comes from.
public struct ModelRecord: Hashable, Sendable, Codable {
    public var digest: Digest
    /// The manifest, JSON.
    public var manifestJSON: String
    /// Base, parcels, sites and merge rule, JSON.
    public var lineageJSON: String
    /// The same as W3C PROV-JSON.
    public var provJSON: String

    public init(digest: Digest, manifestJSON: String, lineageJSON: String, provJSON: String) {
        self.digest = digest
        self.manifestJSON = manifestJSON
        self.lineageJSON = lineageJSON
        self.provJSON = provJSON
    }
}

/// What may be done with the samples, and whom to ask.
public struct Terms: Hashable, Sendable, Codable {
    public var licence: String
    public var attribution: String
    public var permittedUses: String
    public var contact: String

    public init(licence: String, attribution: String, permittedUses: String, contact: String) {
        self.licence = licence
        self.attribution = attribution
        self.permittedUses = permittedUses
        self.contact = contact
    }

    enum CodingKeys: String, CodingKey {
        case licence, attribution, contact
        case permittedUses = "permitted_uses"
    }
}

/// Names of what every sample set says of itself.
public enum SampleSet {
    public static let kind = "fovea.samples"
    public static let version = 1
    /// Structures of which a set may hold a map for each sample.
    public static let structures: Set = ["vessels"]
    /// The IPTC's term for pictures that a trained model made.
    public static let digitalSourceType = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    /// Datasets that differ between two runs that make the same samples; the content digest leaves them out.
    public static let momentPaths: Set = ["/runs/started", "/runs/finished", "created"]
}
