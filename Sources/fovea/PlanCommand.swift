import ArgumentParser
import Files
import Fovea
import Foundation

struct PlanCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Says which cohorts are short, and how many pictures to draw of each.",
        discussion: """
            Cohorts are counted by patient. The table goes to fovea sample --plan, and a page beside it shows every \
            cohort before and after, with what its numbers allow.

            Example: fovea plan site.h5 --by dr_icdr,sex --target equal --dose 1 --out plan.csv
            """)

    @Argument(help: .value("site.h5", "A dataset."), completion: .file()) var dataset: String
    @Option(help: .value("attributes", "One to three attributes, with commas, such as dr_icdr,sex.")) var by: String
    @Option(
        help: .value(
            "equal|shares.csv|interval=0.10",
            """
            As many in each cohort as in the largest; the shares of a table; or as many as an interval of a \
            sensitivity needs.
            """), completion: .file())
    var target = "equal"
    @Option(help: .value("number", "At most so many pictures for each photograph, 0.1 to 4 (default: 4).")) var dose:
        Double?
    @Flag(help: "Join cohorts of fewer than 5 patients with a neighbour (such as 70-79|80+) in place of refusing them.")
    var coarsen = false
    @Option(help: .value("plan.csv", "The table to write; plan.html goes beside it."), completion: .file())
    var out: String
    @OptionGroup var common: CommonOptions

    func job() throws -> PlanJob {
        var job = PlanJob(
            dataset, by: by.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }, to: out)
        (job.dose, job.joinsSmallCells, job.replaces) = (dose, coarsen, common.force)
        if target == "equal" {
            job.target = .equal
        } else if target.hasPrefix("interval=") {
            guard let width = Double(target.dropFirst("interval=".count)) else {
                throw ValidationError("--target: expected interval=NUMBER such as interval=0.10, found \(target)")
            }
            job.target = .interval(width)
        } else {
            job.target = .shares(table: target)
        }
        return job
    }
}
