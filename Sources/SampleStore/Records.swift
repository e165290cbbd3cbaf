import Cohorts
import Files
import Foundation

/// One synthetic photograph, and what was asked for.
public struct SampleRecord: Sendable {
    /// [height, width, 3], RGB.
    public var pixels: [UInt8]
    /// What was asked for. An attribute that is absent was left open; the value `unknown` asks for the unknown token.
    public var cohort: Cohort
    /// Requests for ordinal attributes, on the line of each attribute's codes: 2.5 lies between the codes 2 and 3. A
    /// request for a whole number is also stored as the code.
    public var requests: [String: Float]
    /// The text of the joined request for which the sample was drawn as one of several cohorts, such as
    /// `age_band=70-79|80+`; nil where `cohort` is all that was asked for.
    public var asked: String?
    public var seed: UInt64
    /// The sample's number under its seed.
    public var index: UInt64
    /// The weight of each site's adapter, in the order of the writer's `siteNames`.
    public var siteWeights: [Float]
    /// Structure maps in the order of the writer's `structures`, [height, width] each. A pixel is 0 where the structure
    /// is absent and 255 where it is certain.
    public var maps: [[UInt8]]
    /// The row of the sample that this one shows in another cohort; nil where the sample is no counterfactual.
    public var original: Int?

    public init(
        pixels: [UInt8], cohort: Cohort = Cohort(), requests: [String: Float] = [:], asked: String? = nil,
        seed: UInt64, index: UInt64, siteWeights: [Float] = [], maps: [[UInt8]] = [], original: Int? = nil
    ) {
        self.pixels = pixels
        self.cohort = cohort
        self.requests = requests
        self.asked = asked
        self.seed = seed
        self.index = index
        self.siteWeights = siteWeights
        self.maps = maps
        self.original = original
    }
}

/// How one run of the sampler was set up: everything but model, seed and cohort that its samples depend on.
public struct RunRecord: Hashable, Sendable, Codable {
    public var modelDigest: Digest
    /// The step rule, such as `heun`.
    public var sampler: String
    /// A JSON object with at least `sigma_min`, `sigma_max`, `rho` and `steps`.
    public var schedule: String
    public var steps: Int
    /// The guidance scale; 1 means no guidance.
    public var guidance: Float
    /// What somebody must know who uses the samples; nil for nothing.
    public var warnings: RunWarnings?
    public var toolVersion: String
    public var openBLASVersion: String
    /// The kernels that OpenBLAS chose, such as `Zen`.
    public var blasCore: String
    /// The vector code that was chosen, such as `v4`.
    public var kernelISA: String
    /// When the run began. The file holds whole seconds.
    public var started: Date
    /// When the run ended; nil until then.
    public var finished: Date?

    public init(
        modelDigest: Digest, sampler: String, schedule: String, steps: Int, guidance: Float,
        warnings: RunWarnings? = nil, toolVersion: String = ToolVersion.current, openBLASVersion: String,
        blasCore: String, kernelISA: String,
        started: Date, finished: Date? = nil
    ) {
        self.modelDigest = modelDigest
        self.sampler = sampler
        self.schedule = schedule
        self.steps = steps
        self.guidance = guidance
        self.warnings = warnings.flatMap { $0.isEmpty ? nil : $0 }
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
    /// The model's manifest as JSON.
    public var manifestJSON: String
    /// The model's `Lineage` as JSON.
    public var lineageJSON: String
    /// The lineage as W3C PROV-JSON.
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

/// Names and fixed values that every sample set has.
public enum SampleSet {
    public static let kind = "fovea.samples"
    public static let version = 1
    /// What `/provenance/joined` holds for a sample whose request is not joined.
    static let notJoined: Int32 = -1
    /// What `/provenance/original` holds for a sample that is no counterfactual.
    static let noOriginal: Int64 = -1
    /// The structures of which a set may hold a map for each sample.
    public static let structures: Set = [
        "vessels", "optic_disc", "optic_cup", "macula", "bright_lesions", "dark_lesions", difference,
    ]
    /// The map of the difference between a counterfactual and its original.
    public static let difference = "difference"
    /// The IPTC's term for pictures that a trained model made.
    public static let digitalSourceType = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    /// The datasets and attributes that differ between two runs that make the same samples. The content digest leaves
    /// them out.
    public static let momentPaths: Set = ["/runs/started", "/runs/finished", "created"]
}
