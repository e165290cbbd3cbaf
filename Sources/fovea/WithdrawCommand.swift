import ArgumentParser
import Files
import Fovea

struct WithdrawCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw",
        abstract: "Takes a site out of a merged model: back to the last base without it, and merged again.",
        discussion: """
            The result is the same, bit for bit, as a merge that never had the site. Where later rounds were trained \
            on what it had touched, they are named, and the exit code is 1: they have to be trained again. Parcels \
            are those that the model's record names, byte for byte.

            The model and the site's mark in the list are written together, or neither is. --mark-only marks the site \
            without a model, --take-back takes the mark back; both need --trust and --key alone. The list keeps who \
            did it, when and why.

            Example: fovea withdraw --site bonn --from merged.safetensors --parcels federation --trust TRUST.yaml \
            --key coordinator.key --reason "asked to leave" --out merged-2.safetensors --dry-run
            """)

    @Option(help: .value("name", "The site that goes.")) var site: String
    @Option(help: .value("merged", "The merged model that it is in."), completion: .file()) var from: String?
    @Option(
        help: .value("folder", "Where parcels and bases of all rounds lie; lists of rounds there get the mark, too."),
        completion: .directory)
    var parcels: String?
    @Option(help: .value("s.h5", "Sample sets to look through; may be given several times."), completion: .file())
    var samples: [String] = []
    @Option(
        help: .value("trust.yaml", "The list of the coordinator who signed the model; --key marks the site there."),
        completion: .file())
    var trust: String?
    @Option(
        help: .value("file", "The coordinator's private key, which signs the result and the list."), completion: .file()
    )
    var key: String?
    @Option(help: .value("text", "Why; it stays in the list. --take-back needs it.")) var reason: String?
    @Option(help: .value("merged", "The model without the site."), completion: .file()) var out: String?
    @Flag(help: "Say what would change, and write nothing.") var dryRun = false
    @Flag(help: "Mark the site in the list, and make no model.") var markOnly = false
    @Flag(help: "Take the site's mark back; --reason says why.") var takeBack = false
    @OptionGroup var common: CommonOptions

    func run() async throws {
        if markOnly || takeBack { try await common.run(try markJob()) } else { try await common.run(try job()) }
    }

    private func job() throws -> WithdrawJob {
        var job = WithdrawJob(
            site: site, from: try need(from, "from"), parcels: try need(parcels, "parcels"), to: try need(out, "out"))
        (job.samples, job.trust, job.key, job.replaces) = (samples, trust, key, common.force)
        (job.reason, job.isDryRun) = (reason, dryRun)
        return job
    }

    private func markJob() throws -> MarkSiteJob {
        let flag = takeBack ? "takeBack" : "markOnly"
        guard !(markOnly && takeBack), out == nil, samples.isEmpty else {
            throw Failure(
                .usage, option: flag, expected: "a list and a key, and neither a model to write nor another act",
                found: "more than that")
        }
        var job = MarkSiteJob(
            takeBack ? .takeBack : .mark, site: site, trust: try need(trust, "trust"), key: try need(key, "key"))
        (job.reason, job.from, job.rounds, job.isDryRun) = (reason, from, parcels, dryRun)
        return job
    }

    private func need(_ value: String?, _ option: String) throws -> String {
        guard let value else { throw Failure(.usage, option: option, expected: "a value", found: "none") }
        return value
    }
}
