import CheckpointStore
import Files
import Foundation
import Support
import Testing

/// Whose key a file holds, and who can read it.
@Suite struct KeyFileTests {
    let folder: TemporaryFolder
    let key = SigningKey()
    init() throws {
        folder = try TemporaryFolder()
        try key.write(folder.file("aachen.key"))
    }

    @Test func `a pair of keys has one fingerprint`() throws {
        let own = try KeyFile(contentsOf: folder.file("aachen.key"))
        #expect(own.sort == .privateKey && own.publicKey == key.publicKey)
        #expect(own.mode == "600" && !own.isReadableByOthers && !own.owner.isEmpty)
        let other = try KeyFile(contentsOf: folder.file("aachen.key.pub"))
        #expect(other.sort == .publicKey && other.publicKey == key.publicKey && other.mode == "644")
    }

    @Test func `a private key that others can read is shown as such, and does not sign`() throws {
        let path = folder.file("aachen.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        let found = try KeyFile(contentsOf: path)
        #expect(found.mode == "640" && found.isReadableByOthers && found.publicKey == key.publicKey)
        expectFailure(.notPermitted, "can be read by others (mode 640)") { try SigningKey(contentsOf: path) }
    }

    @Test func `a public key in place of a private one is named, and the other way round`() throws {
        let path = folder.file("aachen.key")
        expectFailure(.badData, "is a public key; give the private key, \(path)") {
            try SigningKey(contentsOf: path + ".pub")
        }
        try FileManager.default.copyItem(atPath: path + ".pub", toPath: folder.file("renamed"))
        let failure = expectFailure(.badData, "is a public key; give the private key") {
            try SigningKey(contentsOf: folder.file("renamed"))
        }
        #expect(failure?.sentence == "is a public key; give the private key")
        expectFailure(.badData, "is a private key, and the public one was expected, \(path).pub") {
            try SigningKey.publicKey(contentsOf: path)
        }
    }

    @Test func `what is no key says so`() throws {
        for content in ["", "hello", "fovea-public-key-2\nx\n"] {
            let path = try folder.write(content.utf8, "x")
            #expect(KeyFile.sort(of: path) == nil)
            expectFailure(.badData, "is not a key that fovea made") { try KeyFile(contentsOf: path) }
        }
        expectFailure(.noSuchInput, "does not exist") { try KeyFile(contentsOf: folder.file("none")) }
        expectFailure(.badData, "is a folder") { try KeyFile(contentsOf: folder.path) }
    }
}

/// Codes of the Data Use Ontology.
@Suite struct DataUseTests {
    @Test func `each code has the ontology's form, and a label of its own`() {
        let all = DataUse.all
        #expect(all.count == 23 && Set(all.map(\.code)).count == 23 && Set(all.map(\.label)).count == 23)
        for use in all { #expect(Permissions.isPurpose(use.code), "\(use.code)") }
        #expect(DataUse.text("DUO:0000042") == "DUO:0000042 (general research use)")
        #expect(DataUse.text("DUO:0000006") == "DUO:0000006 (health or medical or biomedical research)")
    }

    /// Headings of the ontology, codes that it gave up, and what never was one.
    @Test(arguments: ["research", "DUO:0000001", "DUO:0000017", "DUO:0000005", "DUO:0000014", "DUO:9999999", ""])
    func `a code that there is not is answered with all that there are`(code: String) {
        let failure = expectFailure(.usage, "expected a code of the Data Use Ontology, found \(code.debugDescription)")
        {
            try DataUse.require(code, option: "purpose")
        }
        #expect(failure?.option == "purpose")
        for use in DataUse.all { #expect(failure?.sentence.contains(use.text) == true, "\(use.text)") }
    }

    @Test func `terms that go into files have codes alone, and people read labels`() {
        let permissions = Permissions(purposes: ["DUO:0000042", "DUO:9999999"], expires: "2027-12-31")
        #expect(permissions.problem == nil, "version 0.1 took every number")
        let rest = "; worldwide; until 2027-12-31; redistribution no; sampling one site alone no"
        #expect(permissions.text == "DUO:0000042, DUO:9999999\(rest)")
        #expect(permissions.labelledText == "DUO:0000042 (general research use), DUO:9999999\(rest)")
    }
}
