import ArgumentParser
import CheckpointStore
import Datasets
import Files
import Foundation
import Phantoms

struct PhantomCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phantom",
        abstract: "Makes a dataset of procedural fundus phantoms, for tests and first steps.",
        discussion: """
            Phantoms are drawn, not photographed: eyes with known vessels, disc, macula and lesions, of known grade. \
            --count \
            is the number of patients, of whom one eye each is photographed; with --visits V the file holds count x V \
            photographs, each visit in another pose, light and camera. Grades 0 to 4 are equally frequent; of every \
            ten \
            patients, one is for validation and one is held out. The same seed makes the same eyes at every size.

            Beside the dataset stands a contact sheet of the first photographs.

            Example:
              fovea phantom --count 500 --size 64 --visits 2 --seed 1 --out phantoms.h5
            """)

    @Option(help: ArgumentHelp("Patients, with one eye each.", valueName: "n"))
    var count: Int

    @Option(help: ArgumentHelp("Width and height of the photographs in pixels, 32 to 4096.", valueName: "pixels"))
    var size: Int = 256

    @Option(help: ArgumentHelp("Photographs of each eye.", valueName: "n"))
    var visits: Int = 1

    @Option(help: ArgumentHelp("What the phantoms are drawn from.", valueName: "number"))
    var seed: UInt64

    @Option(help: ArgumentHelp("The site that they stand for, to try a federation (default: none).", valueName: "name"))
    var site: String?

    @Option(help: ArgumentHelp("The dataset to write.", valueName: "file.h5"))
    var out: String

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let problem = site.flatMap(SiteName.problem) { throw ValidationError("--site: \(problem)") }
    }

    func run() async throws {
        let dataset = PhantomDataset(
            try PhantomGenerator(patients: count, size: size, visits: visits, seed: seed), path: out, site: site,
            force: common.force)
        let progress = ProgressReporter("phantom", unit: "photographs", isQuiet: common.quiet)
        defer { progress.end() }
        let start = ContinuousClock.now
        let summary = try await dataset.write(threads: common.threadCount) { done, all in
            progress.update(done, of: all)
            try Interruption.check("no dataset is written; the same command makes the same one again")
        }
        progress.end()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let result = Result(
            count: summary.photographs, patients: count, visits: visits, size: size, splits: summary.splits,
            grades: summary.grades, seconds: seconds, output: out, contact_sheet: dataset.contactSheetPath)
        let parts = Split.allCases.map { "\($0) \(summary.splits["\($0)"] ?? 0)" }.joined(separator: ", ")
        try common.console.finish(
            result,
            [
                "\(out): \(summary.photographs) phantoms of \(count) patients, \(size) x \(size) (\(parts))",
                "contact sheet: \(dataset.contactSheetPath)",
            ])
    }

    private struct Result: Encodable {
        let count, patients, visits, size: Int
        let splits, grades: [String: Int]
        let seconds: Double
        let output, contact_sheet: String
    }
}
