import Cohorts
import Pictures

/// Which part of a data set a patient belongs to.
public enum Split: Int8, CaseIterable, Sendable {
    case train = 0
    case validation = 1
    case holdout = 2
}

/// One photograph of a data set, cropped and squared.
public struct DatasetRecord: Sendable {
    /// [size, size, 3], RGB; 0 outside the field of view.
    public var pixels: [UInt8]
    public var fieldOfView: FieldOfView
    public var cohort: Cohort
    /// The opaque key of the patient. Photographs with the same key never lie in different splits.
    public var patient: String
    public var split: Split

    public init(pixels: [UInt8], fieldOfView: FieldOfView, cohort: Cohort, patient: String, split: Split) {
        self.pixels = pixels
        self.fieldOfView = fieldOfView
        self.cohort = cohort
        self.patient = patient
        self.split = split
    }
}
