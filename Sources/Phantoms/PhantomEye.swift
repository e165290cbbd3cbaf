import Datasets
import Files
import Foundation

/// The person of a phantom: what both eyes and all visits share. It follows from the seed and the number alone.
public struct PhantomPatient: Hashable, Sendable {
    public enum Laterality: String, Sendable, CaseIterable {
        case right, left
    }

    public let seed: UInt64
    /// 0, 1, 2, ...
    public let number: Int
    /// ICDR grade, 0-4. Every five patients in a row (0-4, 5-9, ...) have five different grades.
    public let grade: Int
    /// Years.
    public let age: Int
    public let sex: String
    /// 0 pale to 1 dark.
    public let pigmentation: Float
    /// The eye that is photographed.
    public let laterality: Laterality
    /// The patient's split. In each ten patients in a row (0-9, 10-19, ...), one is for validation and one is held out.
    public let split: Split

    /// The patient with this number under a seed.
    public init(seed: UInt64, number: Int) {
        self.seed = seed
        self.number = number
        var grades = PhantomRandom(seed: seed, patient: number / 5, .gradeOrder)
        grade = grades.permutation(5)[number % 5]
        var splits = PhantomRandom(seed: seed, patient: number / 10, .splitOrder)
        split = [0: .validation, 1: .holdout][splits.permutation(10)[number % 10]] ?? .train
        var random = PhantomRandom(seed: seed, patient: number, .person)
        age = random.integer(18...89)
        sex = random.chance(0.5) ? "female" : "male"
        pigmentation = random.uniform()
        laterality = random.chance(0.5) ? .right : .left
    }

    /// The pigment group, a third of `pigmentation`. The scheme of groups is the phantoms' own; their pigment differs
    /// as it does between people.
    public var pigmentGroup: String {
        pigmentation < 1 / 3 ? "phantom-light" : pigmentation < 2 / 3 ? "phantom-medium" : "phantom-dark"
    }

    /// The patient's key in data sets, such as `phantom-000123`.
    public var key: String {
        "phantom-\(number.padded(to: 6))"
    }
}

/// An ellipse in the eye's frame.
public struct PhantomEllipse: Hashable, Sendable {
    public var center: PhantomPoint
    /// Half axes in disc radii, along x and y before the tilt.
    public var axes: PhantomPoint
    /// Radians, clockwise in the picture of a right eye.
    public var tilt: Float

    /// 0 at the centre and 1 on the outline; it grows linearly outwards.
    package func level(_ point: PhantomPoint) -> Float {
        let d = point - center
        let (c, s) = (cos(tilt), sin(tilt))
        return length(PhantomPoint(d.x * c + d.y * s, d.y * c - d.x * s) / axes)
    }
}

/// Everything that is constant in one eye: anatomy, pigment and lesions, in disc radii from the fovea.
public struct PhantomEye: Sendable {
    public let patient: PhantomPatient
    public let laterality: PhantomPatient.Laterality
    public let opticDisc: PhantomEllipse
    public let opticCup: PhantomEllipse
    /// The cup's vertical diameter divided by that of the disc.
    public let cupToDisc: Float
    public let vessels: [PhantomVessel]
    public let lesions: [PhantomLesion]
    let surface: PhantomSurface

    /// The radius of the macula in disc radii: one disc diameter, as grading scales define it.
    public static let maculaRadius: Float = 2
    /// Degrees of visual angle in one disc radius.
    public static let degreesPerDiscRadius: Float = 3.2

    /// The eye of `patient` on the given side; by default, the side that is photographed.
    public init(_ patient: PhantomPatient, laterality: PhantomPatient.Laterality? = nil) {
        let side = laterality ?? patient.laterality
        let eye: UInt32 = side == .right ? 1 : 2
        self.patient = patient
        self.laterality = side
        func stream(_ purpose: PhantomRandom.Purpose) -> PhantomRandom {
            PhantomRandom(seed: patient.seed, patient: patient.number, eye: eye, purpose)
        }
        var random = stream(.anatomy)
        // The disc is 15.5 degrees from the fovea and a little above it.
        let center = PhantomPoint(4.85 + random.normal(0.2), -0.45 + random.normal(0.25))
        let radius = 1 + random.normal(0.06)
        let stretch = random.uniform(1.03...1.16)
        opticDisc = PhantomEllipse(
            center: center, axes: PhantomPoint(radius / stretch.squareRoot(), radius * stretch.squareRoot()),
            tilt: random.normal(0.2))
        cupToDisc = random.uniform(0.22...0.66)
        opticCup = PhantomEllipse(
            center: center + PhantomPoint(random.uniform(-0.16 ... -0.04), random.normal(0.04)) * (1 - cupToDisc) * 2,
            axes: opticDisc.axes * cupToDisc * PhantomPoint(random.uniform(0.92...1.08), 1), tilt: opticDisc.tilt)
        vessels = PhantomVesselTree.grow(disc: opticDisc, random: stream(.vessels))
        lesions = PhantomLesion.draw(grade: patient.grade, disc: opticDisc, vessels: vessels, random: stream(.lesions))
        surface = PhantomSurface(patient, random: stream(.texture))
    }

    /// The eye's key in data sets, such as `phantom-000123-left`.
    public var key: String { "\(patient.key)-\(laterality.rawValue)" }

    /// The risk of macular oedema: 0 without hard exudates, 2 where a hard exudate lies within a disc diameter of the
    /// fovea, and 1 otherwise.
    public var macularOedemaRisk: Int {
        let distances = lesions.filter { $0.kind == .hardExudate }.map { length($0.center) }
        guard let nearest = distances.min() else { return 0 }
        return nearest <= Self.maculaRadius ? 2 : 1
    }
}
