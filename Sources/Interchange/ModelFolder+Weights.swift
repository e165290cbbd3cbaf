import CheckpointStore
import Files
import Foundation
import TensorCore

extension ModelFolder {
    /// The index of weights that lie in several files.
    private struct Index: Decodable {
        /// The file of each tensor.
        var weightMap: [String: String]

        enum CodingKeys: String, CodingKey { case weightMap = "weight_map" }
    }

    private static let stem = "diffusion_pytorch_model"

    /// The weights, in one file or in several with an index, at full precision or as a variant such as `fp16`.
    ///
    /// - Returns: the tensors with today's names; the digest of the file, or of the digests of several files in the
    ///   order of their names; and the path that errors name.
    /// - Throws: `Failure`: `.noSuchInput` where there are none; `.badData`.
    func weights() throws -> (tensors: [String: Tensor], digest: Digest, path: String) {
        let variants = try variants()
        guard let variant = variants.first else {
            let pickles = names.filter { $0.hasPrefix(ModelFolder.stem) && $0.hasSuffix(".bin") }.sorted()
            if let pickle = pickles.first { throw Failure(.badData, file(pickle), ForeignWeights.pickle.problem) }
            throw Failure(.noSuchInput, file(ModelFolder.weightsName), "does not exist")
        }
        // Without a variant, the weights are at full precision.
        guard variants.count == 1 || variant.isEmpty else {
            throw Failure(
                .badData, path,
                "holds the weights as \(variants.joined(separator: " and as ")); move all but one of them away")
        }
        let middle = variant.isEmpty ? "" : ".\(variant)"
        let whole = "\(ModelFolder.stem)\(middle).safetensors"
        let files = has(whole) ? [whole] : try parts("\(ModelFolder.stem).safetensors.index\(middle).json")
        var tensors: [String: Tensor] = [:], digests: [Digest] = []
        for name in files {
            let data = try JSONText.contents(file(name))
            try tensors.merge(try Safetensors(data, path: file(name)).tensors) { _, _ in
                throw Failure(.badData, file(name), "holds a tensor that another file of the weights holds, too")
            }
            digests.append(Digest(of: data))
        }
        let digest = digests.count == 1 ? digests[0] : Digest(of: digests.flatMap(\.bytes))
        return (ModelFolder.withoutOldNames(tensors), digest, file(files.count == 1 ? files[0] : whole))
    }

    private var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }

    /// The variants of the weights that the folder holds, sorted; the empty name stands for full precision.
    private func variants() throws -> [String] {
        let found = names.compactMap { name -> String? in
            for (start, end) in [
                ("\(ModelFolder.stem)", ".safetensors"), ("\(ModelFolder.stem).safetensors.index", ".json"),
            ] where name.hasPrefix(start) && name.hasSuffix(end) && name.count >= start.count + end.count {
                let middle = name.dropFirst(start.count).dropLast(end.count)
                // One of several files has its number there, such as `-00001-of-00002`.
                if middle.isEmpty { return "" }
                if middle.hasPrefix("."), !middle.dropFirst().contains(where: { $0 == "." || $0 == "-" }) {
                    return String(middle.dropFirst())
                }
            }
            return nil
        }
        return Set(found).sorted()
    }

    /// The names of the files that an index lists, sorted.
    /// - Throws: `Failure(.badData)` where a file is missing, or holds other tensors than the index says.
    private func parts(_ name: String) throws -> [String] {
        let place = file(name)
        let index = try JSONText.decode(Index.self, try JSONText.contents(place), place: place)
        let files = Set(index.weightMap.values).sorted()
        guard !files.isEmpty else { throw Failure(.badData, place, "lists no file") }
        for part in files {
            guard !part.contains("/"), !part.hasPrefix(".") else {
                throw Failure(
                    .badData, place, field: "weight_map", expected: "names of files in this folder", found: part)
            }
            guard has(part) else { throw Failure(.noSuchInput, file(part), "does not exist, but \(name) lists it") }
            let listed = Set(index.weightMap.filter { $0.value == part }.keys)
            let held = Set(try SafetensorsIndex(contentsOf: file(part)).entries.map(\.name))
            if let lacking = listed.subtracting(held).sorted().first {
                throw Failure(.badData, file(part), "lacks the tensor \(lacking.printable), which \(name) places there")
            }
            if let surplus = held.subtracting(listed).sorted().first {
                throw Failure(
                    .badData, file(part), "holds the tensor \(surplus.printable), which \(name) does not list there")
            }
        }
        return files
    }

    /// The tensors with today's names of attention layers instead of those that diffusers used until 2023. Where a
    /// tensor exists under both names, the old name stays and is later refused as unexpected.
    private static func withoutOldNames(_ tensors: [String: Tensor]) -> [String: Tensor] {
        let names = [(".query.", ".to_q."), (".key.", ".to_k."), (".value.", ".to_v."), (".proj_attn.", ".to_out.0.")]
        return Dictionary(
            uniqueKeysWithValues: tensors.map { key, tensor in
                guard key.contains(".attentions.") else { return (key, tensor) }
                let renamed = names.reduce(key) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
                return (tensors[renamed] == nil ? renamed : key, tensor)
            })
    }
}
