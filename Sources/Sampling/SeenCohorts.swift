import CheckpointStore
import Cohorts
import Diffusion
import Files
import Models

/// The values and combinations of values for which a model's training sets had at least five patients, according to its
/// manifest.
public struct SeenCohorts: Sendable {
    private let data: [TrainingData]

    /// The cohorts in the training sets of a model and of the adapters that are mixed in.
    public init(_ model: LoadedModel) {
        self.init(model.manifest.trainingData + model.mixture.flatMap(\.trainingData))
    }

    /// The cohorts in these training sets.
    public init(_ data: [TrainingData]) { self.data = data }

    /// The reason why the model did not see enough patients for `request`; nil where it saw enough.
    public func refusal(of request: CohortRequest) -> String? {
        // The manifest of an imported model does not list patients, so nothing can be refused.
        if data.isEmpty { return nil }
        let asked = request.named
        for (attribute, names) in asked {
            for name in names where !isSeen([attribute: name]) {
                return
                    "\(attribute)=\(name) was seen with fewer than 5 patients; the model saw \(values(of: attribute))"
            }
        }
        // A position between two values needs both values.
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
            // Files of older versions list no combinations.
            return values.allSatisfy { (data.cohortCounts[$0.key]?[$0.value] ?? 0) >= 5 }
        }
    }

    /// The values that were seen, with the number of patients, rounded to 5.
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
    /// The values that are asked for by attribute: one name, or the two names on both sides of a position.
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
