import Datasets
import Foundation
import Pictures

/// One visit to the camera: how the eye is held, lit and photographed. The eye itself stays the same.
public struct PhantomVisit: Sendable {
    /// The cameras differ in the angle of view, in how the picture is cut off, in colour and in sharpness.
    public enum Camera: String, CaseIterable, Sendable {
        /// 50 degrees, cut off at top and bottom, orange.
        case a = "phantom-a"
        /// 45 degrees, a whole disc, red.
        case b = "phantom-b"
        /// 47 degrees, sometimes cut off, paler and bluer.
        case c = "phantom-c"
    }

    /// The structure in the middle of the photograph.
    public enum Field: String, CaseIterable, Sendable {
        case macula, disc
    }

    /// 0, 1, ...
    public let number: Int
    public let camera: Camera
    /// The centre of the photograph; one photograph in four is centred on the optic disc.
    public let field: Field
    public let pose: PhantomPose
    let light: PhantomLight
    /// The radius of the field of view divided by half the picture's side.
    let fill: Float
    /// The visible height of the field of view divided by its diameter: 1 where nothing is cut off.
    let height: Float
    /// The deviation of the camera's blur, in disc radii.
    let blur: Float
    /// The deviation of a pixel's noise at 256 x 256, as a share of full scale.
    let noise: Float
    private let patient: PhantomPatient
    private let eye: UInt32

    /// Visit `number` of an eye. It follows from the seed, the patient, the eye and the number.
    public init(_ eye: PhantomEye, number: Int) {
        self.number = number
        patient = eye.patient
        self.eye = eye.laterality == .right ? 1 : 2
        func stream(_ purpose: PhantomRandom.Purpose) -> PhantomRandom {
            PhantomRandom(
                seed: eye.patient.seed, patient: eye.patient.number, eye: eye.laterality == .right ? 1 : 2, purpose,
                index: number)
        }
        var random = stream(.pose)
        let camera = Camera.allCases[random.integer(0...2)]
        self.camera = camera
        let degrees: Float =
            switch camera {
            case .a: 50
            case .b: 45
            case .c: 47
            }
        let cut: Float =
            switch camera {
            case .a: random.uniform(0.80...0.88)
            case .b: 1
            case .c: random.chance(0.5) ? random.uniform(0.88...0.96) : 1
            }
        var fieldRandom = stream(.field)
        field = fieldRandom.chance(0.25) ? .disc : .macula
        let middle = field == .disc ? eye.opticDisc.center : PhantomPoint(0.55, 0)
        pose = PhantomPose(
            gaze: middle + PhantomPoint(random.normal(0.22), random.normal(0.22)), rotation: random.normal(0.05),
            extent: degrees / 2 / PhantomEye.degreesPerDiscRadius * (1 + random.normal(0.02)),
            isMirrored: eye.laterality == .left)
        fill = random.uniform(0.975...1)
        height = cut

        random = stream(.light)
        light = PhantomLight(camera: camera, random: &random)
        // One photograph in eight is out of focus.
        blur = random.chance(0.125) ? random.uniform(0.065...0.11) : random.uniform(0.018...0.05)
        noise = random.uniform(0.003...0.009)
    }

    /// `good`, or `usable` where the photograph is out of focus.
    public var quality: String { blur > 0.055 ? "usable" : "good" }

    /// The field of view in a picture of `size` x `size`.
    public func fieldOfView(size: Int) -> FieldOfView {
        let half = Float(size) / 2
        let radius = half * fill
        return FieldOfView(
            centerX: half, centerY: half, radius: radius, top: half - radius * height, bottom: half + radius * height)
    }

    /// The stream of the pixels' noise.
    var noiseStream: PhantomRandom {
        PhantomRandom(seed: patient.seed, patient: patient.number, eye: eye, .noise, index: number)
    }
}

/// Illumination and the camera's colours over the field of view, where (0, 0) is the middle and the radius is 1.
struct PhantomLight: Sendable {
    private let exposure: Float
    private let gradient: SIMD2<Float>
    private let vignette: Float
    private let tint: SIMD3<Float>
    private let gamma: Float
    /// Light that the camera scatters over the whole picture.
    private let veil: SIMD3<Float>
    /// The strength of a lens reflection along one side of the rim; 0 for none.
    private let flare: Float
    private let flareSide: SIMD2<Float>
    private let flareColour: SIMD3<Float>

    init(camera: PhantomVisit.Camera, random: inout PhantomRandom) {
        exposure = 1.02 + random.normal(0.1)
        gradient = direction(random.uniform(0...6.2832)) * random.uniform(0.03...0.24)
        vignette = random.uniform(0.15...0.5)
        let warmth = random.normal(0.05)
        let base: SIMD3<Float> =
            switch camera {
            case .a: SIMD3(0.98, 0.98, 0.72)
            case .b: SIMD3(1.12, 0.85, 1.1)
            case .c: SIMD3(1.02, 1.02, 1.1)
            }
        tint = base * SIMD3(1 + warmth * 0.4, 1, 1 - warmth * 2)
        veil = camera == .c ? SIMD3(0.01, 0.03, 0.11) * random.uniform(0.5...1.2) : SIMD3()
        gamma = 1 + random.normal(0.05)
        flare = random.chance(0.22) ? random.uniform(0.05...0.2) : 0
        flareSide = direction(random.uniform(0...6.2832))
        flareColour = random.chance(0.5) ? SIMD3(0.55, 0.75, 0.55) : SIMD3(0.9, 0.65, 0.6)
    }

    /// The colour that the camera shows for a retina of `colour`.
    func apply(_ colour: SIMD3<Float>, at place: SIMD2<Float>) -> SIMD3<Float> {
        let square = (place * place).sum()
        let slope: Float = 1 + (place * gradient).sum()
        let falloff: Float = 1 - vignette * square * (0.45 + 0.55 * square)
        var shown = colour * tint * (exposure * slope * falloff) + veil
        if flare > 0 {
            let side = (place * flareSide).sum()
            let rim = max(0, square - 0.55) * max(0, side)
            shown += flareColour * (flare * min(rim * 2.4, 1))
        }
        for i in 0..<3 {
            // A soft shoulder, as in film and cameras, so that bright discs keep their structure.
            let x = max(shown[i], 0)
            let limited = x < 0.72 ? x : 0.72 + 0.28 * tanh((x - 0.72) / 0.28)
            shown[i] = pow(limited, gamma)
        }
        return shown
    }
}
