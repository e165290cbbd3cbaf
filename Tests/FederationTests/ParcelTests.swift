import CheckpointStore
import Federation
import Files
import Foundation
import Support
import TensorCore
import Testing

/// Signed weights: what is refused, and why.
@Suite struct ParcelTests {
    struct Nothing: Codable, Sendable {}

    let folder: TemporaryFolder
    let key = SigningKey()
    let coordinator = SigningKey()
    var parcel: String { folder.file("aachen.parcel") }
    init() throws { folder = try TemporaryFolder() }

    private func weights() -> WeightsFile<Nothing> {
        let data = TrainingData(
            digest: String(repeating: "ab", count: 32), site: "aachen", licence: "CC0", source: "eyes",
            cohortCounts: [:], patients: 40)
        let manifest = Manifest(
            kind: .adapter, model: Nothing(), cohortSchemaVersion: 1, imagesSeen: 640, trainingData: [data],
            parents: ["base"],
            licence: "CC0", attributions: [], configuration: "base: /home/somebody/base.safetensors\nseed: 1",
            toolVersion: "test")
        return WeightsFile(
            manifest: manifest, tensors: ["a": Tensor([1, 2, 3, -4], shape: [2, 2]), "b": Tensor([0.5], shape: [1])])
    }

    private func statement(_ site: String = "aachen", expires: String? = nil) -> ParcelStatement {
        ParcelStatement(
            site: site, round: 3, base: "base", issued: Date(timeIntervalSince1970: 1_800_000_000),
            selfTest: [.init(sigma: 0.2, error: 0.03)],
            permissions: Permissions(purposes: ["DUO:0000042"], expires: expires), contact: "data@example.org")
    }

    @discardableResult
    private func seal(_ statement: ParcelStatement? = nil, unaudited: String? = "a test") throws -> String {
        _ = try ParcelSeal.seal(
            weights(), path: "w", statement: statement ?? self.statement(), unaudited: unaudited, key: key, to: parcel,
            force: true)
        return parcel
    }

    private func open(_ path: String) throws -> Parcel<Nothing> { try Parcel(contentsOf: path) }

    /// The parcel with a text in its header replaced by one of the same length.
    private func forged(_ text: String, _ other: String) throws -> String {
        precondition(text.utf8.count == other.utf8.count)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: parcel))
        let range = try #require(bytes.firstRange(of: Data(text.utf8)), "\(text) is not in the parcel")
        bytes.replaceSubrange(range, with: Data(other.utf8))
        let path = folder.file("forged.parcel")
        try bytes.write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func `the audit that let the weights out stands in them, with its weaker limits`() throws {
        func sealed(_ limits: [String]) throws -> Parcel<Nothing> {
            _ = try ParcelSeal.seal(
                weights(), path: "w", statement: statement(),
                audit: PassedAudit(digest: Digest(of: [5]), weakerLimits: limits), unaudited: nil, key: key, to: parcel,
                force: true)
            return try open(parcel)
        }
        let weaker = try sealed(["leastPower is 0.5, by default 0.8"]).manifest
        #expect(weaker.audit == Digest(of: [5]) && weaker.auditLimits == ["leastPower is 0.5, by default 0.8"])
        let usual = try sealed([]).manifest
        #expect(usual.audit == Digest(of: [5]) && usual.auditLimits == nil)
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: parcel)), as: UTF8.self)
        #expect(!text.contains("auditLimits"), "a parcel by the usual limits has the bytes of before")
    }

    @Test func whatIsSealedComesBack() throws {
        let parcel = try open(try seal())
        #expect(parcel.statement == statement())
        #expect(parcel.signer == key.publicKey)
        #expect(parcel.manifest.unaudited == "a test")
        let (file, _) = try WeightsFile<Nothing>.read(parcel.path)
        #expect(file.tensors["a"]?.elements == [1, 2, 3, -4])
        // Any reader of safetensors opens it; nothing of the site's machine is in it.
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: parcel.path)), as: UTF8.self)
        #expect(!text.contains("/home/somebody"))
        #expect(!text.contains(String(repeating: "ab", count: 32)))
    }

    @Test func digestsOfTrainingSetsAreTheSitesAlone() {
        #expect(key.protected("x") == key.protected("x"))
        #expect(key.protected("x") != key.protected("y"))
        #expect(key.protected("x") != SigningKey().protected("x"))
        #expect(key.protected("x") != Digest(of: Array("x".utf8)).description)
    }

    /// Every byte of the header and the tensors is signed, or changes what the file is.
    @Test func everyChangedByteIsRefused() throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: try seal()))
        let path = folder.file("changed.parcel")
        var reasons: [Failure.Kind: Int] = [:]
        for place in stride(from: 0, to: whole.count, by: 7) {
            var bytes = whole
            bytes[place] ^= 0x01
            try bytes.write(to: URL(fileURLWithPath: path))
            do {
                let found = try open(path)
                // Padding of the header, and the key's own name, which nobody trusts.
                Issue.record("byte \(place) of \(whole.count): accepted, signed by \(found.signer.fingerprint)")
            } catch let failure as Failure {
                reasons[failure.kind, default: 0] += 1
            }
        }
        #expect((reasons[.notPermitted] ?? 0) > 20)
        #expect(Set(reasons.keys).isSubset(of: [.notPermitted, .badData]))
    }

    @Test func forgedStatementsAreRefused() throws {
        try seal(statement(expires: "2027-12-31"))
        for (text, other) in [
            ("\\\"site\\\":\\\"aachen\\\"", "\\\"site\\\":\\\"bonner\\\""), ("\\\"round\\\":3", "\\\"round\\\":4"),
            ("\\\"redistribution\\\":false", "\\\"redistribution\\\":true "), ("2027-12-31", "2097-12-31"),
            ("\\\"patients\\\":40", "\\\"patients\\\":90"),
            ("DUO:0000042", "DUO:0000004"),
        ] {
            let failure = try #require(throws: Failure.self, "\(text)") { try open(try forged(text, other)) }
            #expect(failure.kind == .notPermitted, "\(text): \(failure)")
        }
    }

    @Test func anotherSitesSignatureDoesNotFit() throws {
        try seal()
        let signature = try #require(try SafetensorsIndex(contentsOf: parcel).metadata["fovea.signature"])
        let other = folder.file("other.parcel")
        var changed = weights()
        changed.tensors["b"] = Tensor([0.25], shape: [1])
        _ = try ParcelSeal.seal(
            changed, path: "w", statement: statement(), unaudited: "a test", key: SigningKey(), to: other, force: true)
        var file = try Safetensors(contentsOf: other)
        file.metadata["fovea.signature"] = signature
        try file.encoded(as: .f16).write(to: URL(fileURLWithPath: other))
        #expect((try #require(throws: Failure.self) { try open(other) }).kind == .notPermitted)
        file.metadata["fovea.signature"] = nil
        try file.encoded(as: .f16).write(to: URL(fileURLWithPath: other))
        #expect((try #require(throws: Failure.self) { try open(other) }).sentence == "is unsigned")
    }

    @Test func namesOfTensorsCannotStandForTwo() throws {
        var first = weights(), second = weights()
        first.tensors = ["a": Tensor([1], shape: [1]), "a F16 [1]": Tensor([2], shape: [1])]
        second.tensors = ["a": Tensor([1], shape: [1]), "b F16 [1]": Tensor([2], shape: [1])]
        for file in [first, second] {
            _ = try ParcelSeal.seal(
                file, path: "w", statement: statement(), unaudited: "a test", key: key, to: parcel, force: true)
            #expect(try open(parcel).signer == key.publicKey)
        }
    }

    @Test func whatMayNotLeaveStays() throws {
        func refused(_ statement: ParcelStatement, unaudited: String? = "a test") throws -> Failure {
            try #require(throws: Failure.self) { try seal(statement, unaudited: unaudited) }
        }
        #expect(try refused(statement(), unaudited: nil).kind == .notPermitted)
        #expect(try refused(statement(), unaudited: "  ").kind == .notPermitted)
        #expect(try refused(statement("bonn")).sentence == "site: expected aachen, found bonn")
        var open = statement()
        open.permissions.purposes = []
        #expect(try refused(open).sentence.hasPrefix("permissions.purposes: expected at least one"))
        open.permissions.purposes = ["research"]
        #expect(try refused(open).sentence.hasSuffix("found \"research\""))
        open.permissions = Permissions(purposes: ["DUO:0000042"], expires: "tomorrow")
        #expect(try refused(open).kind == .usage)
        open.permissions = Permissions(purposes: ["DUO:0000042"], territories: ["Germany"])
        #expect(try refused(open).kind == .usage)
        #expect(!FileManager.default.fileExists(atPath: parcel))
    }

    @Test(arguments: [
        "", "-a", "aachen\u{1b}[31m", "а\u{0430}chen", "a b", "../x", "<script>", String(repeating: "a", count: 65),
    ])
    func namesThatLookLikeOthersAreNone(name: String) {
        #expect(SiteName.problem(name) != nil)
    }

    @Test func permissionsShrink() throws {
        let a = Permissions(
            purposes: ["DUO:0000042", "DUO:0000006"], expires: "2027-06-30", territories: ["DE", "FR"],
            redistribution: true, singleSite: true)
        let b = Permissions(purposes: ["DUO:0000042"], expires: "2027-01-31", redistribution: true)
        #expect(
            a.intersection(b)
                == Permissions(
                    purposes: ["DUO:0000042"], expires: "2027-01-31", territories: ["DE", "FR"], redistribution: true,
                    singleSite: false))
        #expect(a.intersection(b) == b.intersection(a))
        #expect(a.intersection(Permissions(purposes: ["DUO:0000004"])) == nil)
        #expect(a.intersection(Permissions(purposes: ["DUO:0000042"], territories: ["US"])) == nil)
        #expect(!a.isExpired(at: try Date("2027-06-30T23:00:00Z", strategy: .iso8601)))
        #expect(a.isExpired(at: try Date("2027-07-01T00:00:00Z", strategy: .iso8601)))
    }

    // MARK: - Trust

    private func trust(_ members: String, signedBy signer: SigningKey? = nil, withdrawn: String = "") throws
        -> TrustList
    {
        let path = folder.file("TRUST.yaml")
        try Data(
            "version: 1\nproject: test\ncoordinator: \(coordinator.publicKey.text)\nmembers:\n\(members)\n\(withdrawn)"
                .utf8
        )
        .write(to: URL(fileURLWithPath: path))
        try TrustList.sign(path, with: signer ?? coordinator)
        return try TrustList(contentsOf: path)
    }

    private func member(
        _ name: String = "aachen", _ key: SigningKey? = nil, from: String = "2026-01-01", until: String = "2027-12-31",
        more: String = "unaudited: true"
    ) -> String {
        "  - {name: \(name), key: \((key ?? self.key).publicKey.text), from: \(from), until: \(until), \(more)}"
    }

    @Test func trustHasReasons() throws {
        let parcel = try open(try seal(statement(expires: "2027-06-30")))
        let day = try Date("2027-01-15T12:00:00Z", strategy: .iso8601)
        #expect(try parcel.requireTrust(try trust(member()), at: day).largestShare == 0.5)
        func refused(_ list: TrustList, at moment: Date? = nil) throws -> String {
            let failure = try #require(throws: Failure.self) { try parcel.requireTrust(list, at: moment ?? day) }
            #expect(failure.kind == .notPermitted)
            return failure.sentence
        }
        #expect(
            try refused(try trust(member("aachen", SigningKey()))).hasPrefix(
                "signer unknown: \(key.publicKey.fingerprint)"))
        #expect(try refused(try trust(member("bonn"))) == "site: expected bonn, whose key signed, found aachen")
        #expect(
            try refused(try trust(member(until: "2026-12-31"))).contains(
                "counts from 2026-01-01 to 2026-12-31, and it is 2027-01-15"))
        #expect(try refused(try trust(member(from: "2027-02-01"))).contains("counts from"))
        #expect(try refused(try trust(member(), withdrawn: "withdrawn: [aachen]")) == "aachen was withdrawn")
        #expect(try refused(try trust(member(more: "unaudited: false"))).hasPrefix("has no audit (a test)"))
        #expect(
            try refused(try trust(member()), at: try Date("2027-07-01T00:00:00Z", strategy: .iso8601))
                == "its permissions ended on 2027-06-30")
    }

    @Test func onlyTheCoordinatorSignsAList() throws {
        _ = try trust(member())
        let path = folder.file("TRUST.yaml")
        #expect((try #require(throws: Failure.self) { try TrustList.sign(path, with: key) }).kind == .notPermitted)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("\nwithdrawn: [bonn]\n".utf8))
        try handle.close()
        #expect(
            (try #require(throws: Failure.self) { try TrustList(contentsOf: path) }).sentence.hasPrefix("is not what"))
        try FileManager.default.removeItem(atPath: path + ".sig")
        #expect(
            (try #require(throws: Failure.self) { try TrustList(contentsOf: path) }).sentence.hasPrefix("is not signed")
        )
    }

    @Test func hostileListsAreRefused() throws {
        for members in [
            member() + "\n" + member("bonn"), member("аachen"), member(more: "largestShare: 1.5"),
            member(more: "largestShare: 0"),
            member(more: "admin: true"), member(from: "yesterday"), "  - &a {name: x}\n  - *a", "  - 7",
        ] {
            let failure = #expect(throws: Failure.self, "\(members)") { try trust(members) }
            #expect(failure?.kind == .badData, "\(members): \(String(describing: failure))")
        }
    }

    // MARK: - Keys

    @Test func keysAreKept() throws {
        let path = folder.file("aachen.key")
        try key.write(path)
        #expect(try SigningKey(contentsOf: path).publicKey == key.publicKey)
        #expect(try SigningKey.publicKey(contentsOf: path + ".pub") == key.publicKey)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect((try #require(throws: Failure.self) { try SigningKey().write(path) }).kind == .cannotCreateOutput)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect((try #require(throws: Failure.self) { try SigningKey(contentsOf: path) }).kind == .notPermitted)
        #expect((try #require(throws: Failure.self) { try SigningKey.publicKey(contentsOf: path) }).kind == .badData)
    }

    /// RFC 8032, section 7.1, test 2: one byte.
    @Test func signaturesAreThoseOfTheRFC() throws {
        let bytes: (String) -> Data = { hex in
            Data(stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(String(Array(hex)[$0...$0 + 1]), radix: 16) })
        }
        let key = try PublicKey(
            bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").base64EncodedString(),
            field: "key", place: "RFC")
        let signature = bytes(
            """
            92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
            085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
            """
        )
        #expect(key.verifies(signature, of: Data([0x72])))
        #expect(!key.verifies(signature, of: Data([0x73])))
    }
}
