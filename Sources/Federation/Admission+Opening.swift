import CheckpointStore
import Files
import Foundation

extension Admission {
    /// The parcels that are signed, trusted and made from the base, and why the other parcels are refused.
    public struct Opened: Sendable {
        let parcels: [(parcel: Parcel<Model>, member: TrustList.Member)]
        let refused: [Refused]
        let ignored: [Ignored]

        /// The manifests of the parcels that are not refused.
        public var manifests: [Manifest<Model>] { parcels.map(\.parcel.manifest) }

        /// Opens parcels. A parcel that cannot be read is refused; nothing is thrown.
        ///
        /// Of several copies of one parcel, the first by path is opened. A parcel that its site has replaced by another
        /// one of these does not count, even where it would be refused.
        /// - Parameters:
        ///   - paths: parcels, in any order.
        ///   - base: the digest of the base.
        ///   - moment: when keys and permissions have to be valid.
        ///   - asked: the sites that the round asks; nil for all.
        public init(_ paths: [String], base: Digest, trust: TrustList, at moment: Date, asked: [String]? = nil) {
            var signed: [(parcel: Parcel<Model>, site: String?)] = [], refused: [Refused] = []
            for path in paths.sorted() {
                do {
                    let parcel = try Parcel<Model>(contentsOf: path)
                    signed.append((parcel, trust.name(of: parcel.signer)))
                } catch {
                    refused.append(Opened.refusal(path, site: nil, error))
                }
            }
            let (counting, ignored) = Opened.counting(signed, trust: trust, at: moment)
            var parcels: [(parcel: Parcel<Model>, member: TrustList.Member)] = []
            for (parcel, site) in counting {
                do {
                    parcels.append(
                        (parcel, try Opened.require(parcel, base: base, trust: trust, at: moment, asked: asked)))
                } catch {
                    refused.append(Opened.refusal(parcel.path, site: site, error))
                }
            }
            self.parcels = parcels
            self.refused = refused
            self.ignored = ignored.sorted { $0.path < $1.path }
        }

        private static func require(
            _ parcel: Parcel<Model>, base: Digest, trust: TrustList, at moment: Date, asked: [String]?
        ) throws -> TrustList.Member {
            let member = try parcel.requireTrust(trust, at: moment)
            if let asked, !asked.contains(member.name) {
                throw Failure(
                    .notPermitted, parcel.path, field: "site",
                    expected: asked.joined(separator: ", ") + ", whom the round asks", found: member.name)
            }
            guard parcel.statement.base == base.description else {
                throw Failure(.badData, parcel.path, field: "base", expected: "\(base)", found: parcel.statement.base)
            }
            return member
        }

        private static func refusal(_ path: String, site: String?, _ error: any Error) -> Refused {
            Refused(path: path, site: site, failure: error as? Failure ?? StagedFile.failure(path, error, "read"))
        }

        /// The parcels without copies, and without those that their site has replaced.
        private static func counting(
            _ signed: [(parcel: Parcel<Model>, site: String?)], trust: TrustList, at moment: Date
        ) -> (counting: [(parcel: Parcel<Model>, site: String?)], ignored: [Ignored]) {
            func name(_ parcel: Parcel<Model>) -> String { URL(fileURLWithPath: parcel.path).lastPathComponent }
            var first: [Digest: Parcel<Model>] = [:], ignored: [Ignored] = []
            let single = signed.filter { one in
                guard let same = first[one.parcel.digest] else {
                    first[one.parcel.digest] = one.parcel
                    return true
                }
                ignored.append(
                    Ignored(path: one.parcel.path, site: one.site ?? "", reason: "is a copy of \(name(same))"))
                return false
            }
            // A key that has ended, or that was stolen and is no longer listed, replaces nothing.
            let replacing = single.filter { one in
                one.parcel.statement.replaces != nil
                    && (try? trust.member(
                        signing: one.parcel.signer, as: one.parcel.statement.site, at: moment, file: one.parcel.path))
                        != nil
            }
            let counting = single.filter { one in
                let said = one.parcel.statement
                guard
                    let newer = replacing.first(where: {
                        $0.site == one.site && $0.parcel.statement.replaces == one.parcel.digest
                            && $0.parcel.statement.round == said.round && $0.parcel.statement.base == said.base
                    })
                else { return true }
                ignored.append(
                    Ignored(
                        path: one.parcel.path, site: one.site ?? "",
                        reason: "\(said.site) replaced it by \(name(newer.parcel))"))
                return false
            }
            return (counting, ignored)
        }
    }
}
