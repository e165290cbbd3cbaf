import Files
import Foundation
import Fovea
import Support
import Testing

/// Every path that is nearly right leads to the right one.
@Suite struct JobPathTests {
    private let folder: TemporaryFolder
    private let data, samples, snapshot: String

    init() throws {
        folder = try TemporaryFolder()
        let hdf5: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        data = try folder.write(hdf5, "a.h5")
        samples = try folder.write([UInt8](repeating: 0, count: 512) + hdf5, "s.h5")
        snapshot = try JobPathTests.weights("fovea.snapshot", folder, "run/snapshot.safetensors")
        _ = try JobPathTests.weights("fovea.checkpoint", folder, "run/checkpoint.safetensors")
        try folder.write([0xFF, 0xD8, 0xFF], "photographs/1.jpg")
        try folder.write(Array("name,grade\n1,2\n".utf8), "labels.csv")
        try folder.write(Array("file: {column: name}\nattributes: {}\n".utf8), "map.yaml")
        try folder.write(Array("fovea-private-key-1\n".utf8), "a.key")
        try folder.write(Array("fovea-public-key-1\n".utf8), "a.key.pub")
        try folder.write([0x89, 0x50, 0x4E, 0x47], "s.contact-sheet.png")
        try folder.write(Array("{}".utf8), "audit/public/audit.json")
    }

    private static func weights(_ kind: String, _ folder: TemporaryFolder, _ name: String) throws -> String {
        let header = Array("{\"__metadata__\":{\"fovea\":\"{\\\"kind\\\":\\\"\(kind)\\\"}\"}}".utf8)
        return try folder.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header, name)
    }

    /// The failure of a job that is refused for its paths.
    private func refusal(_ job: some Job) async -> Failure? {
        do {
            _ = try await job.outcome()
            return nil
        } catch {
            return error as? Failure
        }
    }

    private func sampling(_ model: String) -> SampleJob {
        SampleJob(model: ModelSource(model), .count(1, cohorts: []), to: folder.file("o.h5"))
    }

    @Test func `a model is found from its folder, its checkpoint and its name without a suffix`() async throws {
        for (path, kind) in [
            ("run", Failure.Kind.badData), ("run/", .badData), ("run/checkpoint.safetensors", .badData),
            ("run/snapshot", .noSuchInput), ("run/Snapshot.safetensors", .noSuchInput),
        ] {
            let failure = await refusal(sampling(folder.file(path)))
            #expect(failure?.kind == kind, "\(path)")
            #expect(failure?.sentence.hasSuffix("; give \(snapshot)") == true, "\(path): \(failure?.sentence ?? "")")
        }
        let found = await refusal(sampling(data))
        #expect(found?.option == "model")
        #expect(found?.sentence.hasPrefix("expected a snapshot of a model, found a data set") == true)
        // A folder in which trainings are.
        #expect(await refusal(sampling(folder.path))?.sentence.hasSuffix("give \(snapshot)") == true)
    }

    @Test func `a data set, samples, a key and an audit are found from what lies beside them`() async throws {
        func expect(_ job: some Job, _ option: String?, _ ending: String, _ line: Int = #line) async {
            let failure = await refusal(job)
            #expect(failure?.option == option, "line \(line): \(failure?.description ?? "")")
            #expect(failure?.sentence.hasSuffix(ending) == true, "line \(line): \(failure?.description ?? "")")
        }
        await expect(TrainJob(data: [snapshot], to: folder.file("r")), "data", "found a snapshot of a model")
        await expect(TrainJob(data: [samples], to: folder.file("r")), "data", "found a sample set")
        await expect(TrainJob(data: [folder.file("a")], to: folder.file("r")), nil, "does not exist; give \(data)")
        await expect(
            TrainJob(data: [folder.file("photographs")], to: folder.file("r")), "data",
            "fovea import makes a data set of a folder of photographs")
        await expect(ReportJob(folder.file("s.contact-sheet.png"), to: folder.file("r.html")), nil, "give \(samples)")
        await expect(InspectJob(folder.file("run/")), nil, "checkpoint.safetensors")
        let release = ReleaseJob(
            samples, audit: folder.file("audit/public"), key: folder.file("a.key.pub"), to: folder.file("o.h5"))
        await expect(release, "audit", "give \(folder.file("audit"))")
        await expect(
            ReleaseJob(samples, audit: folder.file("audit"), key: folder.file("a.key.pub"), to: folder.file("o.h5")),
            "key", "give \(folder.file("a.key"))")
        await expect(
            ImportJob(folder: folder.file("photographs/1.jpg"), site: "a", to: folder.file("o.h5")), nil,
            "give the folder that it is in, \(folder.file("photographs"))")
    }

    @Test func `two settings that are exchanged are recognised`() async throws {
        var job = ImportJob(folder: folder.file("photographs"), site: "a", to: folder.file("o.h5"))
        (job.labels, job.map) = (folder.file("map.yaml"), folder.file("labels.csv"))
        let failure = await refusal(job)
        #expect(failure?.remedy == .exchange("labels", "map"))
        #expect(failure?.sentence == "expected a table (CSV), found a map of a table's columns (YAML)")
        job.labels = folder.file("labels.csv")
        let twice = await refusal(job)
        #expect(twice?.option == "map" && twice?.remedy == nil)
        #expect(twice?.sentence.contains("expected a map of a table's columns (YAML), found a table (CSV)") == true)
        job.labels = try folder.write([0x50, 0x4B, 3, 4], "labels.xlsx")
        let sheet = await refusal(job)
        #expect(sheet?.sentence.hasSuffix("office document; export the table as CSV in UTF-8") == true)
        let validation = await refusal(ValidateJob(data, data: [snapshot]))
        #expect(validation?.sentence.hasSuffix("the two paths seem to be exchanged") == true)
        let audit = await refusal(AuditJob(samples: data, train: samples, to: folder.file("au")))
        #expect(audit?.option == "train" && audit?.sentence.contains("found a sample set") == true)
    }

    @Test func `an output whose suffix promises another kind of file is refused`() async throws {
        var sampling = sampling(folder.file("run/snapshot.safetensors"))
        for (name, part) in [
            ("s.png", "ends like a picture"), ("s.CSV", "ends like a table"), ("s.safetensors", "ends like a weights"),
        ] {
            sampling.output = folder.file(name)
            let failure = await refusal(sampling)
            #expect(failure?.kind == .usage, "\(name)")
            #expect(failure?.sentence.contains(part) == true, "\(name): \(failure?.sentence ?? "")")
            #expect(failure?.sentence.hasSuffix("end its name with .h5") == true)
        }
        let phantoms = await refusal(PhantomJob(patients: 3, seed: 1, to: folder.file("p.yaml")))
        #expect(phantoms?.kind == .usage)
        let run = await refusal(TrainJob(data: [data], to: folder.file("model.safetensors")))
        #expect(run?.sentence.hasSuffix("give it a name without .safetensors") == true)
        let export = await refusal(ExportJob(samples, as: .png, to: folder.file("pictures.zip")))
        #expect(export?.sentence.hasSuffix("give it a name without .zip") == true)
        let audit = await refusal(AuditJob(samples: samples, train: data, to: folder.file("audit.html")))
        #expect(audit?.sentence.contains("ends like a web page, but a folder is written there") == true)
        // A suffix that promises nothing is a name like another.
        var odd = PhantomJob(patients: 3, seed: 1, to: folder.file("p.set-1"))
        odd.size = 32
        #expect(try await odd.outcome().output == folder.file("p.set-1"))
    }
}
