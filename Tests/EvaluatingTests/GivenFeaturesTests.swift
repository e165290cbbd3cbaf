import Auditing
import CheckpointStore
import Cohorts
import Datasets
import Evaluating
import Files
import Foundation
import Support
import TensorCore
import Testing

@Suite("Features that another program computed")
struct GivenFeaturesTests {
    private let folder: TemporaryFolder
    private let site, drawn: AuditSource

    init() async throws {
        let folder = try TemporaryFolder()
        func write(_ name: String, _ count: Int, isSynthetic: Bool) async throws -> AuditSource {
            let path = folder.file(name)
            let writer = try await DatasetWriter(
                path: path, size: 32, info: DatasetInfo(site: "test", source: "test", synthetic: isSynthetic))
            // From so few photographs the audit's encoder learns nothing, and costs no time.
            try await writer.append(
                (0..<count).map { number in
                    SpottedEyes.record(
                        number % 2 == 0 ? "4" : "0", number, seed: isSynthetic ? 2 : 1,
                        split: number < 12 ? .train : .holdout)
                })
            try await writer.finish()
            return try await AuditSource(path)
        }
        self.folder = folder
        site = try await write("site.h5", 80, isSynthetic: false)
        drawn = try await write("drawn.h5", 30, isSynthetic: true)
    }

    /// A file with the rows in another order than the pictures, with two features: the second says whether a picture
    /// is synthetic.
    private func write(
        _ name: String = "f.safetensors", metadata changes: [String: String?] = [:], without left: Int = 0,
        tensor: String = "features", drawn value: Float = 100
    ) throws -> String {
        let pictures = [site, drawn].flatMap { source in
            (0..<source.count).map { (digest: source.pixelDigest($0), isDrawn: source.path == drawn.path) }
        }.reversed().dropFirst(left)
        var metadata = [
            "kind": GivenFeatures.kind, "version": "1", "name": "net",
            "pictures": pictures.compactMap { $0.digest?.description }.joined(separator: " "),
        ]
        for (key, text) in changes { metadata[key] = text }
        let numbers = pictures.enumerated().flatMap { number, picture in
            [Float(number % 7), picture.isDrawn ? value : 0]
        }
        let tensors = [tensor: Tensor(numbers, shape: [pictures.count, 2])]
        let path = folder.file(name)
        try Safetensors(tensors: tensors, metadata: metadata).encoded(as: .f32).write(to: URL(filePath: path))
        return path
    }

    private func inputs(_ features: [String]) throws -> EvaluationInputs {
        var inputs = EvaluationInputs(samples: drawn, train: site, tests: [], attribute: "dr_icdr")
        inputs.settings.parts = [.fidelity]
        inputs.features = try features.map { try GivenFeatures($0) }
        return inputs
    }

    private func run(_ inputs: EvaluationInputs) async throws -> [String: Double] {
        let work = folder.file("work-\(inputs.features.count)")
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
        let record = try await EvaluationRun(inputs) { _ in
        } progress: { _, _, _ in
        }.run(folder: work, resumes: false, replaces: true)
        let kinds = try #require(record.fidelity?.all.kinds)
        return Dictionary(
            uniqueKeysWithValues: kinds.compactMap { kind in
                kind.figures.map { (kind.name, $0.classifierArea.value.value) }
            })
    }

    @Test("rows belong to the pictures of their digests, and the figures see what the features see")
    func told() async throws {
        let areas = try await run(inputs([write()]))
        #expect(areas["net"] == 1, "\(areas)")
        // The same file without what tells the pictures apart.
        let blind = try await run(inputs([write("blind.safetensors", drawn: 0)]))
        #expect(try #require(blind["net"]) < 0.7, "\(blind)")
        #expect(Set(areas.keys).isSuperset(of: ["radiomic", "retina"]))
    }

    @Test("an evaluation goes on only with the same features")
    func fingerprint() throws {
        func fingerprint(_ features: [String]) throws -> Digest {
            try EvaluationRun(inputs(features), say: { _ in }, progress: { _, _, _ in }).fingerprint()
        }
        let none = try fingerprint([]), one = try fingerprint([write()])
        #expect(one != none)
        #expect(try fingerprint([write("other.safetensors", drawn: 2)]) != one)
        #expect(try fingerprint([write("again.safetensors")]) == one)
    }

    @Test("files that do not fit get a sentence")
    func refused() async throws {
        func expect(_ part: String, _ path: String) { expectFailure(.badData, part) { try GivenFeatures(path) } }
        expect("expected fovea.features 1, found none", try write(metadata: ["kind": nil]))
        expect("expected fovea.features 1, found fovea.features 2", try write(metadata: ["version": "2"]))
        expect("not Fovea's own, found retina", try write(metadata: ["name": "retina"]))
        expect("found none", try write(metadata: ["name": nil]))
        expect("found other [110, 2]", try write(tensor: "other"))
        expect("expected 110 digests, one for each row, found 1", try write(metadata: ["pictures": "abc"]))
        expect(
            "metadata pictures",
            try write(metadata: [
                "pictures": [String](repeating: "abc", count: 110)
                    .joined(separator: " ")
            ]))
        expect("finite numbers, found inf in row 0", try write(drawn: .infinity))
        expectFailure(.noSuchInput, "does not exist") { try GivenFeatures(folder.file("none.safetensors")) }
        // Without three of the pictures that are compared.
        let inputs = try inputs([write(without: 3)])
        await expectLaterFailure(.badData, "the 30 pictures of drawn.h5 that are compared, found 27 of them") {
            try await run(inputs)
        }
    }
}
