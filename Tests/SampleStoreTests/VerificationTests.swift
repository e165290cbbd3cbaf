import Files
import Foundation
import HDF5Files
import SampleStore
import Support
import Testing

/// What `fovea verify` says of sample sets.
@Suite struct VerificationTests {
    let folder: TemporaryFolder
    var path: String { folder.file("S.h5") }
    init() throws { folder = try TemporaryFolder() }

    private func write(
        schedule: String = SampleFixtures.run().schedule, model: ModelRecord = SampleFixtures.model, weights: [Float] = [0.7, 0.3],
        contact: String = "data@example.org"
    ) async throws {
        var run = SampleFixtures.run(), terms = SampleFixtures.terms
        run.schedule = schedule
        terms.contact = contact
        let writer = try SampleSetWriter(
            path: path, width: SampleFixtures.width, height: SampleFixtures.height, run: run, model: model, terms: terms,
            siteNames: ["aachen", "bonn"])
        try await writer.append([SampleRecord(pixels: SampleFixtures.pixels(0), seed: 1, index: 0, siteWeights: weights)], finished: run.started + 60)
        try await writer.finish()
    }

    private func places() async -> [String] {
        await SampleSetVerification.findingsInContent(path).map { $0.place.replacingOccurrences(of: "\(SampleFixtures.modelDigest)".prefix(12), with: "M") }
    }

    @Test func aSoundSetHasNoFindings() async throws {
        try await write()
        #expect(try SampleSetVerification.findingsInBytes(path) == [])
        #expect(await SampleSetVerification.findingsInContent(path) == [])
    }

    @Test func changedPixelsAreNamedByRow() async throws {
        try await SampleFixtures.write(path)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        // The stored digest of the second row; the pixels themselves are under a checksum.
        let digest = Digest(of: SampleFixtures.pixels(1))
        let place = try #require(bytes.firstRange(of: Data(digest.bytes)))
        bytes[place.lowerBound + 31] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(await places() == ["/images row 1"])
        #expect(try SampleSetVerification.findingsInBytes(path).map(\.place) == ["bytes of the file"])
    }

    @Test func aChangedFirstBlockIsNamed() async throws {
        try await write()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[300] = 1
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(try SampleSetVerification.findingsInBytes(path).map(\.place) == ["first block"])
        #expect(await places() == [])
    }

    @Test func linksAndLabelsAreFollowed() async throws {
        try await write(schedule: #"{"kind":"karras","steps":9,"sigma_min":0.002,"sigma_max":20,"rho":7}"#)
        #expect(await places() == ["/runs/steps 0"])
        try FileManager.default.removeItem(atPath: path)
        try await write(schedule: #"{"steps":18}"#)
        #expect(await places() == ["/runs/schedule 0"])
        try FileManager.default.removeItem(atPath: path)
        try await write(weights: [0.7, 0.7])
        #expect(await places() == ["/provenance/site_weight row 0"])
        try FileManager.default.removeItem(atPath: path)
        try await write(contact: "")
        #expect(await places() == ["attribute contact of /"])
    }

    @Test func manifestLineageAndPROVMustAgree() async throws {
        func model(_ change: (inout ModelRecord) throws -> Void) throws -> ModelRecord {
            var model = SampleFixtures.model
            try change(&model)
            return model
        }
        func found(_ change: (inout ModelRecord) throws -> Void) async throws -> [String] {
            try? FileManager.default.removeItem(atPath: path)
            try await write(model: try model(change))
            return await places()
        }
        #expect(try await found { $0.provJSON = #"{"entity":{}}"# } == ["/models/M/prov"])
        #expect(try await found { $0.manifestJSON = #"{"parents":["ab"],"trainingData":[]}"# } == ["/models/M/manifest"])
        #expect(try await found { $0.lineageJSON = "{}" } == ["/models/M"])
        let other = Lineage(model: "ab", imagesSeen: nil, parents: [], sites: [], parcels: [], trainingSets: [])
        #expect(try await found {
            $0.lineageJSON = try other.json()
            $0.provJSON = try other.prov()
        } == ["/models/M/lineage"])
    }

    @Test func PROVFollowsTheParentsInAChain() throws {
        let lineage = Lineage(
            model: "m", imagesSeen: 5, parents: ["p", "q"], sites: ["aachen"],
            parcels: [.init(name: "bonn", digest: "b", weight: 0.5, trainingSets: [.init(digest: "t", site: "bonn", licence: "CC0")])],
            trainingSets: [.init(digest: "s", site: "aachen", licence: "CC0", patients: 20)])
        struct Document: Decodable {
            var wasDerivedFrom: [String: [String: String]]
            var used: [String: [String: String]]
        }
        let document = try JSONDecoder().decode(Document.self, from: Data(lineage.prov().utf8))
        let edges = document.wasDerivedFrom.values.map { "\($0["prov:generatedEntity"]!) <- \($0["prov:usedEntity"]!)" }.sorted()
        #expect(edges == ["fovea:m <- fovea:b", "fovea:m <- fovea:p", "fovea:p <- fovea:q"])
        #expect(document.used.values.map { $0["prov:entity"] }.sorted { $0! < $1! } == ["fovea:s", "fovea:t"])
        #expect(try Lineage(json: lineage.json(), place: "x") == lineage)
    }
}
