import CheckpointStore
import Cohorts
import Diffusion
import Files
import Models

/// What a model's training sets held for at least five patients, as its manifest says.
public struct SeenCohorts: Sendable {
    private let data: [TrainingData]

    public init(_ model: LoadedModel) {
        self.init(model.manifest.trainingData + model.mixture.flatMap(\.trainingData))
    }

    public init(_ data: [TrainingData]) { self.data = data }

    /// Why `request` is none that the model saw enough of; nil where it is.
    public func refusal(of request: CohortRequest) -> String? {
        // A model from elsewhere says nothing of patients.
        if data.isEmpty { return nil }
        let asked = request.named
        for (attribute, names) in asked {
            for name in names where !isSeen([attribute: name]) {
                return
                    "\(attribute)=\(name) was seen with fewer than 5 patients; the model saw \(values(of: attribute))"
            }
        }
        // A place between two values asks for both.
        let combinations = asked.reduce([[:]]) { (found: [[String: String]], each) in
            found.flatMap { combination in each.names.map { combination.merging([each.attribute: $0]) { $1 } } }
        }
        guard let missing = combinations.first(where: { !isSeen($0) }) else { return nil }
        let text = missing.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        let singles = asked.map { "\($0.attribute): \(values(of: $0.attribute))" }.joined(separator: "; ")
        return "\(text) were seen together with fewer than 5 patients; the model saw \(singles)"
    }

    private func isSeen(_ values: [String: String]) -> Bool {
        data.contains { data in
            if let combinations = data.combinations {
                return combinations.contains { combination in values.allSatisfy { combination[$0.key] == $0.value } }
            }
            // Files of older versions name no combinations.
            return values.allSatisfy { (data.cohortCounts[$0.key]?[$0.value] ?? 0) >= 5 }
        }
    }

    /// The values that were seen, with how many patients, rounded to 5.
    private func values(of attribute: String) -> String {
        var counts: [String: Int] = [:]
        for data in data {
            for (name, count) in data.cohortCounts[attribute] ?? [:] where isSeen([attribute: name]) {
                counts[name, default: 0] += count
            }
        }
        if counts.isEmpty { return "nothing of \(attribute)" }
        return counts.sorted { $0.key < $1.key }.map { "\($0.key) (about \($0.value))" }.joined(separator: ", ")
    }
}

extension CohortRequest {
    /// What is asked for by attribute: one name, or the two that a place lies between.
    fileprivate var named: [(attribute: String, names: [String])] {
        var result = cohort.values.map { (attribute: $0.key, names: [$0.value]) }
        for (attribute, position) in positions where cohort[attribute] == nil {
            let codes = Set([position.rounded(.down), position.rounded(.up)]).sorted()
            let names = CohortSchema.attribute(attribute)?.names ?? []
            result.append((attribute, codes.map { names[Int($0)] }))
        }
        return result.sorted { $0.attribute < $1.attribute }
    }
}
