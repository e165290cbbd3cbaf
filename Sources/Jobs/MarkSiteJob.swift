import CheckpointStore
import Consortium
import Diffusion
import Federation
import Files
import Foundation

/// Marks a site as withdrawn in a list of trust without a new model, or takes such a mark back.
public struct MarkSiteJob: Job {
    /// What is done with the mark.
    public enum Act: Sendable {
        case mark
        case takeBack
    }

    public var act: Act
    public var site: String
    /// The list of trust.
    public var trust: String
    /// The coordinator's private key, which signs the list.
    public var key: String
    /// Why. The reason stays in the list. Taking a mark back needs one.
    public var reason: String?
    /// A model whose lineage may hold the site; nil where the site has to be a member of the list.
    public var from: String?
    /// A folder with rounds, whose lists of trust get the same mark; nil for none.
    public var rounds: String?
    /// Say what would change, and write nothing.
    public var isDryRun = false

    public init(_ act: Act, site: String, trust: String, key: String) {
        self.act = act
        self.site = site
        self.trust = trust
        self.key = key
    }

    public struct Outcome: JobOutcome {
        public let site, trust: String
        /// Whether the site is marked as withdrawn now; in a dry run, whether it would be.
        public let marked: Bool
        /// Whether the list changes; a site that is marked already is not marked again.
        public let changed: Bool
        public let dryRun: Bool
        /// The lists of trust of rounds that were changed, too.
        public let markedLists: [String]
        public let history: [TrustList.Act]
        public let warnings: [String]

        private enum CodingKeys: String, CodingKey {
            case site, trust, marked, changed, history
            case dryRun = "dry_run"
            case markedLists = "marked_lists"
        }

        public var lines: [String] {
            let acts = history.filter { $0.site == site }.map { "\(site): \($0.text)" }
            let others = markedLists.map { "\($0): changed, too" }
            guard changed else { return ["\(trust): \(site) is marked as withdrawn already"] + acts + others }
            let would = dryRun ? "would be" : "is"
            let what =
                marked
                ? "\(site) \(would) marked as withdrawn; no model was made without it"
                : "the mark of \(site) \(would) taken back; models without it stay as they are"
            return ["\(trust): \(what)"] + acts + others
                + (dryRun ? ["nothing was written; this was a dry run"] : [])
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let signing = try SigningKey(contentsOf: key), list = try TrustList(contentsOf: trust), moment = Date()
        let change: TrustList.Change?
        switch act {
        case .mark:
            try requireKnown(list)
            change = try list.withdrawing(site, reason: reason, with: signing, at: moment)
        case .takeBack: change = try list.takingBack(site, reason: reason ?? "", with: signing, at: moment)
        }
        let after = change?.list ?? list
        if !isDryRun { try change?.commit() }
        // A mark that was set before may not have reached the rounds.
        let copies =
            isDryRun
            ? [] : rounds.map { WithdrawnSites.carry(site, from: after, to: $0, with: signing, at: moment) } ?? []
        return Outcome(
            site: site, trust: trust, marked: after.withdrawn.contains(site), changed: change != nil, dryRun: isDryRun,
            markedLists: copies.filter { $0.problem == nil }.map(\.path), history: after.history,
            warnings: copies.compactMap(\.warning))
    }

    /// Refuses a name that was mistyped.
    private func requireKnown(_ list: TrustList) throws {
        let own = try from.map {
            try Manifest<ModelDescription>.read(try SafetensorsIndex(contentsOf: $0), path: $0).sites
        }
        let known = Set(list.members.filter { $0.role == .site }.map(\.name)).union(own ?? [])
        guard known.contains(site) else {
            throw Failure(
                .usage, from ?? trust, option: "site", expected: known.sorted().joined(separator: ", "),
                found: site.printable)
        }
    }
}
