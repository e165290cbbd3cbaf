import Cohorts
import Datasets
import Files
import Pictures

/// A photograph of an eye that does not exist, and everything that is known about it.
public struct Phantom: Sendable {
    public let eye: PhantomEye
    public let visit: PhantomVisit
    /// Width and height in pixels.
    public let size: Int
    /// [size, size, 3], RGB; 0 outside the field of view.
    public let pixels: [UInt8]
    public let masks: PhantomMasks
    public let fieldOfView: FieldOfView

    /// Renders `visit` of `eye`.
    /// - Parameter size: width and height in pixels, 32 to 4096.
    public init(_ eye: PhantomEye, _ visit: PhantomVisit, size: Int) {
        guard (32...4096).contains(size) else { fatalError("a phantom has 32 to 4096 pixels a side, not \(size)") }
        self.eye = eye
        self.visit = visit
        self.size = size
        fieldOfView = visit.fieldOfView(size: size)
        (pixels, masks) = PhantomRenderer(eye, visit, size: size).render()
    }

    /// The map between the eye's frame and the picture's pixels.
    public var transform: PhantomTransform { visit.pose.transform(fieldOfView) }

    /// The values of the schema's attributes for this phantom.
    public var cohort: Cohort {
        let patient = eye.patient
        return Cohort([
            "dr_icdr": String(patient.grade),
            "dme": String(eye.macularOedemaRisk),
            "disease": patient.grade == 0 ? "healthy" : "dr",
            "age_band": patient.age >= 80 ? "80+" : "\(patient.age / 10 * 10)-\(patient.age / 10 * 10 + 9)",
            "sex": patient.sex,
            "ethnicity": patient.pigmentGroup,
            "laterality": eye.laterality.rawValue,
            "field": visit.field.rawValue,
            "camera": visit.camera.rawValue,
            "quality": visit.quality,
        ])
    }

    /// The phantom as a record of a data set.
    public var record: DatasetRecord {
        DatasetRecord(
            pixels: pixels, fieldOfView: fieldOfView, cohort: cohort, patient: eye.patient.key, split: eye.patient.split
        )
    }
}

/// Where structures are in a phantom. Each mask is [size, size]: 255 inside the structure, and 0 outside it and outside
/// the field of view.
public struct PhantomMasks: Hashable, Sendable {
    /// Vessels of the retina. New vessels from retinopathy count as lesions instead.
    public var vessels: [UInt8]
    public var opticDisc: [UInt8]
    public var opticCup: [UInt8]
    /// One disc diameter around the fovea.
    public var macula: [UInt8]
    /// Lesions of retinopathy. A lesion that is smaller than a pixel marks the pixel with its centre.
    public var lesions: [UInt8]

    /// The names of the masks in files, in the order of files.
    public static let names = ["vessels", "optic_disc", "optic_cup", "macula", "lesions"]

    /// The mask of one of `names`.
    public subscript(name: String) -> [UInt8]? {
        switch name {
        case "vessels": vessels
        case "optic_disc": opticDisc
        case "optic_cup": opticCup
        case "macula": macula
        case "lesions": lesions
        default: nil
        }
    }
}
