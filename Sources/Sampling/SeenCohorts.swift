import CheckpointStore
import Cohorts
import Datasets
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

    /// The cohorts in these training sets. A set that is named twice counts once.
    public init(_ data: [TrainingData]) {
        self.data = data.reduce(into: []) { known, set in
            if !known.contains(where: { $0.site == set.site && $0.digest == set.digest }) { known.append(set) }
        }
    }

    /// The reason why the model did not see enough patients for `request`; nil where it saw enough. For a joined
    /// request the patients of its members count together.
    public func refusal(of request: CohortRequest) -> String? {
        // The manifest of an imported model does not list patients, so nothing can be refused.
        if data.isEmpty { return nil }
        guard request.isJoined else { return refusal(ofPlain: request) }
        let members = request.members
        if isProven(members) || members.contains(where: { refusal(ofPlain: $0) == nil }) { return nil }
        let known = isCounted(members[0])
        let each = members.map { "\($0.text): \(known ? counted($0.named) : "fewer than 5 patients")" }
        return
            """
            \(request.text): the model's file does not show that 5 patients together have these values \
            (\(each.joined(separator: "; "))\(known ? "; counts are rounded to 5" : ""))
            """
    }

    private func refusal(ofPlain request: CohortRequest) -> String? {
        let asked = request.named
        if asked.isEmpty {
            // The count is rounded to 5, so that only from 10 on it shows that there were 5.
            let isEnough = data.contains { $0.patients >= 2 * PatientTable.fewestPatients } || isSeen([:])
            return isEnough ? nil : "the model's file does not show that it was trained on 5 patients"
        }
        for (attribute, names) in asked {
            for name in names where !isSeen([attribute: name]) {
                return
                    "\(attribute)=\(name) was seen with fewer than 5 patients; the model saw \(values(of: attribute))"
            }
        }
        // A position between two values needs both values.
        let combinations = SeenCohorts.combinations(asked)
        guard let missing = combinations.first(where: { !isSeen($0) }) else { return nil }
        return "\(SeenCohorts.text(missing)) were seen together with fewer than 5 patients; \(around(missing))"
    }

    /// The combinations of one name for each attribute.
    private static func combinations(_ asked: [(attribute: String, names: [String])]) -> [[String: String]] {
        asked.reduce([[:]]) { (found: [[String: String]], each) in
            found.flatMap { combination in each.names.map { combination.merging([each.attribute: $0]) { $1 } } }
        }
    }

    private static func text(_ values: [String: String]) -> String {
        values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }

    private func isSeen(_ values: [String: String]) -> Bool {
        data.contains { data in
            if let combinations = data.combinations {
                return combinations.contains { combination in values.allSatisfy { combination[$0.key] == $0.value } }
            }
            // Files of older versions list no combinations.
            return values.allSatisfy { (data.cohortCounts[$0.key]?[$0.value] ?? 0) >= PatientTable.fewestPatients }
        }
    }

    /// The numbers of patients by the values of an attribute that were seen, rounded to 5.
    public func counts(of attribute: String) -> [String: Int] {
        var counts: [String: Int] = [:]
        for data in data {
            for (name, count) in data.cohortCounts[attribute] ?? [:] where isSeen([attribute: name]) {
                counts[name, default: 0] += count
            }
        }
        return counts
    }

    private func values(of attribute: String) -> String {
        let counts = counts(of: attribute)
        if counts.isEmpty { return "nothing of \(attribute)" }
        return counts.sorted { $0.key < $1.key }.map { "\($0.key) (\(SeenCohorts.rounded($0.value)))" }.joined(
            separator: ", ")
    }
}

// MARK: - Counts of values together

extension SeenCohorts {
    /// The members of a joined request that are drawn, each with the end of its part of 0...1. The parts are in
    /// proportion to the members' patients, as far as the model's file tells.
    func shares(of joined: CohortRequest) -> [(request: CohortRequest, upTo: Double)] {
        let members = joined.members, isProven = isProven(members)
        let drawn = members.filter { isProven ? patients($0.named) > 0 : refusal(ofPlain: $0) == nil }
        // Nothing is known of an imported model, and nothing else is left where a small cohort is drawn nevertheless.
        let all = drawn.isEmpty ? members : drawn
        // Of more than two attributes the file has no counts together, so the joined attributes alone decide.
        let weights = all.map { member in
            patients(isProven ? member.named : member.named.filter { joined.alternatives[$0.attribute] != nil })
        }
        let known = weights.allSatisfy { $0 > 0 } ? weights : all.map { _ in 1 }
        let total = Double(known.reduce(0, +))
        var end = 0
        return zip(all, known).map { member, weight in
            end += weight
            return (member, Double(end) / total)
        }
    }

    /// Whether the rounded counts prove that one training set had at least five patients of these members together.
    private func isProven(_ members: [CohortRequest]) -> Bool {
        guard isCounted(members[0]) else { return false }
        return data.contains { data in
            members.reduce(0) { $0 + (SeenCohorts.count($1.named, in: data)?.atLeast ?? 0) }
                >= PatientTable.fewestPatients
        }
    }

    /// Whether a file of this version has counts for the attributes of a request.
    private func isCounted(_ request: CohortRequest) -> Bool {
        let named = request.named
        return named.count <= 2 && named.allSatisfy { $0.names.count == 1 } && data.contains { $0.jointCounts != nil }
    }

    private static func count(_ named: [(attribute: String, names: [String])], in data: TrainingData) -> JointCount? {
        let values = Dictionary(uniqueKeysWithValues: named.map { ($0.attribute, $0.names[0]) })
        return data.jointCounts?.first { $0.values == values }
    }

    /// The number of patients with these values in all training sets, rounded to 5 in each.
    private func patients(_ named: [(attribute: String, names: [String])]) -> Int {
        data.reduce(0) { $0 + (SeenCohorts.count(named, in: $1)?.patients ?? 0) }
    }

    /// A count that was rounded to 5, in words: 5 stands for 3 to 7.
    private static func rounded(_ count: Int) -> String { count == 5 ? "3 to 7" : "about \(count)" }

    private func counted(_ named: [(attribute: String, names: [String])]) -> String {
        let count = patients(named)
        return count > 0 ? SeenCohorts.rounded(count) : "fewer than 3"
    }

    /// What the training sets have around a combination that is missing: of two attributes each value beside the other,
    /// of more attributes the pairs among them.
    private func around(_ missing: [String: String]) -> String {
        guard data.contains(where: { $0.jointCounts != nil }) else {
            return
                "the model's file is of an older version and has no counts of values together; the model saw "
                + missing.keys.sorted().map { "\($0): \(values(of: $0))" }.joined(separator: "; ")
        }
        let names = missing.keys.sorted()
        guard names.count == 2 else {
            let pairs = names.indices.flatMap { first in
                names[(first + 1)...].map { second in [names[first], second] }
            }
            let each = pairs.map { pair in
                let values = missing.filter { pair.contains($0.key) }
                return "\(SeenCohorts.text(values)) (\(counted(pair.map { ($0, [missing[$0] ?? ""]) })))"
            }
            return "of two values at a time the model saw \(each.joined(separator: ", "))"
        }
        let beside = names.map { name in
            let other = names[0] == name ? names[1] : names[0], value = missing[name] ?? ""
            var counts: [String: Int] = [:]
            for count in data.flatMap({ $0.jointCounts ?? [] })
            where count.values.count == 2 && count.values[name] == value {
                if let beside = count.values[other] { counts[beside, default: 0] += count.patients }
            }
            let each = counts.sorted { $0.key < $1.key }.map { "\($0.key) (\(SeenCohorts.rounded($0.value)))" }
            return
                """
                with \(name)=\(value) the model saw \
                \(each.isEmpty ? "no \(other) of 3 patients" : "\(other) \(each.joined(separator: ", "))")
                """
        }
        return beside.joined(separator: "; ")
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
