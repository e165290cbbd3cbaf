import CheckpointStore
import Files
import Foundation
import HDF5Files

/// What an unfinished sample set is to become: everything but the samples. It is stored as `run.json` in the unfinished
/// folder.
struct UnfinishedSet: Codable, Sendable {
    /// The width and the height of a picture in pixels.
    var width: Int
    var height: Int
    /// zlib's level; 0 does not compress.
    var deflate: Int
    /// The number of rows in a shard; nil where the set is one file.
    var shardRows: Int?
    var created: Date
    var terms: Terms
    var siteNames: [String]
    /// Names of the structure maps that come with each sample; nil in a set that an older version began, which had no
    /// maps.
    var structures: [String]?
    /// The names of each open attribute in the model's order.
    var openNames: [String: [String]]
    var model: ModelRecord
    /// The first run, and one more run each time that the work went on on another machine.
    var runs: [RunRecord]
    /// Whether an output that exists may be replaced.
    var replaces: Bool
    /// The audit and the statement of a released set; otherwise nil.
    var release: ReleaseRecord?
    /// The final names of the shards, from the moment at which they get them.
    var named: [String] = []
    /// Whether each shard in `named` is full.
    var isFull: [Bool] = []

    static let name = "run.json"

    /// - Throws: `Failure(.badData)` where the file is damaged.
    init(in folder: UnfinishedFolder) throws {
        let path = folder.file(UnfinishedSet.name)
        do {
            self = try JSONText.decode(UnfinishedSet.self, try JSONText.contents(path), place: path)
        } catch let failure as Failure {
            throw Failure(
                failure.kind, failure.place,
                "\(failure.sentence); the unfinished set cannot be continued", remedy: .discard)
        }
        let isSound =
            !runs.isEmpty && width > 0 && height > 0 && (0...9).contains(deflate) && (shardRows ?? 1) > 0
            && isFull.count == named.count
            && named.allSatisfy { !$0.contains("/") && !$0.hasPrefix(".") }
        guard isSound else {
            throw Failure(.badData, path, "is damaged: numbers in it cannot be right", remedy: .discard)
        }
    }

    init(
        width: Int, height: Int, deflate: Int, shardRows: Int?, created: Date, terms: Terms, siteNames: [String],
        structures: [String], openNames: [String: [String]], model: ModelRecord, run: RunRecord, replaces: Bool,
        release: ReleaseRecord? = nil
    ) {
        self.width = width
        self.height = height
        self.deflate = deflate
        self.shardRows = shardRows
        self.created = created
        self.terms = terms
        self.siteNames = siteNames
        self.structures = structures
        self.openNames = openNames
        self.model = model
        runs = [run]
        self.replaces = replaces
        self.release = release
    }

    func write(to folder: UnfinishedFolder) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let staged = try StagedFile(folder.file(UnfinishedSet.name), force: true)
        try staged.write(try encoder.encode(self))
        try staged.commit()
    }

    /// The first setting in which this set differs from `other`: its name, its value here, and its value in `other`.
    func difference(to other: UnfinishedSet) -> (field: String, found: String, wanted: String)? {
        let (run, wanted) = (runs[0], other.runs[0])
        let fields: [(String, String, String)] = [
            ("model", model.digest.description, other.model.digest.description),
            ("sampler", run.sampler, wanted.sampler), ("steps", "\(run.steps)", "\(wanted.steps)"),
            ("guidance", "\(run.guidance)", "\(wanted.guidance)"), ("schedule", run.schedule, wanted.schedule),
            ("tool version", run.toolVersion, wanted.toolVersion),
            ("size", "\(width) x \(height)", "\(other.width) x \(other.height)"),
            ("deflate", "\(deflate)", "\(other.deflate)"),
            ("samples a shard", shardRows.map(String.init) ?? "all", other.shardRows.map(String.init) ?? "all"),
            ("contact", terms.contact, other.terms.contact), ("licence", terms.licence, other.terms.licence),
            ("attribution", terms.attribution, other.terms.attribution),
            ("permitted uses", terms.permittedUses, other.terms.permittedUses),
            (
                "structures", (structures ?? []).joined(separator: ", "),
                (other.structures ?? []).joined(separator: ", ")
            ),
            ("sites", siteNames.joined(separator: ", "), other.siteNames.joined(separator: ", ")),
        ]
        return fields.first { $0.1 != $0.2 }.map { (field: $0.0, found: $0.1, wanted: $0.2) }
    }

    /// The index of `run` in `runs`. It is the last run where that used the same libraries and kernels, on which pixels
    /// depend; otherwise `run` is appended.
    mutating func number(of run: RunRecord) -> Int {
        let last = runs[runs.count - 1]
        let isSame =
            last.openBLASVersion == run.openBLASVersion && last.blasCore == run.blasCore
            && last.kernelISA == run.kernelISA
        if !isSame { runs.append(run) }
        return runs.count - 1
    }

    var storage: HDF5Storage { HDF5Storage(chunkRows: 1, deflate: deflate, fletcher32: true) }
}
