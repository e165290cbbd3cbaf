import Cohorts
import Networks
import TensorCore

extension CohortEncoding {
    /// What each row of the table stands for, such as `sex unknown` or `sex=female`.
    private var rowNames: [String] {
        attributes.compactMap(CohortSchema.attribute).flatMap { attribute -> [String] in
            let name = attribute.name, common = ["\(name) null", "\(name) unknown"]
            switch attribute.scale {
            case .nominal: return common + names(of: name).map { "\(name)=\($0)" }
            case .ordinal(let highest):
                return common + ["\(name) origin", "\(name) direction"]
                    + attribute.names.dropFirst(Int(highest) + 1).map { "\(name)=\($0)" }
            }
        }
    }

    /// This encoding with the attributes and the names of open attributes that `other` has besides.
    public func extended(by other: CohortEncoding) -> CohortEncoding {
        var openNames = openNames
        for (attribute, names) in other.openNames {
            let known = openNames[attribute] ?? []
            openNames[attribute] = known + names.filter { !known.contains($0) }
        }
        return CohortEncoding(
            attributes: attributes + other.attributes.filter { !attributes.contains($0) }, openNames: openNames)
    }

    /// Whether this encoding has everything that `base` has, in the same order, and may have more. Classes of a model
    /// from elsewhere cannot be extended.
    public func extends(_ base: CohortEncoding) -> Bool {
        if self == base { return true }
        return problem == nil && classes == nil && base.classes == nil && base.extended(by: self) == self
    }

    /// For each row of the table, the row of `base` that stands for the same; nil where it is new.
    func rows(in base: CohortEncoding) -> [Int?] {
        let known = Dictionary(uniqueKeysWithValues: base.rowNames.enumerated().map { ($1, $0) })
        return rowNames.map { known[$0] }
    }
}

extension DiffusionModel {
    /// The rows of the cohort table that a base with another encoding lacks; nil where it lacks none.
    /// - Parameter base: what this model's encoding extends.
    public func addedRows(to base: CohortEncoding) -> AddedRows? {
        let own = description.cohort
        guard own != base else { return nil }
        let new = own.rows(in: base).enumerated().filter { $0.element == nil }.map(\.offset)
        return new.isEmpty ? nil : AddedRows(DiffusionModel.cohortPath, rows: new, in: specifications)
    }

    /// The cohort table of this model, [rows, width], with the rows of a base's table and zeros in those that are new.
    /// - Parameters:
    ///   - table: the base's table; nil where the base has none.
    ///   - base: the base's encoding.
    public func cohortTable(from table: Tensor?, of base: CohortEncoding) -> Tensor {
        let width = description.network.embeddingWidth, rows = description.cohort.rows(in: base)
        let source = table?.elements ?? []
        return Tensor(shape: [rows.count, width]) { target in
            for (row, old) in rows.enumerated() {
                for i in 0..<width { target[row * width + i] = old.map { source[$0 * width + i] } ?? 0 }
            }
        }
    }
}
