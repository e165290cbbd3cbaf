import Cohorts
import Cryptography
import Files
import Foundation
import Pictures
import RetinalMatching

/// Turns a folder of photographs into records of a data set.
public struct Importer: Sendable {
    public var folder: String
    public var site: String
    /// The side of the pictures in pixels, 16 to 4096.
    public var size: Int
    public var labels: String?
    public var map: String?
    /// Whether each photograph counts as a patient of its own. This is needed if no patients are named.
    public var onePatientPerPhoto = false
    /// Whether pictures whose file says that a model made them are taken. The data set is then marked as synthetic.
    public var allowsSynthetic = false
    /// What becomes of photographs with letters inside the field of view.
    public var text = BurnedInTextPolicy.flag
    /// The worst grade that is taken; nil takes all.
    public var leastQuality: QualityGrade?
    /// At least 16 bytes, from which the keys of patients are made. The same secret gives the same keys in each import.
    /// Without a secret, one is drawn for this import and then forgotten.
    public var secret: SecretBytes?
    /// Whether the site keeps the secret, so that a later import may be given it, too.
    public var keepsSecret = false
    public var split = PatientSplit()
    public var threads = 1
    /// A data set to which the photographs are added; nil makes a new one.
    public var base: BaseDataset?
    /// Where decoded photographs are kept until they are written; nil for the temporary folder.
    public var scratchFolder: String?
    /// A folder in which everything that was read is kept, so that a later import can go on there; nil keeps nothing.
    public var resumableFolder: String?
    /// The number of photographs up to which each is compared with all others.
    package var exhaustiveUpTo = RetinalSearch.exhaustiveLimit

    /// What an import is doing.
    public enum Step: Sendable {
        case reading, findingCopies, comparing
    }

    public init(folder: String, site: String, size: Int) {
        self.folder = folder
        self.site = site
        self.size = size
    }

    /// Reads and compares all photographs. The result does not depend on `threads`.
    /// - Parameter progress: receives, for each step, the numbers of parts that are done and of all. It is
    ///   called from several threads.
    /// - Throws: `Failure`: `.usage` for options that are wrong or contradict each other; `.noSuchInput`; `.badData`
    ///   if no photograph is left or the labels cannot be read; `.cannotCreateOutput` and `.readOrWriteFailed` for
    ///   temporary files; `.interrupted`. A photograph that cannot be used does not throw: the report lists it.
    public func run(progress: @Sendable (Step, Int, Int) -> Void = { _, _, _ in }) throws -> ImportedPhotographs {
        let labelled = try prepared()
        try base?.require(self)
        let listing = try PhotographFolder(folder, without: [labels, map].compactMap(\.self))
        let table = try labelled.map { try PhotographTable($0, photographs: listing.photographs, folder: folder) }
        // A table may name photographs that are in the data set already.
        let baseTable = try labelled.flatMap { labelled in
            try base.map {
                try PhotographTable(labelled, photographs: $0.files, folder: $0.path, mayBeOfOthers: true)
            }
        }
        let workspace =
            try resumableFolder.map { try ImportWorkspace(in: $0, size: size) }
            ?? ImportWorkspace(temporaryIn: scratchFolder, size: size)
        let readings = try PhotographReader(
            folder: listing, size: size, allowsSynthetic: allowsSynthetic, text: text, workspace: workspace
        )
        .read(listing.photographs, threads: threads) { progress(.reading, $0, $1) }
        // The files' own slots come first.
        let firstSlot = workspace.firstFreeSlot + listing.photographs.count
        return try ImportAssembly(
            importer: self, listing: listing, table: table, release: labelled?.map.release, readings: readings,
            workspace: workspace, base: try base.map { try workspace.take($0, from: firstSlot) } ?? [],
            baseTable: baseTable
        ).result(progress: progress)
    }

    /// Checks the options, and reads the labels if there are any.
    private func prepared() throws -> StatedLabels? {
        guard (16...4096).contains(size) else {
            throw Failure(.usage, option: "size", expected: "16 to 4096 pixels", found: "\(size)")
        }
        guard !site.isEmpty, site.unicodeScalars.allSatisfy({ $0.isASCII && $0.value > 32 && $0.value < 127 }) else {
            throw Failure(
                .usage, option: "site", expected: "a name of printable ASCII without spaces",
                found: "\"\(site.printable)\"")
        }
        if let secret, secret.count < 16 {
            throw Failure(
                .usage, nil, field: "the patient secret", expected: "at least 16 bytes", found: "\(secret.count)")
        }
        let labelled = try StatedLabels(map: map, table: labels)
        if labelled?.map.patient == nil, !onePatientPerPhoto {
            throw Failure(
                .usage, nil, "no column names the patient", remedy: .onePatientPerPhoto)
        }
        if labelled?.map.patient != nil, onePatientPerPhoto {
            throw Failure(
                .usage, map, option: "onePatientPerPhoto",
                "the map names the patients, so this would separate photographs of one patient; leave it out")
        }
        return labelled
    }
}
