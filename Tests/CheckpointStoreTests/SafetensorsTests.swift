import CheckpointStore
import Files
import Foundation
import Support
import TensorCore
import Testing

@Suite struct SafetensorsTests {
    static let tensors = [
        "b.weight": Tensor([1, -2.5, 0.1, 65504, 1e-7, 3], shape: [2, 3]), "a": Tensor([7], shape: []),
        "empty": Tensor([], shape: [0, 4]),
    ]

    private func file(_ type: StoredType) -> Data {
        Safetensors(tensors: SafetensorsTests.tensors, metadata: ["fovea": "{\"x\":\"ä\\n\"}", "other": "1"]).encoded(
            as: type)
    }

    @Test func float32Returns() throws {
        let read = try Safetensors(file(.f32), path: "f")
        #expect(read.metadata == ["fovea": "{\"x\":\"ä\\n\"}", "other": "1"])
        #expect(Set(read.tensors.keys) == ["a", "b.weight", "empty"])
        for (name, tensor) in SafetensorsTests.tensors {
            #expect(read.tensors[name]?.shape == tensor.shape)
            #expect(read.tensors[name]?.elements == tensor.elements)
        }
    }

    @Test(arguments: [(StoredType.f16, Float(1) / 1024), (.bf16, Float(1) / 128)])
    func halvesRoundToNearest(_ type: StoredType, _ tolerance: Float) throws {
        let found = try #require(try Safetensors(file(type), path: "f").tensors["b.weight"]).elements
        let expected = try #require(SafetensorsTests.tensors["b.weight"]).elements
        try #require(found.count == expected.count)
        for (a, b) in zip(found, expected) { #expect(abs(a - b) <= tolerance / 2 * abs(b) + 6e-8) }
        #expect(found[2] != expected[2])
    }

    @Test func bytesAreDeterministicAndAligned() throws {
        let data = file(.f32)
        #expect(data == file(.f32))
        #expect(data[0] % 8 == 0)
        let text = String(decoding: data.dropFirst(8).prefix(200), as: UTF8.self)
        let a = try #require(text.range(of: "\"a\":")), b = try #require(text.range(of: "\"b.weight\":"))
        #expect(a.lowerBound < b.lowerBound)
    }

    /// One file a threat; each must be refused with a sentence that names it.
    static let attacks: [(name: String, header: String, body: Int, says: String)] = [
        (
            "overlap",
            #"""
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},\#
            "b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}
            """#,
            4, "overlap or gap"
        ),
        ("gap", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "overlap or gap"),
        ("outside", #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 4, "outside"),
        ("trailing", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 8, "behind the last tensor"),
        ("shape", #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}"#, 4, "needs 12 bytes"),
        (
            "huge shape", #"{"a":{"dtype":"F32","shape":[999999999999,999999999999],"data_offsets":[0,4]}}"#, 4,
            "larger than the file"
        ),
        (
            "duplicate",
            #"""
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},\#
            "a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}
            """#,
            4, "occurs twice"
        ),
        (
            "duplicate inside", #"{"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}}"#, 4,
            "occurs twice"
        ),
        ("unknown type", #"{"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}}"#, 4, "dtype"),
        ("unknown key", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"code":"x"}}"#, 4, "unknown key"),
        ("missing key", #"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "expected dtype, shape and data_offsets"),
        ("reversed", #"{"a":{"dtype":"F32","shape":[0],"data_offsets":[4,0]}}"#, 4, "outside"),
        ("negative", #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "whole number"),
        ("not JSON", #"{"a":"#, 0, "expected"),
        ("text behind", #"{} x"#, 0, "behind the JSON"),
        ("metadata not strings", #"{"__metadata__":{"fovea":1}}"#, 0, "string"),
    ]

    @Test(arguments: attacks.map(\.name))
    func attackIsRefused(_ name: String) throws {
        let attack = try #require(SafetensorsTests.attacks.first { $0.name == name })
        var data = Data()
        withUnsafeBytes(of: UInt64(attack.header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
        data += Data(attack.header.utf8) + Data(count: attack.body)
        let failure = #expect(throws: Failure.self) { try Safetensors(data, path: "evil.safetensors") }
        #expect(failure?.kind == .badData)
        let sentence = failure?.description ?? ""
        #expect(sentence.hasPrefix("evil.safetensors: "))
        #expect(sentence.contains(attack.says), "\(sentence)")
    }

    @Test func shortAndLongHeadersAreRefused() {
        expectFailure(.badData, "expected at least 8 bytes, found 3") { try Safetensors(Data([1, 2, 3]), path: "f") }
        var long = Data([0, 0, 0, 0, 0, 0, 0, 0x10])
        long += Data("{}".utf8)
        expectFailure(.badData, "header: expected at most 104857600 bytes, found 1152921504606846976") {
            try Safetensors(long, path: "f")
        }
        expectFailure(.badData, "header: expected 200 bytes, found 2") {
            try Safetensors(Data([200, 0, 0, 0, 0, 0, 0, 0]) + Data("{}".utf8), path: "f")
        }
    }

    @Test func everyTruncationIsRefused() {
        let data = file(.f16)
        for length in 0..<data.count {
            expectFailure(.badData, "not a valid safetensors file: ", "\(length) bytes") {
                try Safetensors(data.prefix(length), path: "f")
            }
        }
    }

    struct Model: Codable, Sendable, Equatable {
        var width: Int
    }

    private func weights(_ kind: WeightsKind) -> WeightsFile<Model> {
        WeightsFile(
            manifest: Manifest(
                kind: kind, model: Model(width: 3), cohortSchemaVersion: 1, imagesSeen: 12, trainingData: [],
                licence: "CC BY 4.0", attributions: ["somebody"], configuration: "", toolVersion: "t"),
            tensors: SafetensorsTests.tensors)
    }

    @Test func weightsFilesReturn() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("w.safetensors")
        let written = try weights(.snapshot).write(path, as: .f32, force: false)
        let (file, digest) = try WeightsFile<Model>.read(path, kind: .snapshot)
        #expect(digest == written)
        #expect(file.manifest.model == Model(width: 3))
        #expect(file.manifest.imagesSeen == 12)
        let again = #expect(throws: Failure.self) { try weights(.snapshot).write(path, as: .f32, force: false) }
        #expect(again?.kind == .cannotCreateOutput)
        let kind = #expect(throws: Failure.self) { try WeightsFile<Model>.read(path, kind: .checkpoint) }
        #expect(kind?.description.contains("fovea.checkpoint") == true)
        let missing = #expect(throws: Failure.self) { try WeightsFile<Model>.read(folder.file("none"), kind: nil) }
        #expect(missing?.kind == .noSuchInput)
    }

    @Test func countsThatLeaveASiteAreRounded() {
        #expect([0, 2, 3, 7, 8, 12, 13].map(TrainingData.rounded) == [0, 0, 5, 5, 10, 10, 15])
    }
}
