import Files
import Foundation
import Interchange
import Support
import Testing

/// Folders that are refused, with the name of the key.
@Suite struct HostileFolderTests {
    /// A copy of a good folder with some keys of one of its files changed; nil takes the key out.
    private func changed(
        _ scratch: TemporaryFolder, _ changes: [String: Any?], in file: String = "config.json"
    ) throws -> ModelFolder {
        let path = scratch.file("folder-\(UUID().uuidString)")
        try FileManager.default.copyItem(atPath: ModelFolderTests.folder("epsilon"), toPath: path)
        let url = URL(fileURLWithPath: "\(path)/\(file)")
        var json = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        for (key, value) in changes { json[key] = value }
        try JSONSerialization.data(withJSONObject: json).write(to: url)
        return ModelFolder(path)
    }

    private func expectRefusal(
        _ folder: ModelFolder, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let failure = #expect(throws: Failure.self, sourceLocation: sourceLocation) { try folder.read() }
        for word in words {
            #expect(
                failure?.description.contains(word) == true, "\(failure?.description ?? "") lacks \(word)",
                sourceLocation: sourceLocation)
        }
        #expect(failure?.description.contains("\n") == false, sourceLocation: sourceLocation)
    }

    @Test func valuesThatMakeNoNetworkAreNamed() throws {
        let scratch = try TemporaryFolder()
        let cases: [(String, Any?, [String])] = [
            ("norm_num_groups", 0, ["norm_num_groups"]),
            ("norm_num_groups", 32, ["block_out_channels", "norm_num_groups (32)", "8"]),
            ("norm_num_groups", -4, ["norm_num_groups", "-4"]), ("norm_num_groups", "four", ["norm_num_groups"]),
            ("attention_head_dim", 0, ["attention_head_dim"]),
            ("attention_head_dim", -8, ["attention_head_dim", "-8"]),
            ("attention_head_dim", 64, ["attention_head_dim (64)"]),
            ("layers_per_block", 0, ["layers_per_block"]), ("layers_per_block", 1_000_000, ["layers_per_block"]),
            ("block_out_channels", [8], ["block_out_channels", "down_block_types"]),
            ("block_out_channels", [Int](), ["block_out_channels"]),
            ("block_out_channels", [8, -16], ["block_out_channels", "-16"]),
            ("block_out_channels", [8, 1 << 40], ["block_out_channels"]),
            ("block_out_channels", 8, ["block_out_channels"]),
            ("sample_size", -16, ["sample_size"]), ("sample_size", 17, ["sample_size", "17"]),
            ("sample_size", [16], ["sample_size"]),
            ("sample_size", 1 << 50, ["sample_size"]),
            ("in_channels", 4, ["in_channels", "4"]), ("in_channels", -3, ["in_channels", "-3"]),
            ("out_channels", 6, ["out_channels", "6"]),
            ("norm_eps", -1, ["norm_eps"]), ("freq_shift", 4, ["freq_shift"]),
            ("downsample_padding", 3, ["downsample_padding"]),
            ("attn_norm_num_groups", 5, ["attn_norm_num_groups", "5"]),
            ("time_embedding_dim", -2, ["time_embedding_dim"]),
            ("num_class_embeds", -1, ["num_class_embeds"]), ("num_class_embeds", 0, ["num_class_embeds"]),
        ]
        for (key, value, words) in cases { expectRefusal(try changed(scratch, [key: value]), ["config.json"] + words) }
    }

    @Test func whatIsNotComputedHereIsRefusedByName() throws {
        let scratch = try TemporaryFolder()
        let cases: [(String, Any, [String])] = [
            ("down_block_types", ["DownBlock2D", "SkipDownBlock2D"], ["down_block_types", "SkipDownBlock2D"]),
            ("up_block_types", ["ResnetUpsampleBlock2D", "UpBlock2D"], ["up_block_types", "ResnetUpsampleBlock2D"]),
            ("mid_block_type", "UNetMidBlock2DCrossAttn", ["mid_block_type"]),
            ("resnet_time_scale_shift", "scale_shift", ["resnet_time_scale_shift"]),
            ("act_fn", "gelu", ["act_fn", "gelu"]), ("class_embed_type", "timestep", ["class_embed_type", "timestep"]),
            ("downsample_type", "resnet", ["downsample_type"]),
            ("mid_block_scale_factor", 2, ["mid_block_scale_factor"]),
            ("_class_name", "UNet2DConditionModel", ["_class_name", "UNet2DConditionModel"]),
            ("cross_attention_dim", 8, ["cross_attention_dim"]),
            ("time_embedding_type", "spline", ["time_embedding_type", "spline"]),
        ]
        for (key, value, words) in cases { expectRefusal(try changed(scratch, [key: value]), ["config.json"] + words) }
        let schedulers: [(String, Any, [String])] = [
            ("beta_schedule", "sigmoid", ["beta_schedule", "sigmoid"]),
            ("prediction_type", "flow", ["prediction_type", "flow"]),
            ("trained_betas", [0.1, 0.2], ["trained_betas"]),
            ("rescale_betas_zero_snr", true, ["rescale_betas_zero_snr"]),
            ("num_train_timesteps", 0, ["num_train_timesteps"]),
            ("num_train_timesteps", -5, ["num_train_timesteps", "-5"]),
            ("beta_start", -0.1, ["beta_start"]), ("beta_end", 2, ["beta_end"]),
            ("_class_name", "EDMEulerScheduler", ["EDMEulerScheduler"]),
        ]
        for (key, value, words) in schedulers {
            expectRefusal(
                try changed(scratch, [key: value], in: "scheduler_config.json"), ["scheduler_config.json"] + words)
        }
    }

    @Test func foldersThatLackSomethingAreRefused() throws {
        let scratch = try TemporaryFolder()
        expectRefusal(ModelFolder(scratch.file("nowhere")), ["nowhere", "does not exist"])
        expectRefusal(ModelFolder(scratch.path), ["config.json"])
        expectRefusal(try changed(scratch, ["sample_size": NSNull()]), ["sample_size", "expected a size"])
        // Another shape, one tensor less, one more: each tensor by name.
        expectRefusal(try changed(scratch, ["num_class_embeds": 3]), ["missing: class_embedding.weight"])
        expectRefusal(try changed(scratch, ["add_attention": false]), ["unexpected: mid_block.attentions.0"])
        expectRefusal(
            try changed(scratch, ["time_embedding_dim": 20]),
            ["mismatched", "time_embedding.linear_1.weight", "[20, 8]", "[32, 8]"])
        let pickled = try changed(scratch, [:])
        try FileManager.default.moveItem(
            atPath: pickled.path + "/diffusion_pytorch_model.safetensors",
            toPath: pickled.path + "/diffusion_pytorch_model.bin")
        expectRefusal(pickled, ["diffusion_pytorch_model.bin", "pickle"])
        let pointer = try changed(scratch, [:])
        let pointed = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
        try Data(pointed.utf8).write(to: URL(fileURLWithPath: pointer.path + "/diffusion_pytorch_model.safetensors"))
        expectRefusal(pointer, ["diffusion_pytorch_model.safetensors", "is a git-lfs pointer", "git lfs pull"])
        try Data(pointed.utf8).write(to: URL(fileURLWithPath: pointer.path + "/config.json"))
        expectRefusal(pointer, ["config.json", "is a git-lfs pointer"])
        // A header that claims two terabytes.
        let huge = try changed(scratch, [:])
        let header = #"{"conv_in.weight":{"dtype":"F32","shape":[500000000000],"data_offsets":[0,2000000000000]}}"#
        var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
        bytes += Array(header.utf8)
        try Data(bytes).write(to: URL(fileURLWithPath: huge.path + "/diffusion_pytorch_model.safetensors"))
        expectRefusal(huge, ["conv_in.weight", "larger than the file"])
    }
}
