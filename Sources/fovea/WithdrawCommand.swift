import ArgumentParser
import CheckpointStore
import Consortium
import Federation
import Files
import Foundation

struct WithdrawCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw",
        abstract: "Takes a site out of a merged model: back to the last base without it, and merged again.",
        discussion: """
            The result is the same, bit for bit, as a merge that never had the site. Where later rounds were trained \
            on what it had touched, they \
            are named, and the exit code is 1: they have to be trained again. Parcels are those that the model's \
            record names, byte for byte.

            Example: fovea withdraw --site bonn --from merged.safetensors --parcels federation --trust TRUST.yaml \
            --key coordinator.key --out merged-2.safetensors
            """)

    @Option(help: ArgumentHelp("The site that goes.", valueName: "name"))
    var site: String

    @Option(help: ArgumentHelp("The merged model that it is in.", valueName: "merged"))
    var from: String

    @Option(
        help: ArgumentHelp("Where parcels and bases of all rounds lie, in folders of any depth.", valueName: "folder"))
    var parcels: String

    @Option(help: ArgumentHelp("Sample sets to look through; may be given several times.", valueName: "s.h5"))
    var samples: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            The list of trust: the model has to be signed by its coordinator, and with --key the site is marked there.
            """,
            valueName: "trust.yaml"))
    var trust: String?

    @Option(
        help: ArgumentHelp("The coordinator's private key, which signs the result and the list.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("The model without the site.", valueName: "merged"))
    var out: String

    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        struct SampleSet: Encodable { let file: String; let samples: Int }
        let models: [String]
        let sample_sets: [SampleSet]
        let output, digest: String
        let round: Int
        let rounds_to_retrain: [Int]
        let marked: Bool
    }

    func run() async throws {
        common.apply()
        let signing = try key.map { try SigningKey(contentsOf: $0) }
        var others: Set<String> = []
        if let trust {
            let list = try TrustList(contentsOf: trust)
            try list.requireCoordinator(try SafetensorsIndex(contentsOf: from), path: from, at: Date())
            others = list.withdrawn
        }
        for path in samples { try FileProbe.check(path) }
        try StagedFile.requireWritable(out, force: common.force)
        try OutputPath.requireOther(out, than: [from])
        let withdrawal = try Withdrawal(site: site, from: from, parcels: parcels)
        // The mark first: it holds whatever comes of the rest.
        let isMarked = trust != nil && signing != nil
        if let trust, let signing { try TrustList.withdraw(site, in: trust, with: signing) }
        let outcome = try await withdrawal.run(
            to: out, withdrawn: others, samples: samples, key: signing, force: common.force)
        let touched =
            outcome.models.map { "touched by \(site): \($0)" }
            + outcome.sampleSets.map { "touched by \(site): \($0.path), \($0.samples) samples" }
        try common.console.finish(
            Result(
                models: outcome.models,
                sample_sets: outcome.sampleSets.map { Result.SampleSet(file: $0.path, samples: $0.samples) },
                output: out,
                digest: outcome.digest.description, round: outcome.round, rounds_to_retrain: outcome.roundsToRetrain,
                marked: isMarked),
            [
                outcome.isBase
                    ? "\(out): the base of round \(outcome.round), in which \(site) was alone"
                    : "\(out): round \(outcome.round) without \(site)"
            ] + touched
                + [
                    isMarked
                        ? "\(trust ?? ""): \(site) is withdrawn; verify --trust fails for what it touched"
                        : """
                        to make verify fail for what it touched, add \(site) to withdrawn in TRUST.yaml and sign \
                        it (--trust with --key does)
                        """
                ])
        if outcome.isTrainedFurther {
            throw Failure(
                .checkFailed, out,
                """
                \(from) was trained further after its last merge: that training is not in the result, and is to be \
                done again from here
                """
            )
        }
        guard outcome.roundsToRetrain.isEmpty else {
            let rounds = outcome.roundsToRetrain.map(String.init).joined(separator: ", ")
            throw Failure(
                .checkFailed, out,
                """
                trained on what \(site) had touched, and to be trained again from here: \
                \(outcome.roundsToRetrain.count == 1 ? "round" : "rounds") \(rounds)
                """
            )
        }
    }
}
