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
        schedule: String = SampleFixtures.run().schedule, guidance: Float = 1.5, sampler: String = "heun",
        samples: Int = 1, model: ModelRecord = SampleFixtures.model, weights: [Float] = [0.7, 0.3],
        contact: String = "data@example.org"
    ) async throws {
        var run = SampleFixtures.run(), terms = SampleFixtures.terms
        run.schedule = schedule
        run.guidance = guidance
        run.sampler = sampler
        terms.contact = contact
        let writer = try SampleSetWriter(
            path: path, width: SampleFixtures.width, height: SampleFixtures.height, run: run, model: model,
            terms: terms,
            siteNames: ["aachen", "bonn"])
        let sample = SampleRecord(
            pixels: SampleFixtures.pixels(0), requests: ["dr_icdr": 2.5], seed: 1, index: 0, siteWeights: weights)
        try await writer.append([SampleRecord](repeating: sample, count: samples), finished: run.started + 60)
        try await writer.finish()
    }

    private func places() async -> [String] {
        await SampleSetVerification.findingsInContent(path, samplers: ["heun"]).map {
            $0.place.replacingOccurrences(of: "\(SampleFixtures.modelDigest)".prefix(12), with: "M")
        }
    }

    @Test func aSoundSetHasNoFindings() async throws {
        try await write()
        #expect(try SampleSetVerification.findingsInBytes(path) == [])
        #expect(await SampleSetVerification.findingsInContent(path, samplers: ["heun"]) == [])
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

    @Test func settingsThatNoSamplerHasAreNamed() async throws {
        for (schedule, problem) in [
            (
                #""kind":"karras","steps":18,"sigma_min":0.002,"sigma_max":20,"rho":-7"#,
                "rho: expected 0.01 to 1000, found -7.0"
            ),
            (
                #""kind":"karras","steps":18,"sigma_min":20,"sigma_max":0.002,"rho":7"#,
                "sigma: expected 0 < sigma_min < sigma_max <= 10000, found 20.0 and 0.002"
            ),
            (
                #""kind":"linear","steps":18,"sigma_min":0.002,"sigma_max":20,"rho":7"#,
                "kind: expected karras, found \"linear\""
            ),
            (
                #""kind":"karras","steps":18,"sigma_min":0.002,"sigma_max":20,"rho":7,"evaluations":3"#,
                "evaluations: expected 18 to 144 for 18 steps, found 3"
            ),
            (
                #""kind":"karras","steps":18,"sigma_min":0.002,"sigma_max":20,"rho":7,"sigma_start":20"#,
                "sigma_start: expected more than sigma_max, 20.0, and at most 10000, found 20.0"
            ),
            (
                #""kind":"karras","steps":18,"sigma_min":0.002,"sigma_max":20,"rho":7,"noise_gain":[2,1]"#,
                "noise_gain: expected 1 to 1.2 and a noise level, found [2.0, 1.0]"
            ),
            (
                #""kind":"karras","steps":18,"sigma_min":0.002,"sigma_max":20,"rho":7,"guidance_interval":[2,1]"#,
                "guidance_interval: expected two noise levels in order, found [2.0, 1.0]"
            ),
            (
                #""kind":"karras","steps":18,"sigma_min":0.002,"sigma_max":20,"rho":7,"guided_attributes":["x"]"#,
                "guided_attributes: expected attributes of the schema, found \"x\""
            ),
        ] {
            try? FileManager.default.removeItem(atPath: path)
            try await write(schedule: "{\(schedule)}")
            #expect(
                await SampleSetVerification.findingsInContent(path, samplers: ["heun"]) == [
                    Finding("/runs/schedule 0", problem)
                ])
        }
        try FileManager.default.removeItem(atPath: path)
        try await write(guidance: 99)
        #expect(await places() == ["/runs/guidance 0"])
        try FileManager.default.removeItem(atPath: path)
        try await write(sampler: "hune")
        #expect(await places() == ["/runs/sampler 0"])
        try FileManager.default.removeItem(atPath: path)
        try await write(samples: 2)
        #expect(await places() == ["row 1"])
    }

    @Test func requestsMustBeOnTheLineAndInTheirColumn() async throws {
        try await write()
        let whole = try Data(contentsOf: URL(fileURLWithPath: path)),
            request = withUnsafeBytes(of: Float(2.5)) { Data($0) }
        for value in [Float(99), -1, .infinity, 2] {
            var bytes = whole
            bytes.replaceSubrange(
                try #require(bytes.firstRange(of: request)), with: withUnsafeBytes(of: value) { Data($0) })
            try bytes.write(to: URL(fileURLWithPath: path))
            // Off the line the file does not open; on it, it must be what the code says.
            #expect(await places() == [value == 2 ? "/cohort_request/dr_icdr row 0" : "structure"], "\(value)")
        }
    }

    /// What nobody reads, nobody checks; a link back into the file has no end.
    @HDF5Actor
    @Test func whatIsNoPartOfASetIsRefused() async throws {
        let file = try HDF5File.create(path)
        try file.root.setAttribute("kind", "fovea.samples")
        try file.root.setAttribute("version", 1)
        try file.root.setAttribute("synthetic", "YES")
        try file.root.setAttribute("digital_source_type", SampleSet.digitalSourceType)
        _ = try file.root.createGroup("patients")
        try file.close()
        await #expect(throws: Failure(.badData, path, "/patients is no part of a sample set")) {
            try await SampleSetFile.open(path, verifying: false)
        }
    }

    /// HDF5 shows others what the mapping says, so it must say the same as the table of shards.
    @HDF5Actor
    @Test(arguments: [["a.h5", "b.h5"], ["b.h5", "a.h5"], ["a.h5", "a.h5"]])
    func aMappingToOtherRowsIsRefused(mapped: [String]) async throws {
        let file = try HDF5File.create(path), root = file.root
        for (name, value) in [
            ("kind", "fovea.samples"), ("synthetic", "YES"), ("digital_source_type", SampleSet.digitalSourceType),
            ("releasable", "NO"),
            ("created", "2026-01-31T12:00:00Z"), ("licence", "CC0"), ("attribution", ""), ("permitted_uses", ""),
            ("contact", ""),
        ] { try root.setAttribute(name, value) }
        try root.setAttribute("version", 1)
        try root.setAttribute("schema_version", 1)
        _ = try root.createGroup("models")
        let shards = try root.createGroup("shards")
        try shards.write("name", strings: ["a.h5", "b.h5"])
        try shards.write("samples", [Int64](repeating: 4, count: 2), shape: [2])
        try shards.write("digest", [UInt8](repeating: 0, count: 64), shape: [2, 32])
        let images = try root.createVirtual(
            "images", UInt8.self, shape: [8, 8, 10, 3], sources: mapped.map { ($0, 4) }, dataset: "/images")
        #expect(
            try images.virtualSources()
                == zip(mapped, [0..<4, 4..<8]).map {
                    HDF5VirtualSource(file: $0, dataset: "/images", rows: $1, sourceRows: 0..<4)
                })
        try file.close()
        let failure = await #expect(throws: Failure.self) { try await SampleSetFile.open(path, verifying: false) }
        #expect(
            failure?.sentence
                == (mapped == ["a.h5", "b.h5"]
                    ? "the shard a.h5 is missing; its 4 samples cannot be read"
                    : "/images: expected the shards in /shards, in order, found a mapping to other rows or files"))
    }

    @Test func sitesAreTheModels() async throws {
        let other = Lineage(
            model: "\(SampleFixtures.modelDigest)", imagesSeen: nil, parents: [], sites: ["elsewhere"], parcels: [],
            trainingSets: [])
        var model = SampleFixtures.model
        model.lineageJSON = try other.json()
        model.provJSON = try other.prov()
        try await write(model: model)
        #expect(await places() == ["/provenance/site_names"])
        model = SampleFixtures.model
        model.manifestJSON = #"{"kind":"snapshot","parents":[],"trainingData":[],"licence":"CC0"}"#
        try FileManager.default.removeItem(atPath: path)
        try await write(model: model)
        #expect(await places() == ["/models/M/manifest"])
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
        #expect(
            try await found { $0.manifestJSON = #"{"parents":["ab"],"trainingData":[]}"# } == ["/models/M/manifest"])
        #expect(try await found { $0.lineageJSON = "{}" } == ["/models/M"])
        let other = Lineage(
            model: "ab", imagesSeen: nil, parents: [], sites: ["aachen", "bonn"], parcels: [], trainingSets: [])
        #expect(
            try await found {
                $0.lineageJSON = try other.json()
                $0.provJSON = try other.prov()
            } == ["/models/M/lineage"])
    }

    @Test func PROVFollowsTheParentsInAChain() throws {
        let lineage = Lineage(
            model: "m", imagesSeen: 5, parents: ["p", "q"], sites: ["aachen"],
            parcels: [
                .init(
                    name: "bonn", digest: "b", weight: 0.5,
                    trainingSets: [.init(digest: "t", site: "bonn", licence: "CC0")])
            ],
            trainingSets: [.init(digest: "s", site: "aachen", licence: "CC0", patients: 20)])
        struct Document: Decodable {
            var wasDerivedFrom: [String: [String: String]]
            var used: [String: [String: String]]
        }
        let document = try JSONDecoder().decode(Document.self, from: Data(lineage.prov().utf8))
        let edges = document.wasDerivedFrom.values.map { "\($0["prov:generatedEntity"]!) <- \($0["prov:usedEntity"]!)" }
            .sorted()
        #expect(edges == ["fovea:m <- fovea:b", "fovea:m <- fovea:p", "fovea:p <- fovea:q"])
        #expect(document.used.values.map { $0["prov:entity"] }.sorted { $0! < $1! } == ["fovea:s", "fovea:t"])
        #expect(try Lineage(json: lineage.json(), place: "x") == lineage)
    }
}
