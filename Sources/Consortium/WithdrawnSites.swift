import CheckpointStore
import Federation
import Files
import Foundation

/// Finds out, before weights are used, whether a site of theirs was withdrawn.
public enum WithdrawnSites {
    /// Refuses weights that come from a site that was withdrawn.
    ///
    /// - Parameters:
    ///   - model: the path of the weights.
    ///   - sites: the sites from which they come.
    ///   - trust: the path of a list of trust; nil takes `TRUST.yaml` in the folder of the model, as rounds have it.
    ///     Where there is no such list, nothing is known and nothing is refused.
    /// - Throws: `Failure(.notPermitted)` naming the site, the list and the reason, and where the list beside the model
    ///   is not what its coordinator signed; the failures of a list that was named.
    public static func refuse(_ model: String, sites: Set<String>, trust: String?) throws {
        let list: TrustList
        if let trust {
            list = try TrustList(contentsOf: trust)
        } else {
            // A link may stand in another folder than the model.
            let beside = [model, URL(fileURLWithPath: model).resolvingSymlinksInPath().path].map {
                let folder = ($0 as NSString).deletingLastPathComponent
                return folder.isEmpty ? "TRUST.yaml" : "\(folder)/TRUST.yaml"
            }
            guard let path = beside.first(where: RegularFile.exists) else { return }
            do { list = try TrustList(contentsOf: path) } catch let failure as Failure {
                throw Failure(
                    .notPermitted, path,
                    """
                    lies beside the model, but it \(failure.sentence); so nobody can say whether a site of the model \
                    was withdrawn. Put the signed list there, or name it
                    """)
            }
        }
        guard let gone = sites.intersection(list.withdrawn).sorted().first else { return }
        throw Failure(
            .notPermitted, model,
            """
            \(gone.printable) was withdrawn\(list.reason(withdrawn: gone)), says \(list.path), and these weights come \
            from it, too; the coordinator has a model without it
            """)
    }

    /// Says that weights come from a site that was withdrawn; nil where they do not, or where nobody can know.
    /// The parameters mean the same as in `refuse`.
    public static func notice(_ model: String, sites: Set<String>, trust: String?) -> String? {
        do {
            try refuse(model, sites: sites, trust: trust)
            return nil
        } catch let failure as Failure {
            return "\(failure.place ?? model): \(failure.sentence)"
        } catch {
            return nil
        }
    }

    /// What became of the list of trust in a round's folder.
    public struct Copy: Sendable {
        public let path: String
        /// Why the mark could not be set or taken back; nil where it was.
        public let problem: String?
    }

    /// Carries a mark to the lists of trust of the rounds in a folder and below it: to those of the same project that
    /// the same coordinator signed, so that whoever samples a model of such a round is told.
    /// - Parameters:
    ///   - site: the site that was marked or taken back in `list`.
    ///   - list: the list with the newest act.
    public static func carry(
        _ site: String, from list: TrustList, to folder: String, with key: SigningKey, at moment: Date
    ) -> [Copy] {
        guard let act = list.history.last(where: { $0.site == site }),
            let names = FileManager.default.enumerator(atPath: folder)
        else { return [] }
        func real(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        let rounds = names.compactMap { $0 as? String }.filter { ($0 as NSString).lastPathComponent == "round.json" }
        return rounds.sorted().compactMap { name in
            let path = "\(folder)/" + ((name as NSString).deletingLastPathComponent + "/TRUST.yaml").trimmedSlash
            guard real(path) != real(list.path), let copy = try? TrustList(contentsOf: path),
                copy.coordinator == list.coordinator, copy.project == list.project,
                copy.withdrawn.contains(site) != (act.act == .withdrawn)
            else { return nil }
            do {
                switch act.act {
                case .withdrawn: try copy.withdrawing(site, reason: act.reason, with: key, at: moment)?.commit()
                case .takenBack: try copy.takingBack(site, reason: act.reason, with: key, at: moment).commit()
                }
                return Copy(path: path, problem: nil)
            } catch {
                return Copy(path: path, problem: SystemReason.text(error))
            }
        }
    }
}

extension String {
    /// The path without a slash at its beginning.
    fileprivate var trimmedSlash: String { hasPrefix("/") ? String(dropFirst()) : self }
}
