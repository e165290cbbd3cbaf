import Files
import Foundation
import HDF5Files
import PictureFiles

/// One of the files that hold the pixels of a large set, as `/shards` lists them. Each of these files is itself a
/// sample set.
struct Shard: Hashable, Sendable {
    /// The name of the file, which lies beside the set.
    let name: String
    let samples: Int
    /// SHA-256 of the whole file.
    let digest: Digest

    /// The name of a shard: that of `S.h5` is `S-00003-of-00010-1a2b3c4d.h5`, with the first digits of the shard's
    /// SHA-256.
    static func name(of set: String, number: Int, count: Int, digest: Digest) -> String {
        let whole = URL(fileURLWithPath: set).lastPathComponent
        let stem = whole.hasSuffix(".h5") ? String(whole.dropLast(3)) : whole
        return "\(stem)-\(number.padded(to: 5))-of-\(count.padded(to: 5))-\(digest.description.prefix(8)).h5"
    }

    /// The path of the shard `name` of the set at `set`.
    static func path(_ name: String, beside set: String) -> String {
        URL(fileURLWithPath: set).deletingLastPathComponent().appendingPathComponent(name).path
    }

    @HDF5Actor
    static func write(_ shards: [Shard], to group: HDF5Group) throws {
        try group.write("name", strings: shards.map(\.name))
        try group.write("samples", shards.map { Int64($0.samples) }, shape: [shards.count])
        try group.write("digest", shards.flatMap(\.digest.bytes), shape: [shards.count, 32])
    }

    /// - Throws: `Failure(.badData)` where a name leads to another folder, or the samples do not sum to `count`.
    @HDF5Actor
    static func read(_ group: HDF5Group, count: Int) throws -> [Shard] {
        let names = try group.dataset("name")
        try names.require(shape: [nil])
        let texts = try names.readStrings()
        let samples = try group.dataset("samples")
        try samples.require(Int64.self, shape: [texts.count])
        let counts = try samples.readAll(Int64.self)
        let digests = try group.readDigests("digest", count: texts.count)
        for name in texts where name.isEmpty || name.hasPrefix(".") || name.contains("/") {
            throw Failure(
                .badData, group.file, field: "/shards/name", expected: "names of files beside this one", found: name)
        }
        let total = counts.reduce((sum: Int64(0), isGood: true)) { state, count in
            let (sum, overflow) = state.sum.addingReportingOverflow(count)
            return (sum, state.isGood && count > 0 && !overflow)
        }
        guard total.isGood, total.sum == count else {
            throw Failure(
                .badData, group.file, field: "/shards/samples", expected: "\(count) samples in all", found: "\(counts)")
        }
        return zip(texts, zip(counts, digests)).map { Shard(name: $0, samples: Int($1.0), digest: $1.1) }
    }
}

/// Reads the pictures of a set, or its maps of one structure, from the file itself or from its shards.
@HDF5Actor
final class PictureStore {
    private enum Place {
        case own(HDF5Dataset)
        case shards([Shard], folder: String)
    }

    private let place: Place
    private let file: String
    /// `/images`, or `/structure/` with the structure's name.
    nonisolated let path: String
    /// [samples, height, width, 3] for pictures, [samples, height, width] for maps.
    nonisolated let shape: [Int]
    private var opened: (number: Int, images: HDF5Dataset)?
    /// Whether a shard's bytes are checked before the HDF5 library sees them.
    private var checksShards = true

    /// - Parameter structure: the name of a map; nil for the pictures.
    /// - Throws: `Failure(.badData)` where the pictures have another type or shape; `Failure(.noSuchInput)` where a
    ///   shard is missing.
    init(_ root: HDF5Group, structure: String? = nil) throws {
        file = root.file
        path = structure.map { "/structure/\($0)" } ?? "/images"
        guard try root.contains("shards") else {
            let images = try structure.map { try root.readMap($0) } ?? root.readImages()
            place = .own(images)
            shape = images.shape
            return
        }
        // HDF5 reads zeros where a shard is missing. For this reason, pixels are never read through the virtual
        // dataset.
        let group = structure == nil ? root : try root.group("structure")
        guard let images = try group.virtualDataset(structure ?? "images") else {
            throw Failure(
                .badData, file, field: path, expected: "a virtual dataset of uint8, for there are /shards",
                found: "another")
        }
        shape = images.shape
        let depth = structure == nil ? [3] : []
        guard shape.count == 3 + depth.count, shape[0] > 0, (1...16384).contains(shape[1]),
            (1...16384).contains(shape[2]),
            Array(shape.dropFirst(3)) == depth
        else {
            throw Failure(
                .badData, file, field: "\(path) shape", expected: "pictures of 1 to 16384 pixels", found: "\(shape)")
        }
        let shards = try Shard.read(try root.group("shards"), count: shape[0])
        try PictureStore.requireMapping(images, to: shards, shape: shape)
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().path
        for shard in shards where !RegularFile.exists("\(folder)/\(shard.name)") {
            throw Failure(
                .noSuchInput, file, "the shard \(shard.name) is missing; its \(shard.samples) samples cannot be read")
        }
        place = .shards(shards, folder: folder)
    }

    /// Names of the structure maps that a set holds, sorted.
    static func structures(_ root: HDF5Group) throws -> [String] {
        try root.contains("structure") ? root.group("structure").names.sorted() : []
    }

    /// Checks that the virtual dataset, which other programs read, maps the same rows that are read here.
    private static func requireMapping(_ images: HDF5Dataset, to shards: [Shard], shape: [Int]) throws {
        let sources = try images.virtualSources()
        var first = 0
        let expected = shards.map { shard in
            defer { first += shard.samples }
            return HDF5VirtualSource(
                file: shard.name, dataset: images.path, rows: first..<first + shard.samples,
                sourceRows: 0..<shard.samples)
        }
        guard sources == expected else {
            throw Failure(
                .badData, images.file, field: images.path, expected: "the shards in /shards, in order",
                found: "a mapping to other rows or files")
        }
    }

    /// Names of the shards of the set at `path`. The result is empty where there is no set, or the set is damaged.
    static func names(ofShardsOf path: String) -> [String] {
        guard (try? UserBlock.verify(path)) != nil, let root = try? HDF5File.open(path).root,
            let store = try? PictureStore(root)
        else { return [] }
        return store.shards.map(\.shard.name)
    }

    /// The shards and their paths; empty where the pictures are in the file itself.
    nonisolated var shards: [(shard: Shard, path: String)] {
        guard case .shards(let shards, let folder) = place else { return [] }
        return shards.map { ($0, "\(folder)/\($0.name)") }
    }

    /// Reads whole rows, in the order of `rows`.
    func readRows(_ rows: [Int]) throws -> [UInt8] {
        switch place {
        case .own(let images): return try images.readRows(rows)
        case .shards(let shards, let folder): return try rows.flatMap { try read(row: $0, of: shards, folder: folder) }
        }
    }

    private func read(row: Int, of shards: [Shard], folder: String) throws -> [UInt8] {
        var number = 0, first = 0
        while row >= first + shards[number].samples {
            first += shards[number].samples
            number += 1
        }
        if opened?.number != number {
            let path = "\(folder)/\(shards[number].name)"
            guard try !checksShards || Digest(ofFile: path) == shards[number].digest else {
                throw Failure(.checkFailed, path, "is not the shard that \(file) was written with: its SHA-256 differs")
            }
            let root = try HDF5File.open(path).root
            try root.requireKind(SampleSet.kind, version: SampleSet.version)
            try SampleSetFile.requireSyntheticLabel(root)
            let images =
                try self.path == "/images"
                ? root.readImages() : root.readMap(String(self.path.dropFirst("/structure/".count)))
            try images.require(shape: [shards[number].samples] + shape.dropFirst().map { $0 })
            opened = (number, images)
        }
        guard let opened else { return [] }
        return try opened.images.readRows([row - first])
    }

    /// Compares the SHA-256 of every row of pixels with `digests`. Shards that have changed are read, too.
    /// - Returns: the rows that differ or cannot be read.
    func rowsThatDiffer(from digests: [Digest]) -> [Int] {
        checksShards = false
        opened = nil
        defer {
            checksShards = true
            opened = nil
        }
        return digests.indices.filter { row in (try? readRows([row])).map { Digest(of: $0) } != digests[row] }
    }
}

extension HDF5Group {
    /// `/structure/<name>`, checked to be uint8 [N, H, W] with at least one row, all stored in this file.
    @HDF5Actor
    fileprivate func readMap(_ name: String) throws -> HDF5Dataset {
        let maps = try group("structure").dataset(name)
        try maps.require(UInt8.self, shape: [nil, nil, nil])
        guard maps.shape[0] > 0, maps.shape[0] <= maps.storedByteCount else {
            throw Failure(
                .badData, file, field: maps.path, expected: "\(maps.shape[0]) maps",
                found: "\(maps.storedByteCount) stored bytes")
        }
        return maps
    }
}
