import CheckpointStore
import Diffusion
import Federation
import Files
import Foundation
import Models

extension Round {
    /// What has come of a site's delivery.
    public struct Delivery: Codable, Hashable, Sendable {
        /// The state of a delivery. A missing parcel is `late` once the deadline has passed. In a round that is closed,
        /// a parcel is `merged` or `left-out`.
        public enum State: String, Codable, Sendable {
            case delivered, refused, missing, late, merged
            case leftOut = "left-out"
        }

        public var site: String
        public var state: State
        /// The name of the parcel in its folder; nil where there is none.
        public var file: String?
        /// Why the parcel is refused or was left out; otherwise nil.
        public var reason: String?
    }

    /// A file in the folder of parcels that is nobody's delivery.
    public struct OtherFile: Codable, Hashable, Sendable {
        public var file: String
        /// One clause on what it is, or why it does not count.
        public var reason: String
    }

    /// The state of a round.
    public struct Status: Sendable {
        /// One for each site, sorted by site.
        public let deliveries: [Delivery]
        /// Copies, parcels that were replaced or came too late, and what is no parcel of a known site.
        public let others: [OtherFile]
        /// What may not be in the folder: the round is not closed before it is gone.
        public let findings: [Finding]
    }

    /// What each site has delivered, and what else lies in the folder.
    /// - Throws: the `Failure` of a base that cannot be read or that the coordinator did not sign.
    public func status(at moment: Date, ledger: ParcelLedger? = nil) throws -> Status {
        let findings = PrivateFile.findings(in: folder)
        if let record = closing { return status(closedBy: record, findings) }
        guard !parcels.isEmpty else {
            return Status(deliveries: missing([], at: moment), others: [], findings: findings)
        }
        let admission = try ModelMerge.admission(
            parcels, base: basePath, trust: trust, settings: request.settings, round: request.round, at: moment,
            ledger: ledger, asked: request.sites)
        return status(of: admission, at: moment, findings)
    }

    private func name(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }

    /// The findings name these files, and saying it again about each as a parcel would hide the reason.
    private func isFound(_ path: String, _ findings: [Finding]) -> Bool {
        findings.contains { "\(folder)/\($0.place)" == path }
    }

    private func status(of admission: Admission<ModelDescription>, at moment: Date, _ findings: [Finding]) -> Status {
        var deliveries: [Delivery] = []
        for (site, own) in Dictionary(grouping: admission.refused.filter { $0.site != nil }, by: { $0.site ?? "" }) {
            // A site with a parcel that is refused is refused: the round is not closed before that is settled.
            let reasons =
                own.count == 1 ? own.map(\.failure.sentence) : own.map { "\(name($0.path)): \($0.failure.sentence)" }
            deliveries.append(
                Delivery(
                    site: site, state: .refused, file: own.map { name($0.path) }.joined(separator: ", "),
                    reason: reasons.joined(separator: "; ")))
        }
        for one in admission.admitted where !deliveries.contains(where: { $0.site == one.parcel.statement.site }) {
            deliveries.append(
                Delivery(
                    site: one.parcel.statement.site, state: .delivered, file: name(one.parcel.path), reason: nil))
        }
        let strangers = admission.refused.filter { $0.site == nil && !isFound($0.path, findings) }.map {
            OtherFile(file: name($0.path), reason: "refused, and of no known site: \($0.failure.sentence)")
        }
        let ignored = admission.ignored.map { OtherFile(file: name($0.path), reason: "does not count: \($0.reason)") }
        return Status(
            deliveries: missing(deliveries, at: moment),
            others: (strangers + ignored).sorted { $0.file < $1.file }, findings: findings)
    }

    /// The deliveries with the sites that have none, sorted.
    private func missing(_ deliveries: [Delivery], at moment: Date) -> [Delivery] {
        let none = request.sites.filter { site in !deliveries.contains { $0.site == site } }.map {
            Delivery(site: $0, state: isOver(at: moment) ? .late : .missing, file: nil, reason: nil)
        }
        return (deliveries + none).sorted { $0.site < $1.site }
    }

    /// The record of the merge that closed the round; nil for a round that is open.
    var closing: MergeRecord? {
        guard let index = try? SafetensorsIndex(contentsOf: mergedPath),
            (try? trust.requireCoordinator(index, path: mergedPath, at: Date())) != nil,
            let record = (try? Manifest<ModelDescription>.read(index, path: mergedPath))?.merges?.first,
            record.round == request.round
        else { return nil }
        return record
    }

    private func status(closedBy record: MergeRecord, _ findings: [Finding]) -> Status {
        var files: [String: String] = [:], others: [OtherFile] = []
        let merged = Dictionary(uniqueKeysWithValues: record.parts.map { ($0.parcel, $0.site) })
        let opened = parcels.map { (path: $0, parcel: try? Parcel<ModelDescription>(contentsOf: $0)) }
        let replaced = Set(
            opened.compactMap { $0.parcel }.filter { merged[$0.digest] != nil }.compactMap(\.statement.replaces))
        for (path, parcel) in opened where !isFound(path, findings) {
            let site = parcel.flatMap { trust.name(of: $0.signer) }
            if let parcel, let site = merged[parcel.digest] {
                if let first = files[site] {
                    others.append(OtherFile(file: name(path), reason: "does not count: is a copy of \(first)"))
                } else {
                    files[site] = name(path)
                }
            } else if let parcel, replaced.contains(parcel.digest) {
                others.append(
                    OtherFile(
                        file: name(path), reason: "not merged: \(parcel.statement.site) replaced it before the closing")
                )
            } else if let left = record.excluded.first(where: { $0.name == (site ?? name(path)) }) {
                others.append(
                    OtherFile(file: name(path), reason: "not merged: left out at the closing, \(left.reason)"))
            } else {
                let whose = site.map { ", a parcel of \($0)" } ?? ""
                others.append(OtherFile(file: name(path), reason: "arrived after closing, not merged\(whose)"))
            }
        }
        let sites = Set(request.sites).union(record.parts.map(\.site))
        let deliveries = sites.sorted().map { site in
            if record.parts.contains(where: { $0.site == site }) {
                return Delivery(site: site, state: .merged, file: files[site], reason: nil)
            }
            let left = record.excluded.first { $0.name == site }
            return Delivery(site: site, state: left == nil ? .missing : .leftOut, file: nil, reason: left?.reason)
        }
        return Status(deliveries: deliveries, others: others, findings: findings)
    }
}
