import Cohorts
import Datasets
import Diffusion
import Files

/// What a base and the data sets of a training on it know of different attributes.
struct BaseComparison {
    private let base: CohortEncoding
    private let datasets: [DatasetFile]
    private let support: CohortSupport

    init(_ base: CohortEncoding, _ datasets: [DatasetFile]) {
        self.base = base
        self.datasets = datasets
        support = CohortSupport(datasets, attributes: CohortSchema.attributes.map(\.name))
    }

    /// The base's encoding with what the data sets have besides.
    /// - Parameters:
    ///   - wanted: attributes to add, or `TrainingConfiguration.allAttributes`; the base's own may be among them.
    ///   - path: the base's path, for errors.
    ///   - file: where the settings come from, for errors.
    /// - Throws: `Failure`: `.badData` for attributes that the data sets do not have, and for a base whose classes come
    ///   from elsewhere; `.usage` where there is nothing to add.
    func extended(by wanted: [String], base path: String, file: String) throws -> CohortEncoding {
        guard base.classes == nil else {
            throw Failure(
                .badData, path, field: "classes", expected: "a model of cohorts, which can be extended",
                found: "classes of a model from elsewhere")
        }
        let isAll = wanted == [TrainingConfiguration.allAttributes]
        let others = wanted.filter { !base.attributes.contains($0) }
        let new = try CohortEncoding(isAll ? wanted : others, over: datasets, file: file)
        // New names of the base's own open attributes, such as a camera that it never saw.
        let names = base.openNames.keys.reduce(into: new.openNames) { $0[$1] = known($1) }
        let own = base.attributes.filter { names[$0]?.isEmpty == false && !new.attributes.contains($0) }
        let result = base.extended(
            by: CohortEncoding(attributes: new.attributes + own, openNames: names.filter { !$0.value.isEmpty }))
        guard result != base else {
            throw Failure(.usage, path, option: "extend", "the data has no attribute and no value that the base lacks")
        }
        return result
    }

    /// The values of an attribute that enough patients have, besides unknown.
    private func known(_ attribute: String) -> [String] { support.names(of: attribute).filter { $0 != "unknown" } }

    /// Whether a photograph of the train split has a value of this attribute that the base knows.
    private func isHeard(_ attribute: String) -> Bool {
        let names = Set(base.names(of: attribute))
        return datasets.contains { dataset in
            dataset.rows(of: .train).contains { row in
                dataset.cohorts[attribute]?.name(row: row).map(names.contains) == true
            }
        }
    }

    /// What is added to the base, what is ignored, and what only the base knows, one sentence each.
    /// - Parameter encoding: what the training uses.
    func notes(_ encoding: CohortEncoding) -> [String] {
        // A value that all photographs share says nothing, so that such an attribute is not missed.
        let lacking = CohortSchema.attributes.map(\.name).filter {
            !base.attributes.contains($0) && support.names(of: $0).count >= 2
        }
        let added = encoding.attributes.filter { !base.attributes.contains($0) },
            ignored = lacking.filter { !added.contains($0) },
            unheard = base.attributes.filter { !isHeard($0) }
        var notes: [String] = []
        if !added.isEmpty { notes.append("\(added.listed): added to the base, which knows \(base.attributes.listed)") }
        if !ignored.isEmpty {
            notes.append(
                """
                \(ignored.listed): in the data and not in the base, so ignored; a training that extends its base \
                learns them
                """)
        }
        for attribute in encoding.attributes where CohortSchema.attribute(attribute)?.isOpen == true {
            let strange = known(attribute).filter { !encoding.names(of: attribute).contains($0) }
            if !strange.isEmpty {
                notes.append("\(attribute) \(strange.listed): not in the base, so unknown to this training")
            }
            let new = encoding.names(of: attribute).filter { !base.names(of: attribute).contains($0) }
            if !new.isEmpty, base.attributes.contains(attribute) {
                notes.append("\(attribute) \(new.listed): added to the base")
            }
        }
        if !unheard.isEmpty {
            notes.append("\(unheard.listed): in the base and not in the data, so learnt from no photograph here")
        }
        return notes
    }
}

extension [String] {
    /// The words with commas between them; `nothing` where there are none.
    fileprivate var listed: String { isEmpty ? "nothing" : joined(separator: ", ") }
}
