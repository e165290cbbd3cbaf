import Cohorts
import Files
import Foundation
import HDF5Files
import SampleStore
import Support
import Testing

@HDF5Actor
@Suite struct SampleSetTests {
    let folder: TemporaryFolder
    var path: String { folder.file("S.h5") }
    init() throws { folder = try TemporaryFolder() }

    @Test func everythingComesBack() async throws {
        try await SampleFixtures.write(path, batches: [0..<1, 1..<3])
        let file = try await SampleSetFile.open(path)
        let samples = SampleFixtures.samples()
        #expect(file.count == 3)
        #expect(file.width == 10)
        #expect(file.height == 8)
        #expect(try await file.images(rows: [2, 0]) == samples[2].pixels + samples[0].pixels)
        #expect(await file.rowsThatDiffer() == [])
        #expect(file.digests == samples.map { Digest(of: $0.pixels) })
        #expect(file.seeds == [.max, 7, 7])
        #expect(file.indices == [0, 1, 1 << 40])
        #expect(file.runOfSample == [0, 0, 0])
        #expect(file.siteNames == ["aachen", "bonn"])
        #expect(file.siteWeights == [0.7, 0.3, 0.7, 0.3, 0, 1])
        #expect(file.terms == SampleFixtures.terms)
        #expect(!file.isReleasable)
        #expect(file.models == [SampleFixtures.model])
        var run = SampleFixtures.run()
        run.finished = Date(timeIntervalSince1970: 1_800_000_060)
        #expect(file.runs == [run])
        // A whole request is a code, too; 2.5 lies between codes.
        #expect(file.cohorts["dr_icdr"]?.codes == [3, -2, 2])
        #expect(file.requests["dr_icdr"]?.map { $0.isNaN ? -9 : $0 } == [-9, 2.5, 2])
        #expect(file.requests["age_band"]?.map { $0.isNaN ? -9 : $0 } == [-9, -9, 0.5])
        #expect(file.cohorts["age_band"]?.codes == [-2, -2, -2])
        #expect(file.cohorts["sex"]?.codes == [0, -1, -2])
        // The model's names first, then others.
        #expect(file.cohorts["camera"]?.names == ["Topcon", "Canon", "Aurora"])
        #expect(file.cohorts["camera"]?.codes == [0, 2, -2])
        #expect(file.cohort(row: 0) == samples[0].cohort)
        #expect(file.cohort(row: 1) == samples[1].cohort)
    }

    @Test func theFileIsLaidOutAsTheContractSays() async throws {
        try await SampleFixtures.write(path)
        let root = try HDF5File.open(path).root
        #expect(try root.names == ["audit", "cohort", "cohort_request", "images", "models", "provenance", "runs"])
        let images = try root.dataset("images")
        #expect(images.type == .integer(bytes: 1, signed: false))
        #expect(images.shape == [3, 8, 10, 3])
        #expect(images.storage == HDF5Storage(chunkRows: 1, deflate: 1, fletcher32: true))
        #expect(try images.attributeStrings("DIMENSION_LABELS") == ["sample", "height", "width", "channel"])
        let cohort = try root.group("cohort")
        #expect(try cohort.names == CohortSchema.attributes.map(\.name).sorted())
        for attribute in CohortSchema.attributes where !attribute.isOpen {
            var members = Dictionary(uniqueKeysWithValues: attribute.names.enumerated().map { ($1, $0) })
            members["unknown"] = -1
            members["unspecified"] = -2
            #expect(try cohort.dataset(attribute.name).type == .enumeration(bytes: 2, signed: true, members: members))
        }
        let request = try root.group("cohort_request")
        #expect(try request.names == ["age_band", "dme", "dr_icdr", "quality"])
        #expect(try request.dataset("dme").type == .float(bytes: 4))
        let provenance = try root.group("provenance")
        #expect(try provenance.names == ["digest", "index", "run", "seed", "site_names", "site_weight"])
        #expect(try provenance.dataset("seed").type == .integer(bytes: 8, signed: false))
        #expect(try provenance.dataset("index").type == .integer(bytes: 8, signed: false))
        #expect(try provenance.dataset("run").type == .integer(bytes: 4, signed: true))
        #expect(try provenance.dataset("digest").shape == [3, 32])
        #expect(try provenance.dataset("site_weight").type == .float(bytes: 4))
        #expect(try provenance.dataset("site_weight").shape == [3, 2])
        let runs = try root.group("runs")
        #expect(
            try runs.names == [
                "blas_core", "finished", "guidance", "kernel_isa", "model_digest", "openblas_version", "sampler",
                "schedule",
                "started", "steps", "tool_version",
            ])
        for name in try runs.names { #expect(try runs.dataset(name).shape == [1]) }
        let model = try root.group("models").group(SampleFixtures.modelDigest.description)
        #expect(try model.names == ["lineage", "manifest", "prov"])
        for name in try model.names { #expect(try model.dataset(name).shape == []) }
        #expect(try root.group("audit").names == [])
        #expect(try root.attributeString("synthetic") == "YES")
        #expect(
            try root.attributeString("digital_source_type")
                == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia")
        #expect(try root.attributeString("releasable") == "NO")
        #expect(try root.attributeString("kind") == "fovea.samples")
        #expect(try root.attributeInt("version") == 1)
        for name in ["licence", "attribution", "permitted_uses", "contact", "created"] {
            #expect(try !root.attributeString(name).isEmpty)
        }
    }

    @Test func aSetWithoutSitesHasNone() async throws {
        let writer = try SampleSetWriter(
            path: path, width: 10, height: 8, run: SampleFixtures.run(), model: SampleFixtures.model,
            terms: SampleFixtures.terms)
        try await writer.append([SampleRecord(pixels: SampleFixtures.pixels(0), seed: 1, index: 0)])
        try await writer.finish()
        let file = try await SampleSetFile.open(path)
        #expect(file.siteNames == [])
        #expect(file.siteWeights == [])
        #expect(file.cohort(row: 0) == Cohort())
    }

    @Test func sameSamplesAreTheSameBytesAndOtherDatesTheSameContent() async throws {
        try await SampleFixtures.write(path)
        try await SampleFixtures.write(folder.file("batches.h5"), batches: [0..<1, 1..<2, 2..<3])
        try await SampleFixtures.write(folder.file("later.h5"), started: 1_900_000_000)
        try await SampleFixtures.write(folder.file("seed.h5"), seed: 8)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("batches.h5"))) == bytes)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("later.h5"))) != bytes)
        let digest = try await SampleSetFile.contentDigest(path)
        #expect(try await SampleSetFile.contentDigest(folder.file("later.h5")) == digest)
        #expect(try await SampleSetFile.contentDigest(folder.file("seed.h5")) != digest)
    }

    @Test func theDescriptionCounts() async throws {
        try await SampleFixtures.write(path)
        let description = try await SampleSetFile.describe(path)
        #expect(description.samples == 3)
        #expect(description.cohorts["sex"] == ["female": 1, "unknown": 1, "unspecified": 1])
        #expect(description.runs.map(\.samples) == [3])
        #expect(description.models == [SampleFixtures.modelDigest.description])
        #expect(description.sites == ["aachen", "bonn"])
        let again = try JSONDecoder().decode(SampleSetDescription.self, from: JSONEncoder().encode(description))
        #expect(again == description)
    }
}
