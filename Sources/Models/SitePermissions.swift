import CheckpointStore
import Files
import Foundation

/// The share of a model that comes from one site.
public struct SiteShare: Hashable, Sendable {
    public let name: String
    /// 0 to 1.
    public let weight: Double
    /// Whether the site permits sampling from it alone; nil where it did not say.
    public let singleSite: Bool?
}

extension LoadedModel {
    /// Above this share, sampling counts as sampling from one site alone.
    static let largestShare = 0.8

    /// The share of each site in the model, as far as it is known, sorted by site. In a mixture, an adapter's weight is
    /// divided evenly among the adapter's sites, and the rest belongs to the base. Within a merged model, the shares
    /// are those of its last merge. Within a model of one training, all sites have equal shares.
    public var siteShares: [SiteShare] {
        var weights: [String: Double] = [:], permits: [String: Bool] = [:]
        for site in manifest.sites { weights[site] = 0 }
        for adapter in mixture {
            let sites = Set(adapter.sites)
            for site in sites {
                weights[site, default: 0] += adapter.weight / Double(sites.count)
                if let said = adapter.permissions?.singleSite { permits[site] = said && permits[site] != false }
            }
        }
        let rest = max(0, 1 - mixture.reduce(0) { $0 + $1.weight })
        if let merge = manifest.merges?.first, isMerge {
            for part in merge.parts {
                weights[part.site, default: 0] += rest * part.weight
                permits[part.site] = part.singleSite && permits[part.site] != false
            }
        } else {
            let own = manifest.trainingData.filter { $0.inherited != true },
                sites = Set((own.isEmpty ? manifest.trainingData : own).map(\.site))
            for site in sites { weights[site, default: 0] += rest / Double(sites.count) }
            if rest > 0, let said = manifest.parcel?.permissions.singleSite {
                for site in sites { permits[site] = said }
            }
        }
        return weights.sorted { $0.key < $1.key }.map {
            SiteShare(name: $0.key, weight: $0.value, singleSite: permits[$0.key])
        }
    }

    /// Whether these weights are the result of their last merge, and nobody has trained them further. Then no training
    /// data are inherited.
    private var isMerge: Bool { manifest.trainingData.allSatisfy { $0.inherited != true } }

    /// What all sites of the model and of the adapters permit in common; nil where no site said anything.
    /// - Throws: `Failure(.notPermitted)` where the permissions have no purpose or no territory in common.
    public func permissions() throws -> Permissions? {
        let own = try manifest.effectivePermissions(path: path)
        let stated =
            (own.map { [(path, $0)] } ?? [])
            + mixture.filter { $0.weight > 0 }.compactMap { adapter in adapter.permissions.map { (adapter.name, $0) } }
        guard var common = stated.first?.1 else { return nil }
        for (name, next) in stated.dropFirst() {
            guard let smaller = common.intersection(next) else {
                throw Failure(
                    .notPermitted, path,
                    """
                    the permissions of \(name) have no purpose or no territory in common with the others'; mix \
                    without it
                    """
                )
            }
            common = smaller
        }
        return common
    }

    /// Checks that the sites permit sampling.
    ///
    /// - Parameter purpose: a code of the Data Use Ontology; nil where no purpose is to be checked.
    /// - Throws: `Failure(.notPermitted)` where the purpose is not permitted, where permissions have ended, or where
    ///   one site has more than 0.8 of the model and does not permit sampling from it alone; `.usage` where `purpose`
    ///   is not a code.
    public func requirePermission(purpose: String?, at moment: Date) throws {
        // A code that the sites named counts although the ontology does not have it: version 0.1 took every number.
        if let purpose, try permissions()?.purposes.contains(purpose) != true {
            try DataUse.require(purpose, option: "purpose")
        }
        // The shares of the last merge still count after further training, so that training on cannot hide a site.
        let before = (manifest.merges?.first?.parts ?? []).map {
            SiteShare(
                name: $0.site, weight: $0.weight * max(0, 1 - mixture.reduce(0) { $0 + $1.weight }),
                singleSite: $0.singleSite)
        }
        if let alone = (siteShares + before).first(where: {
            $0.weight > LoadedModel.largestShare && $0.singleSite == false
        }) {
            throw Failure(
                .notPermitted, path,
                """
                \(alone.name) is \(String(format: "%.2g", alone.weight)) of the model and does not permit sampling \
                from it alone (above \(LoadedModel.largestShare))
                """
            )
        }
        let rest = 1 - mixture.reduce(0) { $0 + $1.weight }
        if let alone = manifest.notAlone?.first, rest > LoadedModel.largestShare {
            throw Failure(
                .notPermitted, path,
                """
                was made from weights of \(alone) alone, and \(alone) does not permit sampling from it alone
                """)
        }
        guard let permissions = try permissions() else { return }
        guard !permissions.isExpired(at: moment) else {
            throw Failure(.notPermitted, path, "its permissions ended on \(permissions.expires ?? "")")
        }
        if let purpose, !permissions.purposes.contains(purpose) {
            throw Failure(
                .notPermitted, path, option: "purpose",
                expected: permissions.purposes.sorted().joined(separator: ", "), found: purpose)
        }
    }
}
