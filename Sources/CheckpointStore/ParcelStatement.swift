import Files
import Foundation

/// What a site states about weights that it shares, under `parcel` in their manifest. The statement is signed with the
/// weights. Nothing in it names a patient or a file.
public struct ParcelStatement: Codable, Hashable, Sendable {
    /// The loss on the site's own validation split at one noise level.
    public struct SelfTest: Codable, Hashable, Sendable {
        public var sigma: Double
        public var error: Double

        public init(sigma: Double, error: Double) {
            self.sigma = sigma
            self.error = error
        }
    }

    public var site: String
    public var round: Int
    /// The digest of the snapshot with which the training began, in hexadecimal digits.
    public var base: String
    /// ISO 8601, UTC.
    public var issued: String
    /// The root mean square errors of denoised validation photographs; empty if the site has no such photographs.
    public var selfTest: [SelfTest]
    /// How much of a privacy budget was spent; `none` if the training had no such budget.
    public var privacy: String
    public var permissions: Permissions
    public var contact: String
    /// The digest of the site's earlier parcel that this one replaces (SHA-256 of what was signed); nil for none.
    public var replaces: Digest?

    public init(
        site: String, round: Int, base: String, issued: Date, selfTest: [SelfTest], privacy: String = "none",
        permissions: Permissions, contact: String, replaces: Digest? = nil
    ) {
        self.site = site
        self.round = round
        self.base = base
        self.issued = issued.formatted(.iso8601)
        self.selfTest = selfTest
        self.privacy = privacy
        self.permissions = permissions
        self.contact = contact
        self.replaces = replaces
    }

    /// One clause on what is wrong with a statement that came from a file, or nil.
    public var problem: String? {
        if let problem = SiteName.problem(site) { return "site: \(problem)" }
        guard (0...1_000_000).contains(round) else { return "round: expected 0 to 1000000, found \(round)" }
        guard Day.isMoment(issued) else {
            return "issued: expected a moment such as 2026-01-31T12:00:00Z, found \(issued.debugDescription)"
        }
        guard selfTest.allSatisfy({ $0.sigma.isFinite && $0.error.isFinite }) else {
            return "selfTest: expected finite numbers"
        }
        guard contact.count <= 500, privacy.count <= 10_000 else {
            return "contact, privacy: expected at most 500 and 10000 characters"
        }
        return permissions.problem.map { "permissions.\($0)" }
    }
}

/// Names of sites. Because they stand in lists of trust, no name may look like another.
public enum SiteName {
    /// What a name looks like at a glance: in lower case, and with one form for letters and digits that are easily
    /// mistaken for each other.
    public static func look(_ name: String) -> String {
        String(name.lowercased().map { ["0": "o", "1": "l", "i": "l"][$0] ?? $0 })
    }

    /// One clause on what is wrong with a name, or nil.
    public static func problem(_ name: String) -> String? {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_.".utf8.contains(byte)
            }
        }
        let startsWell = name.utf8.first.map { !"-_.".utf8.contains($0) } == true
        return isPlain && startsWell && name.utf8.count <= 64
            ? nil : "expected 1 to 64 letters, digits, - _ . of ASCII, found \(name.debugDescription)"
    }
}

/// What may be done with weights, and with what is sampled from them.
public struct Permissions: Codable, Hashable, Sendable {
    /// The entry of `territories` that means any territory.
    public static let worldwide = "worldwide"

    /// Codes of the Data Use Ontology, such as `DUO:0000042` (general research use).
    public var purposes: Set<String>
    /// The last day on which this is permitted, `2027-12-31`; nil if it is permitted without end.
    public var expires: String?
    /// ISO 3166 codes of countries, such as `DE`, or `worldwide`.
    public var territories: Set<String>
    /// Whether weights and samples may be handed on.
    public var redistribution: Bool
    /// Whether samples may be drawn from this site alone.
    public var singleSite: Bool

    public init(
        purposes: Set<String>, expires: String? = nil, territories: Set<String> = [worldwide],
        redistribution: Bool = false, singleSite: Bool = false
    ) {
        self.purposes = purposes
        self.expires = expires
        self.territories = territories
        self.redistribution = redistribution
        self.singleSite = singleSite
    }

    /// Encodes the sets sorted, so that the same sets give the same bytes.
    /// - Throws: the encoder's error.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(purposes.sorted(), forKey: .purposes)
        try container.encodeIfPresent(expires, forKey: .expires)
        try container.encode(territories.sorted(), forKey: .territories)
        try container.encode(redistribution, forKey: .redistribution)
        try container.encode(singleSite, forKey: .singleSite)
    }

    /// Whether a text is a code of the Data Use Ontology.
    public static func isPurpose(_ text: String) -> Bool { isCode(text, prefix: "DUO:", digits: 7) }

    private static func isCode(_ text: String, prefix: String, digits: Int) -> Bool {
        text.hasPrefix(prefix) && text.utf8.count == prefix.utf8.count + digits
            && text.utf8.dropFirst(prefix.utf8.count).allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
    }

    /// The permissions as text, for the terms of samples.
    public var text: String { text { $0 } }

    /// The permissions as text for people, with the label of each code.
    public var labelledText: String { text(DataUse.text) }

    private func text(_ purpose: (String) -> String) -> String {
        "\(purposes.sorted().map(purpose).joined(separator: ", ")); \(territories.sorted().joined(separator: ", ")); "
            + "until \(expires ?? "further notice"); "
            + "redistribution \(redistribution ? "yes" : "no"); sampling one site alone \(singleSite ? "yes" : "no")"
    }

    /// One clause on what is wrong, or nil.
    public var problem: String? {
        guard !purposes.isEmpty else { return "purposes: expected at least one code of the Data Use Ontology" }
        if let bad = purposes.sorted().first(where: { !Permissions.isPurpose($0) }) {
            return "purposes: expected codes such as DUO:0000042, found \(bad.debugDescription)"
        }
        guard !territories.isEmpty else {
            return "territories: expected \(Permissions.worldwide) or codes of countries"
        }
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        if let bad = territories.sorted().first(where: {
            $0 != Permissions.worldwide && !($0.utf8.count == 2 && $0.utf8.allSatisfy(letters.contains))
        }) {
            return "territories: expected \(Permissions.worldwide) or codes such as DE, found \(bad.debugDescription)"
        }
        if let expires, Day.noon(expires) == nil {
            return "expires: expected a day such as 2027-12-31, found \(expires.debugDescription)"
        }
        return nil
    }

    /// Whether the last day has passed at `moment`.
    public func isExpired(at moment: Date) -> Bool {
        guard let expires else { return false }
        return Day.text(moment) > expires
    }

    /// What both permit; nil if no purpose or no territory is left.
    public func intersection(_ other: Permissions) -> Permissions? {
        let purposes = purposes.intersection(other.purposes)
        let everywhere = (
            territories.contains(Permissions.worldwide), other.territories.contains(Permissions.worldwide)
        )
        let territories =
            everywhere.0 ? other.territories : everywhere.1 ? territories : territories.intersection(other.territories)
        guard !purposes.isEmpty, !territories.isEmpty else { return nil }
        return Permissions(
            purposes: purposes, expires: [expires, other.expires].compactMap { $0 }.min(), territories: territories,
            redistribution: redistribution && other.redistribution, singleSite: singleSite && other.singleSite)
    }
}
