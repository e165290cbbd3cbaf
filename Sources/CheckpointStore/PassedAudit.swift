import Files

/// The passing audit with which weights leave their site.
public struct PassedAudit: Hashable, Sendable {
    /// SHA-256 of `audit.json`.
    public let digest: Digest
    /// The audit's limits that are weaker than the defaults.
    public let weakerLimits: [String]

    public init(digest: Digest, weakerLimits: [String] = []) {
        self.digest = digest
        self.weakerLimits = weakerLimits
    }
}

extension Manifest {
    /// States the audit with which the weights leave, or that there is none.
    public mutating func state(_ audit: PassedAudit?) {
        self.audit = audit?.digest
        auditLimits = audit.flatMap { $0.weakerLimits.isEmpty ? nil : $0.weakerLimits }
    }
}
