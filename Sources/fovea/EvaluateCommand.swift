import ArgumentParser
import Files
import Fovea
import Foundation

struct EvaluateCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Says whether synthetic pictures help a classifier, for whom and by how much.",
        discussion: """
            Trains small classifiers on photographs with and without the synthetic pictures, and measures them on \
            patients whom nobody trained on. It says so when the pictures do not help. The page and the figures in \
            the output hold aggregates only.

            Example: fovea evaluate s.h5 --train site.h5 --test other.h5 --task dr_icdr --positive 2,3,4 --by sex \
            --out eval
            """)

    @Argument(help: .value("s.h5", "A sample set, or a dataset of another program's pictures."), completion: .file())
    var samples: String
    @Option(help: .value("site.h5", "The dataset that the model was trained on."), completion: .file())
    var train: String
    @Option(
        help: .value("other.h5", "A dataset of another site that nobody trained on; may be repeated."),
        completion: .file())
    var test: [String] = []
    @Option(help: .value("attribute", "What the classifier is to tell, such as dr_icdr.")) var task: String
    @Option(help: .value("values", "The values that are cases, such as 2,3,4 (default: each value is a class)."))
    var positive: String?
    @Option(help: .value("attributes", "One to three attributes whose values are looked at one by one, such as sex."))
    var by: String?
    @Option(help: .value("parts", "Of fidelity,anatomy,usefulness,obedience (default: all).")) var parts: String?
    @Option(help: .value("numbers", "Synthetic pictures for each photograph, such as 0.25,1 (default: 1/4, 1/2, all)."))
    var doses: String?
    @Option(
        help: .value(
            "f.safetensors", "Features of all pictures that another program computed; may be repeated."),
        completion: .file())
    var features: [String] = []
    @Option(help: .value("names", "Ways to train, such as augmented,pretrained (default: all).")) var arms: String?
    @Option(help: .value("n", "Trainings of each way to train.")) var seeds = 5
    @Option(help: .value("pixels", "Width and height at which pictures are classified, 32 to 128.")) var size = 64
    @Option(help: .value("n", "Steps of each training.")) var steps = 600
    @Option(help: .value("folder", "The folder to write."), completion: .directory) var out: String
    @Flag(help: "Go on with an evaluation that was stopped or killed; begins where there is none.") var resume = false
    @OptionGroup var common: CommonOptions

    func job() throws -> EvaluateJob {
        var job = EvaluateJob(samples, train: train, task: task, to: out)
        (job.tests, job.features) = (test, features)
        (job.seeds, job.size, job.steps) = (seeds, size, steps)
        (job.resumes, job.replaces) = (resume, common.force)
        job.positive = EvaluateCommand.list(positive) ?? []
        job.by = EvaluateCommand.list(by) ?? []
        job.arms = EvaluateCommand.list(arms)
        job.parts = EvaluateCommand.list(parts)
        job.doses = try EvaluateCommand.list(doses)?.map { text in
            guard let number = Double(text) else {
                throw ValidationError("--doses: expected numbers such as 0.25,0.5,1, found \(text)")
            }
            return number
        }
        return job
    }

    private static func list(_ text: String?) -> [String]? {
        text.map { $0.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } }
    }
}
