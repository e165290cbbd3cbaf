import CheckpointStore
import Files
import Foundation

extension TrustList {
    /// A site was withdrawn, or its mark was taken back.
    public struct Act: Codable, Hashable, Sendable {
        public enum Kind: String, Codable, Sendable {
            case withdrawn
            case takenBack = "taken-back"
        }

        public var site: String
        public var act: Kind
        /// The day in UTC, such as `2026-01-31`.
        public var day: String
        /// The fingerprint of the key that signed the act.
        public var by: String
        public var reason: String

        static let keys: Set = ["site", "act", "day", "by", "reason"]

        /// The act as a line of the list.
        fileprivate func line() throws -> String {
            let texts = try [by, reason].map { try JSONText.encoded($0) }
            return "  - {site: \(site), act: \(act.rawValue), day: \(day), by: \(texts[0]), reason: \(texts[1])}"
        }

        /// What people read, such as `withdrawn on 2026-01-31 by 5647-5aa7-5463-474c: asked to leave`.
        public var text: String {
            """
            \(act == .withdrawn ? "withdrawn" : "mark taken back") on \(day) by \(by.printable): \(reason.printable)
            """
        }
    }

    /// What is written where the coordinator gives no reason.
    public static let noReason = "no reason was given"

    /// The most characters of a reason.
    private static let longestReason = 500

    /// Why a site is withdrawn, as a clause in brackets; empty where the list does not say.
    public func reason(withdrawn site: String) -> String {
        guard let act = history.last(where: { $0.site == site }), act.act == .withdrawn else { return "" }
        return " (on \(act.day): \(act.reason.printable))"
    }

    /// Checks the acts, and that each mark that an act set is there until another act takes it back.
    /// - Throws: `Failure(.badData)`.
    func requireHistory() throws {
        var last: [String: Act] = [:]
        for (number, act) in history.enumerated() {
            let place = "\(path) history \(number + 1)"
            if let problem = SiteName.problem(act.site) { throw Failure(.badData, place, "site: \(problem)") }
            guard Day.noon(act.day) != nil else {
                throw Failure(
                    .badData, place, field: "day", expected: "a day such as 2026-01-31", found: act.day.printable)
            }
            last[act.site] = act
        }
        for (site, act) in last.sorted(by: { $0.key < $1.key })
        where act.act == .withdrawn && !withdrawn.contains(site) {
            throw Failure(
                .badData, path, field: "withdrawn",
                expected: "\(site), which was withdrawn on \(act.day) and was not taken back since",
                found: withdrawn.isEmpty ? "no site" : withdrawn.sorted().joined(separator: ", "))
        }
    }

    /// A change of the list that is prepared and not yet made. Both files are written beside the list, so that what
    /// can go wrong goes wrong before anything is changed.
    public struct Change {
        /// The list after the change.
        public let list: TrustList
        private let text, signature: StagedFile
        private let before: (text: Data, signature: Data)

        fileprivate init(_ list: TrustList, _ yaml: Data, before: Data, key: SigningKey) throws {
            self.list = list
            text = try StagedFile(list.path, force: true)
            try text.write(yaml)
            signature = try DetachedSignature.staged(yaml, at: list.path, domain: TrustList.domain, key: key)
            self.before = (before, try JSONText.contents(DetachedSignature.path(for: list.path)))
        }

        /// Makes the change. Where it fails, the list is as it was.
        /// - Throws: `Failure(.readOrWriteFailed)`.
        public func commit() throws {
            // The signature is written first. Until the list follows, the old list is refused, and nothing wrong is
            // accepted.
            try signature.commit()
            do { try text.commit() } catch {
                try restoreSignature()
                throw error
            }
        }

        /// Takes a change back that was made: the list and its signature are again what they were, byte for byte.
        /// - Throws: `Failure(.readOrWriteFailed)`; `Failure(.cannotCreateOutput)`.
        public func undo() throws {
            let old = try StagedFile(list.path, force: true)
            try old.write(before.text)
            try restoreSignature()
            try old.commit()
        }

        private func restoreSignature() throws {
            let old = try StagedFile(DetachedSignature.path(for: list.path), force: true)
            try old.write(before.signature)
            try old.commit()
        }
    }

    /// Prepares to mark a site as withdrawn. The rest of the text stays as it is, with its comments.
    /// - Returns: nil where the site is marked already.
    /// - Throws: `Failure(.notPermitted)` where the key is not the coordinator's; `Failure(.usage)` for a reason that
    ///   is too long; `Failure(.badData)` where the list is written in a form that this function cannot change;
    ///   `Failure(.cannotCreateOutput)`; `Failure(.readOrWriteFailed)`.
    public func withdrawing(_ site: String, reason: String?, with key: SigningKey, at moment: Date) throws -> Change? {
        try requireOwn(key)
        if withdrawn.contains(site) { return nil }
        let text = reason?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        return try changing(
            site, .withdrawn, reason: text.isEmpty ? TrustList.noReason : text, with: key, at: moment)
    }

    /// Prepares to take a site's mark back. The reason stays in the list.
    /// - Throws: `Failure(.usage)` where the site is not marked or there is no reason; otherwise as `withdrawing`.
    public func takingBack(_ site: String, reason: String, with key: SigningKey, at moment: Date) throws -> Change {
        try requireOwn(key)
        guard withdrawn.contains(site) else {
            throw Failure(
                .usage, path, option: "site",
                expected: withdrawn.isEmpty ? "a site that is withdrawn" : withdrawn.sorted().joined(separator: ", "),
                found: "\(site.printable), which is not withdrawn")
        }
        let text = reason.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else {
            throw Failure(.usage, option: "reason", expected: "why the mark is taken back", found: "nothing")
        }
        return try changing(site, .takenBack, reason: text, with: key, at: moment)
    }

    private func requireOwn(_ key: SigningKey) throws {
        guard coordinator == key.publicKey else {
            throw Failure(
                .notPermitted, path, field: "coordinator", expected: key.publicKey.fingerprint,
                found: coordinator.fingerprint)
        }
    }

    private func changing(_ site: String, _ kind: Act.Kind, reason: String, with key: SigningKey, at moment: Date)
        throws -> Change
    {
        guard reason.count <= TrustList.longestReason else {
            throw Failure(
                .usage, option: "reason", expected: "at most \(TrustList.longestReason) characters",
                found: "\(reason.count)")
        }
        let act = Act(
            site: site, act: kind, day: Day.text(moment), by: key.publicKey.fingerprint, reason: reason)
        let wanted = kind == .withdrawn ? withdrawn.union([site]) : withdrawn.subtracting([site])
        let acts = history + [act], before = try JSONText.contents(path)
        var lines = String(decoding: before, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
        lines.removeAll { $0.hasPrefix("withdrawn:") }
        if let start = lines.firstIndex(where: { $0.hasPrefix("history:") }) {
            let end = lines[(start + 1)...].firstIndex { !$0.hasPrefix("  - ") } ?? lines.endIndex
            lines.removeSubrange(start..<end)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        lines += ["withdrawn: [\(wanted.sorted().joined(separator: ", "))]", "history:"]
        lines += try acts.map { try $0.line() } + [""]
        let yaml = Data(lines.joined(separator: "\n").utf8)
        guard let changed = try? TrustList(yaml, path: path), changed.withdrawn == wanted, changed.history == acts,
            changed.members == members, changed.coordinator == coordinator, changed.project == project
        else {
            throw Failure(
                .badData, path, field: "withdrawn, history",
                expected: "names in brackets on one line, and one line for each act",
                found: "another form; change it by hand, and sign it as the coordinator")
        }
        return try Change(changed, yaml, before: before, key: key)
    }
}
