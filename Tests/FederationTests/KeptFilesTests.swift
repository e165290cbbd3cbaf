import CheckpointStore
import Federation
import Files
import Foundation
import Support
import TensorCore
import Testing

/// Keys and signatures that version 0.1.0 made, when another library computed them: they open, they verify, and the
/// same key gives the same bytes today.
///
/// `Fixtures/sealed-0.1.0.parcel` was sealed by `ParcelSeal.seal` at 0.1.0 with what `seal` below has; the texts come
/// from the same run.
@Suite struct KeptFilesTests {
    struct Nothing: Codable, Sendable {}

    let folder: TemporaryFolder
    let key: SigningKey
    let fixture = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/sealed-0.1.0.parcel")

    /// The private key of the bytes 0 to 31, in the file that 0.1.0 wrote.
    static let keyFile = "fovea-private-key-1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

    init() throws {
        folder = try TemporaryFolder()
        let path = try folder.write(Self.keyFile.utf8, "old.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        key = try SigningKey(contentsOf: path)
    }

    private func seal(_ path: String) throws {
        let data = TrainingData(
            digest: String(repeating: "ab", count: 32), site: "aachen", licence: "CC0", source: "eyes",
            cohortCounts: [:], patients: 40)
        let manifest = Manifest(
            kind: .adapter, model: Nothing(), cohortSchemaVersion: 1, imagesSeen: 640, trainingData: [data],
            parents: ["base"], licence: "CC0", attributions: [], configuration: "seed: 1", toolVersion: "test")
        let weights = WeightsFile(
            manifest: manifest, tensors: ["a": Tensor([1, 2, 3, -4], shape: [2, 2]), "b": Tensor([0.5], shape: [1])])
        let statement = ParcelStatement(
            site: "aachen", round: 3, base: "base", issued: Date(timeIntervalSince1970: 1_800_000_000),
            selfTest: [.init(sigma: 0.2, error: 0.03)],
            permissions: Permissions(purposes: ["DUO:0000042"], expires: nil), contact: "data@example.org")
        _ = try ParcelSeal.seal(
            weights, path: "w", statement: statement, unaudited: "a test", key: key, to: path, force: false)
    }

    @Test func theKeyIsTheSame() throws {
        #expect(key.publicKey.text == "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=")
        #expect(key.publicKey.fingerprint == "5647-5aa7-5463-474c")
        let again = folder.file("again.key")
        try key.write(again)
        #expect(try String(contentsOfFile: again, encoding: .utf8) == Self.keyFile)
        #expect(
            try String(contentsOfFile: again + ".pub", encoding: .utf8)
                == "fovea-public-key-1\nA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\n")
    }

    @Test func signaturesAreTheSame() {
        let message = Data("fovea".utf8), signature = key.signature(of: message)
        #expect(
            signature.base64EncodedString()
                == "kLsK9fjP9PzJFOw8bO6ss2Yb/xYg8Y37GQ7OBbb6+5KSczEXRc8qL0cQCTXvYv3sUtnx5rdp7yf5mjTYBDtPAQ==")
        #expect(key.publicKey.verifies(signature, of: message))
    }

    @Test func protectedDigestsAreTheSame() {
        #expect(key.protected("photographs") == "ebc439b4d373ff3326078465d84981bc30aae6a4a404b04bdce7f511b8dcfc5d")
    }

    @Test func detachedSignaturesVerify() throws {
        let list = Data("sites: []\n".utf8), path = folder.file("trust.yaml")
        try folder.write(
            "N4ehtYQ0d2Uv+43xO4ycgr0ylGNbGUao/FY7ah8fPGptzCV+2Qs75dZPurNFjyVsGlNXOq76z3wqsOneWSP4Aw==\n".utf8,
            "trust.yaml.sig")
        try DetachedSignature.verify(list, at: path, domain: "fovea-trust-1", by: key.publicKey, advice: "")
        for (content, domain) in [(list + [0x20], "fovea-trust-1"), (list, "fovea-trust-2")] {
            let failure = try #require(throws: Failure.self) {
                try DetachedSignature.verify(content, at: path, domain: domain, by: key.publicKey, advice: "")
            }
            #expect(failure.kind == .notPermitted)
        }
    }

    @Test func theParcelOpensAndIsSealedToTheSameBytes() throws {
        let parcel = try Parcel<Nothing>(contentsOf: fixture.path)
        #expect(parcel.signer == key.publicKey)
        let again = folder.file("again.parcel")
        try seal(again)
        #expect(try Data(contentsOf: URL(filePath: again)) == Data(contentsOf: fixture))
    }

    @Test(arguments: [
        "\n", "\r\n", "fovea-private-key-1\n", "fovea-public-key-1\nAAAA\n", "fovea-private-key-1\nAAAA\n",
    ])
    func whatIsNoKeyIsRefused(text: String) throws {
        let path = try folder.write(text.utf8, "bad.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        let failure = try #require(throws: Failure.self) { try SigningKey(contentsOf: path) }
        #expect(failure.kind == .badData)
    }

    /// Under these "keys" signatures can be made by anybody.
    @Test func keysOfSmallOrderAreRefused() throws {
        let one = Data([1] + [UInt8](repeating: 0, count: 31)).base64EncodedString()
        let failure = try #require(throws: Failure.self) { try PublicKey(one, field: "key", place: "trust.yaml") }
        #expect(failure.kind == .badData && "\(failure)".contains("trust.yaml"))
    }
}
