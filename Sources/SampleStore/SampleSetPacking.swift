import Cohorts
import Files
import Foundation
import HDF5Files
import PictureFiles

/// Makes HDF5 files from a journal. Their bytes depend on the samples alone, not on the batches in which they came.
@HDF5Actor
struct SampleSetPacking {
    let set: UnfinishedSet
    let journal: SampleJournal
    /// The path of the output, which errors name.
    let place: String

    /// Writes the rows of one part to `path`, seals the file and flushes it to the disk.
    func write(part: Int, rows: Range<Int>, to path: String) throws {
        try write(rows: rows, part: part, to: path) { root in
            let images = try root.create(
                "images", UInt8.self, shape: [rows.count, set.height, set.width, 3], storage: set.storage)
            let maps = try structures(in: root) { group, name in
                try group.create(name, UInt8.self, shape: [rows.count, set.height, set.width], storage: set.storage)
            }
            try journal.forEachChunk(part: part) { row, chunks in
                for (dataset, chunk) in zip([images] + maps, chunks) {
                    try dataset.write(chunk: chunk, row: row - rows.lowerBound)
                }
            }
            return images
        }
    }

    /// Writes a set of all rows, whose pixels are in `shards`.
    func write(shards: [Shard], to path: String) throws {
        let count = journal.rowCount
        try write(rows: 0..<count, part: nil, to: path) { root in
            try Shard.write(shards, to: try root.createGroup("shards"))
            let sources = shards.map { ($0.name, $0.samples) }
            _ = try structures(in: root) { group, name in
                try group.createVirtual(
                    name, UInt8.self, shape: [count, set.height, set.width], sources: sources,
                    dataset: "/structure/\(name)")
            }
            return try root.createVirtual(
                "images", UInt8.self, shape: [count, set.height, set.width, 3], sources: sources, dataset: "/images")
        }
    }

    /// Makes a dataset for each structure map.
    private func structures(in root: HDF5Group, _ create: (HDF5Group, String) throws -> HDF5Dataset) throws
        -> [HDF5Dataset]
    {
        guard let names = set.structures, !names.isEmpty else { return [] }
        let group = try root.createGroup("structure")
        return try names.map { name in
            let map = try create(group, name)
            try map.setDimensionLabels(["sample", "height", "width"])
            return map
        }
    }

    private func write(rows: Range<Int>, part: Int?, to path: String, images: (HDF5Group) throws -> HDF5Dataset) throws
    {
        let staged = path + ".part"
        let file = try HDF5File.create(staged, shownAs: place, userBlock: UserBlock.byteCount)
        let root = file.root
        try images(root).setDimensionLabels(["sample", "height", "width", "channel"])
        try SampleSet.writeAttributes(to: root, terms: set.terms, created: set.created, releasable: set.release != nil)
        var columns = try SampleColumns(
            in: root, count: rows.count, siteNames: set.siteNames, openNames: openNames,
            joinedRequests: journal.joinedRequests.sorted(), hasCounterfactuals: journal.hasCounterfactuals)
        var runs = set.runs
        try journal.forEachBatch(part: part) { batch in
            try columns.append(batch)
            runs[batch.run].finished = batch.finished
        }
        try columns.finish()
        try RunColumns.write(runs, to: try root.createGroup("runs"))
        try set.model.write(to: try root.createGroup("models"))
        // The group stays empty until the set is released.
        let audit = try root.createGroup("audit")
        try set.release?.write(to: audit)
        try file.close()
        try UserBlock.seal(staged, shownAs: place)
        try StagedFile.move(staged, to: path)
        FileProbe.noteOwn(path)
    }

    /// The names of each open attribute in the order of their codes: first the model's names, then the other names that
    /// samples use, sorted.
    private var openNames: [String: [String]] {
        journal.openNames.mapValues { Array($0) }.merging(set.openNames) { $0 + $1 }.reduce(into: [:]) {
            result, entry in
            let declared = set.openNames[entry.key] ?? []
            result[entry.key] = declared + Set(entry.value).subtracting(declared).sorted()
        }
    }
}

extension SampleSet {
    @HDF5Actor
    static func writeAttributes(to root: HDF5Group, terms: Terms, created: Date, releasable: Bool) throws {
        try root.setAttribute("kind", kind)
        try root.setAttribute("version", version)
        try root.setAttribute("schema_version", CohortSchema.version)
        try root.setAttribute("created", Timestamp.text(created))
        try root.setAttribute("synthetic", "YES")
        try root.setAttribute("digital_source_type", digitalSourceType)
        // The value is YES only with a valid verdict.
        try root.setAttribute("releasable", releasable ? "YES" : "NO")
        try root.setAttribute("licence", terms.licence)
        try root.setAttribute("attribution", terms.attribution)
        try root.setAttribute("permitted_uses", terms.permittedUses)
        try root.setAttribute("contact", terms.contact)
    }
}
