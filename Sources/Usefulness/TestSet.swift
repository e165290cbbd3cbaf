/// The photographs that classifiers are measured on: their classes, patients and cohorts.
package struct TestSet: Sendable {
    /// What the set is called, such as `holdout` or the name of a file.
    package let name: String
    /// The number of each photograph's class.
    package let labels: [Int]
    /// The number of each photograph's patient, from 0 without gaps.
    package let patients: [Int]
    /// The known attributes of each photograph.
    package let cohorts: [[String: String]]

    package var count: Int { labels.count }
    package var patientCount: Int { (patients.max() ?? -1) + 1 }

    package init(name: String, labels: [Int], patients: [Int], cohorts: [[String: String]]) {
        guard labels.count == patients.count, labels.count == cohorts.count else {
            fatalError("TestSet: \(labels.count) labels, \(patients.count) patients, \(cohorts.count) cohorts")
        }
        (self.name, self.labels, self.cohorts) = (name, labels, cohorts)
        var numbers: [Int: Int] = [:]
        self.patients = patients.map { patient in
            let number = numbers[patient] ?? numbers.count
            numbers[patient] = number
            return number
        }
    }
}

/// A part of a test set in which an area under the ROC curve is measured.
package struct Cell: Codable, Hashable, Sendable {
    /// What is told apart: the mean over all classes of one against the rest (nil), or one class against the rest.
    package let classNumber: Int?
    /// The attribute and the value that the photographs have; nil for all photographs.
    package let attribute, value: String?

    package static let overall = Cell(classNumber: nil, attribute: nil, value: nil)

    package init(classNumber: Int?, attribute: String?, value: String?) {
        (self.classNumber, self.attribute, self.value) = (classNumber, attribute, value)
    }

    /// The cells of a test set: all photographs; each class against the rest where there are more than two; all classes
    /// for each value of the attributes.
    package static func all(of set: TestSet, task: ClassificationTask, by attributes: [String]) -> [Cell] {
        let classes =
            task.isBinary
            ? [] : task.classes.indices.map { Cell(classNumber: $0, attribute: nil, value: nil) }
        let parts = attributes.flatMap { attribute in
            Set(set.cohorts.compactMap { $0[attribute] }).sorted().map {
                Cell(classNumber: nil, attribute: attribute, value: $0)
            }
        }
        return [overall] + classes + parts
    }

    /// What the cell is called: `all`, `dr_icdr 4 against the rest`, `sex female`.
    package func text(_ task: ClassificationTask) -> String {
        let part = attribute.flatMap { attribute in value.map { "\(attribute) \($0)" } }
        let aim = classNumber.map { "\(task.attribute) \(task.classes[$0]) against the rest" }
        let texts = [aim, part].compactMap { $0 }
        return texts.isEmpty ? "all" : texts.joined(separator: ", ")
    }
}
