import CheckpointStore
import Files
import Foundation
import HDF5Files

/// What an unfinished sample set is to become, `run.json` in its folder: everything but the samples.
struct UnfinishedSet: Codable, Sendable {
    /// Pixels.
    var width: Int
    var height: Int
    /// zlib's level, 0 for none.
    var deflate: Int
    /// Rows of a shard; nil for one file.
    var shardRows: Int?
    var created: Date
    var terms: Terms
    var siteNames: [String]
    /// Names of the structure maps that come with each sample; nil in sets that were begun before there were any.
    var structures: [String]?
    /// Codes of open attributes in the model's order.
    var openNames: [String: [String]]
    var model: ModelRecord
    /// One, and another each time that it was gone on with on another machine.
    var runs: [RunRecord]
    /// Whether an output that exists may be replaced.
    var replaces: Bool
    /// Of a released set.
    var release: ReleaseRecord?
    /// Names of the shards, once they are being given, and which of them are full.
    var named: [String] = []
    var isFull: [Bool] = []

    static let name = "run.json"

    /// - Throws: `Failure(.badData)` where it is damaged.
    init(in folder: UnfinishedFolder) throws {
        let path = folder.file(UnfinishedSet.name)
        do {
            self = try JSONText.decode(UnfinishedSet.self, try JSONText.contents(path), place: path)
        } catch let failure as Failure {
            throw Failure(
                failure.kind, failure.place,
                "\(failure.sentence); what is unfinished cannot be gone on with", remedy: .discard)
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

    /// What the run that goes on is asked for, and this one was not: field, what was found here, what is asked for.
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

    /// The number of a run on the machine of `run`: the last one's where nothing differs that pixels depend on.
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
