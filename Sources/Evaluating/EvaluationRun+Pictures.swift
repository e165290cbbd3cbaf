import Anatomy
import Auditing
import Datasets
import Evaluation
import EvaluationPages
import Files
import Pictures

/// The photographs that synthetic pictures are compared with, and the synthetic pictures, at the size at which features
/// and anatomy are measured.
struct ComparedPictures: Sendable {
    let photographs, synthetic: PictureSet
    /// The rows in their files.
    let photographRows, syntheticRows: [Int]
    /// Whether the photographs are of patients whom nobody trained on.
    let isHeldOut: Bool

    /// The largest side, and the most pictures of each group; of more, so many are taken at even distances.
    private static let mostSide = 256, mostPictures = 1000

    init(_ inputs: EvaluationInputs) async throws {
        let train = inputs.train, samples = inputs.samples
        let heldOut = (train.rows(of: .validation) + train.rows(of: .holdout)).sorted()
        isHeldOut = Set(heldOut.map(train.patient)).count >= FidelityFeatures.leastCount
        photographRows = ComparedPictures.some(isHeldOut ? heldOut : train.rows(of: .train))
        syntheticRows = ComparedPictures.some(Array(0..<samples.count))
        let side = min(train.size ?? 256, samples.size ?? 256, ComparedPictures.mostSide)
        photographs = try await train.pictures(photographRows, size: side)
        synthetic = try await samples.pictures(syntheticRows, size: side)
    }

    private static func some(_ rows: [Int]) -> [Int] {
        rows.count <= mostPictures ? rows : (0..<mostPictures).map { rows[$0 * rows.count / mostPictures] }
    }

    /// The places of the pictures of a value of an attribute, among photographs and among synthetic pictures.
    func places(_ attribute: String, _ value: String, _ inputs: EvaluationInputs) -> (own: [Int], drawn: [Int]) {
        (
            photographRows.indices.filter { inputs.train.cohort(photographRows[$0])[attribute] == value },
            syntheticRows.indices.filter { inputs.samples.cohort(syntheticRows[$0])[attribute] == value }
        )
    }
}

extension EvaluationRun {
    /// The values of the task's attribute that both groups have, in the order of the schema.
    private func values(_ pictures: ComparedPictures, task: [String]) -> [String] {
        task.filter { value in
            let places = pictures.places(inputs.attribute, value, inputs)
            return !places.own.isEmpty && !places.drawn.isEmpty
        }
    }

    /// Fidelity of all pictures, and of each value of the task's attribute.
    /// - Parameter given: features that another program computed.
    func fidelity(
        _ pictures: ComparedPictures, _ given: [FidelityFeatures.Kind], values: [String],
        encoder photographs: PictureSet
    ) throws -> FidelityRecord {
        var kinds = [.radiomic, .retina] + given
        if let encoder = try encoder(of: photographs, pictures) { kinds.append(encoder) }
        progress("fidelity: features", 0)
        let features = FidelityFeatures(
            photographs: pictures.photographs, synthetic: pictures.synthetic, kinds: kinds)
        progress("fidelity: figures", 0.5)
        let seed = inputs.settings.seed
        let all = features.figures(seed: seed).withRoundedCounts
        try check()
        let cohorts = self.values(pictures, task: values).compactMap { value -> FidelityRecord.Cohort? in
            let places = pictures.places(inputs.attribute, value, inputs)
            let patients = Set(places.own.map { pictures.photographs.patients[$0] }).count
            guard min(patients, places.drawn.count) >= FidelityFeatures.leastCount else { return nil }
            return FidelityRecord.Cohort(
                name: "\(inputs.attribute) \(value)",
                figures: features.figures(photographs: places.own, synthetic: places.drawn, seed: seed)
                    .withRoundedCounts)
        }
        return FidelityRecord(isHeldOut: pictures.isHeldOut, all: all, cohorts: cohorts)
    }

    /// The features of the audit's encoder, which learns from the photographs that the generator learned from, and from
    /// nothing else. Nil where there are too few.
    private func encoder(of photographs: PictureSet, _ pictures: ComparedPictures) throws -> FidelityFeatures.Kind? {
        guard photographs.count >= 16 else { return nil }
        var configuration = CopyDetectorConfiguration()
        (configuration.side, configuration.steps, configuration.width) = (64, 300, 64)
        let detector = try CopyDetector.trained(on: photographs, configuration) {
            try check()
            progress("fidelity: encoder", $0)
        }
        func rows(_ set: PictureSet) -> FeatureRows {
            let features = detector.features(of: set)
            return FeatureRows(
                (0..<set.count).map { row in
                    features[row * detector.width..<(row + 1) * detector.width].map(Double.init)
                })
        }
        return .given(name: "encoder", photographs: rows(pictures.photographs), synthetic: rows(pictures.synthetic))
    }

    /// The anatomy of all pictures, and of each value of the task's attribute.
    func anatomy(_ pictures: ComparedPictures, values: [String]) throws -> [AnatomyFigures] {
        progress("anatomy", 0)
        let own = try measured(pictures.photographs, from: 0, to: 0.5)
        let drawn = try measured(pictures.synthetic, from: 0.5, to: 1)
        let patients = pictures.photographs.patients, seed = inputs.settings.seed
        let all = AnatomyFigures(cohort: nil, photographs: own, patients: patients, synthetic: drawn, seed: seed)
        return [all].compactMap(\.self)
            + self.values(pictures, task: values).compactMap { value in
                let places = pictures.places(inputs.attribute, value, inputs)
                return AnatomyFigures(
                    cohort: "\(inputs.attribute) \(value)", photographs: places.own.map { own[$0] },
                    patients: places.own.map { patients[$0] }, synthetic: places.drawn.map { drawn[$0] }, seed: seed)
            }
    }

    private func measured(_ pictures: PictureSet, from: Double, to: Double) throws -> [EyeAnatomy] {
        var result: [EyeAnatomy] = []
        for start in stride(from: 0, to: pictures.count, by: 32) {
            try check()
            progress("anatomy", from + (to - from) * Double(start) / Double(pictures.count))
            result += EyeAnatomy.of(pictures.selecting(Array(start..<min(start + 32, pictures.count))))
        }
        return result
    }
}
