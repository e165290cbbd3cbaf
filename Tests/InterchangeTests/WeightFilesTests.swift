import CheckpointStore
import Files
import Foundation
import Interchange
import Support
import TensorCore
import Testing

/// The names and numbers of files in which diffusers keeps weights.
@Suite struct WeightFilesTests {
    let scratch: TemporaryFolder
    let folder: ModelFolder
    private static let whole = "diffusion_pytorch_model.safetensors"

    init() throws {
        scratch = try TemporaryFolder()
        folder = ModelFolder(scratch.file("model"))
        try FileManager.default.copyItem(atPath: ModelFolderTests.folder("epsilon"), toPath: folder.path)
    }

    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    private func rename(_ name: String, to other: String) throws {
        try FileManager.default.moveItem(atPath: path(name), toPath: path(other))
    }

    /// Divides the weights into two files and writes the index of diffusers.
    private func divide(_ variant: String = "", listing change: (inout [String: String]) -> Void = { _ in }) throws {
        let tensors = try Safetensors(contentsOf: path(WeightFilesTests.whole)).tensors
        try FileManager.default.removeItem(atPath: path(WeightFilesTests.whole))
        let dot = variant.isEmpty ? "" : ".\(variant)"
        var map: [String: String] = [:]
        for number in 0..<2 {
            let name = "diffusion_pytorch_model\(dot)-0000\(number + 1)-of-00002.safetensors"
            let part = tensors.sorted { $0.key < $1.key }.enumerated().filter { $0.offset % 2 == number }.map(\.element)
            for (key, _) in part { map[key] = name }
            try Safetensors(tensors: Dictionary(uniqueKeysWithValues: part), metadata: ["format": "pt"])
                .encoded(as: .f32).write(to: URL(fileURLWithPath: path(name)))
        }
        change(&map)
        try JSONEncoder().encode(["weight_map": map]).write(
            to: URL(fileURLWithPath: path("diffusion_pytorch_model.safetensors.index\(dot).json")))
    }

    private func elements() throws -> [[Float]] { try folder.read().parameters.tensors.map(\.elements) }

    @Test(arguments: ["", "fp16"])
    func `weights in several files are those of one file`(variant: String) throws {
        let before = try elements()
        try divide(variant)
        #expect(try elements() == before && before.count > 50)
    }

    @Test func `a variant is taken where it is alone, and full precision before it`() throws {
        let before = try folder.read()
        try rename(WeightFilesTests.whole, to: "diffusion_pytorch_model.non_ema.safetensors")
        let after = try folder.read()
        #expect(after.parameters.tensors.map(\.elements) == before.parameters.tensors.map(\.elements))
        #expect(after.manifest.parents == before.manifest.parents && after.manifest.parents.count == 1)
        try Data([1]).write(to: URL(fileURLWithPath: path("diffusion_pytorch_model.fp16.safetensors")))
        expectFailure(.badData, "holds the weights as fp16 and as non_ema; move all but one of them away") {
            try folder.read()
        }
        try rename("diffusion_pytorch_model.non_ema.safetensors", to: WeightFilesTests.whole)
        #expect(try elements() == before.parameters.tensors.map(\.elements))
    }

    @Test func `an index that does not fit its files is refused`() throws {
        let first = "diffusion_pytorch_model-00001-of-00002.safetensors"
        try divide { $0["surplus"] = first }
        expectFailure(
            .badData, "lacks the tensor surplus, which diffusion_pytorch_model.safetensors.index.json places there"
        ) {
            try folder.read()
        }
        let index = path("diffusion_pytorch_model.safetensors.index.json")
        var map = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: index)))
                as? [String: [String: String]]
        )
        func put(_ key: String, _ file: String?) throws {
            map["weight_map"]?["surplus"] = nil
            map["weight_map"]?[key] = file
            try JSONSerialization.data(withJSONObject: map).write(to: URL(fileURLWithPath: index))
        }
        try put("conv_in.bias", "../other.safetensors")
        expectFailure(.badData, "weight_map: expected names of files in this folder, found ../other.safetensors") {
            try folder.read()
        }
        try put("conv_in.bias", nil)
        expectFailure(.badData, "holds the tensor conv_in.bias, which") { try folder.read() }
        try put("conv_in.bias", first)
        #expect(throws: Never.self) { try folder.read() }
        try FileManager.default.removeItem(atPath: path(first))
        expectFailure(.noSuchInput, "does not exist, but diffusion_pytorch_model.safetensors.index.json lists it") {
            try folder.read()
        }
    }

    @Test func `settings of an average of weights do not matter`() throws {
        let before = try elements(), place = URL(fileURLWithPath: path("config.json"))
        var settings = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: place)) as? [String: Any])
        settings.merge([
            "decay": 0.9999, "inv_gamma": 1.0, "min_decay": 0.0, "optimization_step": 250, "power": 0.75,
            "update_after_step": 0, "use_ema_warmup": true,
        ]) { $1 }
        try JSONSerialization.data(withJSONObject: settings).write(to: place)
        #expect(try elements() == before)
    }
}
