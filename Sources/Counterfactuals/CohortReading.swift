/// What classifiers that were trained on photographs alone read in the pictures of a set.
package struct CohortReading: Codable, Sendable {
    /// The attribute that is read, and the classes in their order.
    package let attribute: String
    package let classes: [String]
    /// The number of photographs of the train split.
    package let photographs: Int
    /// The probability of each class for each row of the set, the mean of the trainings.
    package let probabilities: [[Double]]
    /// Of an ordinal attribute: the expected place on the line of its values, for each row; otherwise nil.
    package let places: [Double]?
    /// Of an ordinal attribute: Spearman's correlation between what was asked for and what is read, over all
    /// counterfactuals; nil where it is not defined.
    package let spearman: Double?
    /// The same of photographs that the classifiers were not trained on, between what is known and what is read.
    package let photographSpearman: Double?
    /// The share of counterfactuals in which the class that was asked for is the most probable one, and the same of
    /// photographs that were not trained on; nil where there are none of a known class.
    package let obeyed, photographsRead: Double?

    package init(
        attribute: String, classes: [String], photographs: Int, probabilities: [[Double]], places: [Double]?,
        spearman: Double?, photographSpearman: Double?, obeyed: Double?, photographsRead: Double?
    ) {
        (self.attribute, self.classes, self.photographs) = (attribute, classes, photographs)
        (self.probabilities, self.places) = (probabilities, places)
        (self.spearman, self.photographSpearman) = (spearman, photographSpearman)
        (self.obeyed, self.photographsRead) = (obeyed, photographsRead)
    }
}
