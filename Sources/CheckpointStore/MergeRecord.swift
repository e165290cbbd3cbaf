import Files

/// How weights were merged, in the manifest of the result. It suffices to repeat the merge with the same parcels.
public struct MergeRecord: Codable, Hashable, Sendable {
    /// What a site's share is proportional to.
    public enum Weighting: String, Codable, CaseIterable, Sendable {
        case patients
        case images
        case equal
    }

    /// How the numbers of the sites become one number.
    public enum Rule: String, Codable, CaseIterable, Sendable {
        /// The weighted mean (McMahan et al. 2017, "Communication-efficient learning of deep networks").
        case mean
        /// The weighted mean of the products A B that low-rank adapters stand for. It is exact if both factors were
        /// trained (Wang et al. 2024, "FLoRA").
        case stack
        /// The mean of `stack`, then cut to the adapters' own rank.
        case svd
        /// The median of each coordinate (Yin et al. 2018, "Byzantine-robust distributed learning").
        case median
        /// The mean of each coordinate without its largest and smallest values (the same paper).
        case trimmedMean = "trimmed-mean"

        /// Whether every site counts the same. The robust rules ignore shares, because a share is a site's own claim.
        public var countsHeads: Bool { self == .median || self == .trimmedMean }
    }

    /// The choices that the coordinator makes for a merge.
    public struct Settings: Codable, Hashable, Sendable {
        public var rule = Rule.mean
        public var weighting = Weighting.patients
        /// The share of the sites that a trimmed mean drops at each end.
        public var trim = 0.2
        /// The norm to which longer updates are cut, as a multiple of the median of all norms; nil to cut no update.
        public var clip: Double?
        /// The share of the base's own step that is taken again (Hsu et al. 2019, "Measuring the effects of
        /// non-identical data distribution").
        public var momentum = 0.0
        /// Whether each row of the table of cohorts is averaged, by their shares, only over the sites that have
        /// patients of its value. Sites that never saw such patients then do not dilute what another site has learnt.
        /// If only one site has such patients, the row is that site's, whatever its largest share.
        public var cohortRows = false

        public init() {}

        /// One clause on what is wrong, or nil.
        public var problem: String? {
            guard (0..<0.5).contains(trim) else { return "trim: expected 0 to less than 0.5, found \(trim)" }
            if let clip, !(clip > 0 && clip <= 1000) { return "clip: expected more than 0, up to 1000, found \(clip)" }
            guard !cohortRows || rule == .mean else {
                return "cohortRows: expected the rule mean, found \(rule.rawValue)"
            }
            guard (0..<1).contains(momentum) else { return "momentum: expected 0 to less than 1, found \(momentum)" }
            return nil
        }
    }

    /// A parcel that was included in the merge.
    public struct Part: Codable, Hashable, Sendable {
        public var site: String
        /// SHA-256 of what the site signed.
        public var parcel: Digest
        /// SHA-256 of the numbers alone. It finds the same numbers under another name, however they are stored.
        public var tensors: Digest
        /// The share of the site. The shares of all parts sum to 1.
        public var weight: Double
        /// The largest share that the list of trust gave the site.
        public var largestShare: Double
        public var patients: Int
        public var images: Int
        /// Whether samples may be drawn from this site alone.
        public var singleSite: Bool

        public init(
            site: String, parcel: Digest, tensors: Digest, weight: Double, largestShare: Double, patients: Int,
            images: Int, singleSite: Bool
        ) {
            self.site = site
            self.parcel = parcel
            self.tensors = tensors
            self.weight = weight
            self.largestShare = largestShare
            self.patients = patients
            self.images = images
            self.singleSite = singleSite
        }
    }

    /// A parcel that was left out of the merge.
    public struct Excluded: Codable, Hashable, Sendable {
        /// The site that the parcel names, or the file's name if the parcel names no site.
        public var name: String
        public var reason: String

        public init(name: String, reason: String) {
            self.name = name
            self.reason = reason
        }
    }

    public var round: Int
    /// The digest of the base.
    public var base: Digest
    public var settings: Settings
    /// Sorted by site.
    public var parts: [Part]
    public var excluded: [Excluded]
    /// The day on which keys and permissions were checked, `2026-01-31`.
    public var day: String
    /// The part of the difference that `svd` left out, relative to the whole difference.
    public var residual: Double?

    /// One clause on what is wrong with a record that came from a file, or nil.
    public var problem: String? {
        guard (0...1_000_000).contains(round) else { return "round: expected 0 to 1000000, found \(round)" }
        guard Day.noon(day) != nil else {
            return "day: expected a day such as 2026-01-31, found \(day.debugDescription)"
        }
        if let problem = settings.problem { return "settings.\(problem)" }
        guard !parts.isEmpty, Set(parts.map(\.site)).count == parts.count else {
            return "parts: expected each site once"
        }
        for part in parts {
            if let problem = SiteName.problem(part.site) { return "parts.site: \(problem)" }
            guard (0...1).contains(part.weight), part.largestShare > 0, part.largestShare <= 1, part.patients >= 0,
                part.images >= 0
            else {
                return "parts \(part.site): expected a weight and a largest share from 0 to 1, and no negative number"
            }
        }
        return residual.map { $0.isFinite } == false ? "residual: expected a finite number" : nil
    }

    public init(
        round: Int, base: Digest, settings: Settings, parts: [Part], excluded: [Excluded], day: String,
        residual: Double?
    ) {
        self.round = round
        self.base = base
        self.settings = settings
        self.parts = parts
        self.excluded = excluded
        self.day = day
        self.residual = residual
    }
}
