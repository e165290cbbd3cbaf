import Auditing
import Classification
import Cohorts
import Datasets
import Evaluation
import EvaluationPages
import Files
import Foundation
import Pictures
import Usefulness

/// One evaluation of synthetic pictures.
package struct EvaluationRun: Sendable {
    let inputs: EvaluationInputs
    let say: @Sendable (String) -> Void
    private let progressed: @Sendable (_ stage: String, _ share: Double, _ detail: String?) -> Void

    /// - Parameters:
    ///   - say: is given sentences for a person.
    ///   - progress: is told what is being done, how far it is from 0 to 1, and the part of it that is done now.
    package init(
        _ inputs: EvaluationInputs, say: @escaping @Sendable (String) -> Void,
        progress: @escaping @Sendable (_ stage: String, _ share: Double, _ detail: String?) -> Void
    ) {
        (self.inputs, self.say, progressed) = (inputs, say, progress)
    }

    func progress(_ stage: String, _ share: Double, detail: String? = nil) { progressed(stage, share, detail) }

    func check() throws {
        try Cancellation.check("what is done is kept; go on with --resume")
    }

    /// Says what is evaluated, and how: an evaluation goes on only with the same.
    package func fingerprint() throws -> Digest {
        struct Inputs: Encodable {
            let samples, train: Digest
            let tests, features: [Digest]
            let attribute: String
            let positive, by: [String]
            let settings: EvaluationSettings
            let tool: String
        }
        let text = try JSONText.encoded(
            Inputs(
                samples: inputs.samples.digest, train: inputs.train.digest, tests: inputs.tests.map(\.digest),
                features: inputs.features.map(\.digest),
                attribute: inputs.attribute, positive: inputs.positive, by: inputs.by, settings: inputs.settings,
                tool: ToolVersion.current))
        return Digest(of: Array(text.utf8))
    }

    /// Runs the evaluation.
    /// - Parameter folder: keeps what is done.
    /// - Throws: `Failure(.badData)` where the files cannot be evaluated; `Failure(.interrupted)`.
    package func run(folder: String, resumes: Bool, replaces: Bool = false) async throws -> EvaluationRecord {
        let journal = try EvaluationJournal(
            folder, fingerprint: fingerprint(), resumes: resumes, replaces: replaces)
        progress("pictures", 0)
        let data = try await EvaluationData(inputs) { progress("pictures", $0) }
        try await requireApart()
        let parts = inputs.settings.parts
        var compared =
            parts.contains(.fidelity) || parts.contains(.anatomy) ? try await ComparedPictures(inputs) : nil
        let given = try compared.map { pictures in try inputs.features.map { try $0.kind(pictures, inputs) } } ?? []
        // What is refused leaves nothing behind.
        try journal.begin()
        say(EvaluationRun.counts(data))
        for name in data.withoutLabels {
            say("\(name): \(inputs.attribute) is known of no photograph, so that it tests nothing")
        }
        var record = EvaluationRecord(inputs, data)
        if let pictures = compared {
            let values = data.task.values
            if !pictures.isHeldOut {
                say(
                    """
                    fewer than \(FidelityFeatures.leastCount) patients are held out, so that fidelity and anatomy \
                    compare with photographs that were trained on
                    """)
            }
            if parts.contains(.fidelity) {
                record.fidelity = try fidelity(pictures, given, values: values, encoder: data.training.pictures)
            }
            if parts.contains(.anatomy) { record.anatomy = try anatomy(pictures, values: values) }
        }
        compared = nil
        if parts.contains(.usefulness) || parts.contains(.obedience) {
            let arms = try trainArms(data, journal)
            if parts.contains(.usefulness) {
                progress("usefulness: intervals", 0)
                record.usefulness = UsefulnessFigures(
                    arms, validation: data.validation.set, tests: data.tests.map(\.set), task: data.task,
                    by: inputs.by)
            }
            if parts.contains(.obedience) {
                record.obedience = try await obedience(data, arms, journal)
            }
        }
        return record
    }

    private static func counts(_ data: EvaluationData) -> String {
        func text(_ pictures: LabelledPictures) -> String {
            data.task.classes.enumerated().map { number, name in
                "\(name): \(pictures.labels.count { $0 == number })"
            }.joined(separator: "; ")
        }
        let tests = data.tests.map { "\($0.set.name) \($0.set.count)" }.joined(separator: ", ")
        return """
            \(data.task.attribute): \(data.training.count) photographs to train on (\(text(data.training))), \
            \(data.synthetic.count) synthetic pictures (\(text(data.synthetic))); to choose by: \
            \(data.validation.set.count) photographs; to test on: \(tests)
            """
    }

    private func requireApart() async throws {
        progress("shared patients", 0)
        let shared = try await SharedPatients(inputs.train)
        let own = inputs.train.rows(of: .holdout)
        try await shared.requireNone(inputs.train, rows: own) {
            try check()
            progress("shared patients", $0)
        }
        for test in inputs.tests {
            try await shared.requireNone(test, rows: Array(0..<test.count)) {
                try check()
                progress("shared patients", $0)
            }
        }
        for source in [inputs.train] + inputs.tests where !shared.comparesVessels(source) {
            say(
                """
                \(source.path): below 128 pixels vessels cannot be compared, so that only equal pixels would show a \
                patient who is also trained on
                """)
        }
    }

    /// Trains all arms, or reads what an earlier process trained.
    private func trainArms(_ data: EvaluationData, _ journal: EvaluationJournal) throws -> [ArmPredictions] {
        let training = try ArmTraining(data, inputs.settings), seeds = inputs.settings.seeds
        let isUseful = inputs.settings.parts.contains(.usefulness)
        let arms = training.arms.filter { isUseful || $0 == .resampled }
        var found: [Arm: [ArmPrediction]] = [:]
        let total = Double(arms.count * seeds)
        var done = 0.0, cost = TrainingCost()
        for arm in arms {
            for seed in 0..<seeds {
                let name = "\(arm.name)-\(seed)"
                if let known = journal.read(name) {
                    found[arm, default: []].append(known)
                    done += 1
                    continue
                }
                let agreeing = arm == .filtered ? found[.augmented].map { training.agreeing($0[seed]) } ?? [] : []
                let now = done
                let prediction = try training.prediction(arm, seed: seed, agreeing: agreeing) { share in
                    try check()
                    if let sentence = cost.sentence(share, trainings: total - now) { say(sentence) }
                    progress("usefulness", (now + share) / total, detail: "\(arm.name), training \(seed + 1)")
                }
                try journal.write(prediction, name)
                found[arm, default: []].append(prediction)
                done += 1
            }
        }
        return arms.map { ArmPredictions($0, found[$0] ?? []) }
    }

    /// Reads every attribute that was asked for by classifiers that were trained on photographs.
    private func obedience(
        _ data: EvaluationData, _ arms: [ArmPredictions], _ journal: EvaluationJournal
    ) async throws -> [ObedienceFigures] {
        var figures: [ObedienceFigures] = []
        if let arm = arms.first(where: { $0.arm == .resampled }), let test = data.tests.first,
            test.set.name == EvaluationData.ownTest
        {
            figures.append(
                ObedienceFigures(
                    data, test.set, photographs: mean(arm.seeds.map { $0.tests[0] }),
                    synthetic: mean(arm.seeds.map(\.synthetic))))
        }
        let asked = CohortSchema.attributes.map(\.name).filter { attribute in
            attribute != inputs.attribute
                && Set((0..<inputs.samples.count).compactMap { inputs.samples.cohort($0)[attribute] }).count > 1
        }
        for attribute in asked {
            var other = inputs
            (other.attribute, other.positive, other.tests) = (attribute, [], [])
            other.settings.arms = []
            // Where photographs do not tell the attribute, nothing can be said of the samples.
            guard let data = try await EvaluationData.ifPossible(other), let test = data.tests.first else { continue }
            let training = try ArmTraining(data, other.settings), name = "obedience-\(attribute)"
            let found =
                try journal.read(name)
                ?? training.prediction(.resampled, seed: 0, agreeing: []) {
                    try check()
                    progress("obedience: \(attribute)", $0)
                }
            try journal.write(found, name)
            figures.append(
                ObedienceFigures(data, test.set, photographs: found.tests[0], synthetic: found.synthetic))
        }
        return figures
    }

    /// The mean of the trainings' probabilities.
    private func mean(_ seeds: [[[Double]]]) -> [[Double]] {
        (seeds.first ?? []).indices.map { row in
            seeds[0][row].indices.map { number in
                seeds.reduce(0) { $0 + $1[row][number] } / Double(seeds.count)
            }
        }
    }
}

extension ObedienceFigures {
    fileprivate init(
        _ data: EvaluationData, _ test: TestSet, photographs: [[Double]], synthetic: [[Double]]
    ) {
        let classes = data.task.classes.count
        self.init(
            attribute: data.task.attribute, classes: data.task.classes,
            photographs: ReadLabels(
                labels: test.labels, probabilities: photographs, patients: test.patients, classes: classes),
            synthetic: ReadLabels(
                labels: data.synthetic.labels, probabilities: synthetic, patients: nil, classes: classes),
            isOrdinal: data.task.isOrdinal)
    }
}

/// Tells once how long all trainings will take, from the first steps of the first one.
private struct TrainingCost {
    private var started = ContinuousClock.now
    private var isTold = false

    /// - Parameters:
    ///   - share: how much of the first training is done.
    ///   - trainings: the number of trainings that are left with this one.
    mutating func sentence(_ share: Double, trainings: Double) -> String? {
        guard !isTold, share >= 0.1 else { return nil }
        isTold = true
        let seconds = (ContinuousClock.now - started) / .seconds(1) / share * trainings
        let minutes = max(1, Int((seconds / 60).rounded(.up)))
        return """
            \(Int(trainings)) trainings of classifiers take about \(minutes == 1 ? "a minute" : "\(minutes) minutes") \
            on this machine; Ctrl-C stops, and --resume goes on
            """
    }
}
