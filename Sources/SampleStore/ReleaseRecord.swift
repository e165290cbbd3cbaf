import Files
import Foundation
import HDF5Files

/// What a released set says about its audit, `/audit`. The texts are kept exactly as they were signed.
public struct ReleaseRecord: Codable, Hashable, Sendable {
    /// The audit's `audit.json`.
    public var verdict: String
    /// The privacy officer's signature of `verdict`.
    public var verdictSignature: String
    /// The `evaluation.json` of the audited set; nil where the release carries none.
    public var evaluation: String?
    /// What the release says about itself.
    public var statement: String
    /// The signature of `statement`.
    public var signature: String

    public init(
        verdict: String, verdictSignature: String, statement: String, signature: String, evaluation: String? = nil
    ) {
        self.evaluation = evaluation
        self.verdict = verdict
        self.verdictSignature = verdictSignature
        self.statement = statement
        self.signature = signature
    }

    /// The limits, weaker than the defaults, by which the set passed its audit. Where the verdict cannot be read, they
    /// are not known, and that is said in their place.
    package var weakerLimits: [String] {
        struct Audit: Decodable {
            struct Figures: Decodable { var policy: AuditPolicy }
            var figures: Figures
        }
        let audit = try? JSONText.decode(Audit.self, Data(verdict.utf8), place: "/audit/verdict")
        return audit?.figures.policy.weakerLimits ?? ["not known, because the verdict cannot be read"]
    }

    static let fields: Set = ["verdict", "verdict_signature", "release", "release_signature", "evaluation"]

    @HDF5Actor
    func write(to group: HDF5Group) throws {
        for (name, text) in [
            ("verdict", verdict), ("verdict_signature", verdictSignature), ("release", statement),
            ("release_signature", signature),
        ] {
            _ = try group.write(name, strings: [text])
        }
        if let evaluation { _ = try group.write("evaluation", strings: [evaluation]) }
    }

    /// Reads the record; the result is nil where the group is empty.
    @HDF5Actor
    init?(from group: HDF5Group) throws {
        guard try !group.names.isEmpty else { return nil }
        func text(_ name: String) throws -> String {
            let dataset = try group.dataset(name)
            try dataset.require(shape: [1])
            return try dataset.readStrings()[0]
        }
        self.init(
            verdict: try text("verdict"), verdictSignature: try text("verdict_signature"),
            statement: try text("release"), signature: try text("release_signature"),
            evaluation: try group.names.contains("evaluation") ? text("evaluation") : nil)
    }
}
