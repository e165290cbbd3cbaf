import CheckpointStore
import Datasets
import Files
import Foundation
import Models
import Pictures
import SampleStore
import TensorCore
import Training
import Verdicts

/// One audit: compares a sample set with the photographs that its model may have learned from.
package struct AuditRun {
    package enum Control: Sendable {
        /// A twin that the audit overfits on purpose, within the policy's budget.
        case make
        /// A snapshot, a sample set or a folder of pictures of an overfitted model.
        case given(String)
    }

    /// What is audited, and against what.
    package struct Inputs: Sendable {
        /// The samples to audit. Nil draws the policy's number of samples from the model.
        package var samples: AuditSource?
        package var train: AuditSource
        /// A model of the same recipe that was trained with canaries, and the canaries.
        package var canaries: (model: LoadedModel, phantoms: DatasetFile)?
        /// The photographs of patients that the model never saw. Nil takes the training data's own holdout split.
        package var holdout: AuditSource?
        package var model: LoadedModel?
        package var reference: LoadedModel?
        package var control: Control?
        package var policy = AuditPolicy()
        /// The site's key, under which parcels name the training set.
        package var siteKey: SigningKey?
        /// The width and height in pixels at which pictures are compared; nil for those of the samples.
        package var size: Int?

        package init(train: AuditSource) { self.train = train }
    }

    let inputs: Inputs
    /// A folder for the files that the audit needs while it runs, such as drawn samples.
    let workFolder: String
    let say: @Sendable (String) -> Void
    /// Is told what is being done, and how far it is from 0 to 1.
    let progress: @Sendable (String, Double) -> Void

    package init(
        _ inputs: Inputs, workFolder: String, say: @escaping @Sendable (String) -> Void,
        progress: @escaping @Sendable (String, Double) -> Void
    ) {
        self.inputs = inputs
        self.workFolder = workFolder
        self.say = say
        self.progress = progress
    }

    /// The pictures of all sides at one size.
    struct Sides: Sendable {
        let samples: PictureSet
        let gallery: PictureSet
        let auxiliary, calibration, report: PictureSet
        /// The row of each gallery picture in the training data.
        let galleryRows: [Int]
        let parts: HoldoutParts
    }

    /// The configuration of the attack on the model, and of the attack on the model with canaries.
    var membershipConfiguration: MembershipConfiguration {
        var configuration = MembershipConfiguration()
        configuration.draws = inputs.policy.membershipDraws
        return configuration
    }

    func check() throws { try Cancellation.check("nothing was written; start the audit again") }

    /// Runs the whole audit.
    /// - Throws: `Failure(.badData)` where the inputs cannot be audited, such as too few patients or photographs that
    ///   are in both training set and holdout; `Failure(.usage)` where samples or a holdout are missing;
    ///   `Failure(.interrupted)`.
    package func run(ledger: AuditLedger) async throws -> AuditResult {
        // Models that do not fit are refused before the long work.
        var canaryAudit: CanaryAudit?
        if let (model, phantoms) = inputs.canaries {
            canaryAudit = try await CanaryAudit(model, canaries: phantoms, configuration: membershipConfiguration)
        }
        if let model = inputs.model, let reference = inputs.reference {
            _ = try MembershipAttack(model: ModelInMemory(model), reference: ModelInMemory(reference))
        }
        let samples = try await samplesSource()
        let models = Set(samples.models + (inputs.model.map { [$0.digest] } ?? []))
        let earlier = try ledger.earlier(samples: samples.digest, models: Array(models), policy: inputs.policy)
        let sides = try await sides(samples)
        say(
            """
            gallery: \(sides.gallery.count) training photographs of \(Set(sides.gallery.patients).count) patients at \
            \(sides.gallery.size) pixels; holdout: \(Set(sides.calibration.patients).count) patients for thresholds, \
            \(Set(sides.report.patients).count) for false alarms, \(Set(sides.auxiliary.patients).count) for helper \
            models
            """
        )
        let stage = { (prefix: String) in
            { (name: CopyTestName, share: Double) in
                try check()
                progress("\(prefix): \(name.title.lowercased())", share)
            }
        }
        let some = min(inputs.policy.calibrationPhotographs, sides.gallery.count)
        let battery = try CopyBattery(
            try tests(sides), calibration: sides.calibration,
            galleryRows: (0..<some).map { $0 * sides.gallery.count / some },
            falseAlarmRate: inputs.policy.falseAlarmRate, progress: stage("thresholds"))
        let report = try battery.scores(of: sides.report, progress: stage("false alarms"))
        let table = try battery.scores(of: sides.samples, progress: stage("samples"))
        // Half-blends are mixed with samples that are not flagged, so that the partner is not a copy itself.
        let flaggedRows = Set(table.flaggedRows), innocent = (0..<table.count).filter { !flaggedRows.contains($0) }
        let planted = try PlantedCopies(
            sides.gallery, most: inputs.policy.plantedPhotographs,
            partners: innocent.isEmpty ? sides.calibration : sides.samples.selecting(innocent))
        let plantedTable = try battery.scores(of: planted.pictures, progress: stage("power"))
        progress("distances", 0)
        let distances = DistanceFigures(
            samples: sides.samples, train: sides.gallery,
            holdout: PictureSet(joining: [sides.calibration, sides.report]))
        let realism = RealismFigures(
            samples: sides.samples, train: sides.gallery,
            holdout: PictureSet(joining: [sides.calibration, sides.report]))
        let membership = try await membership(sides)
        let canaries = try canaryAudit.map(canaries)
        let control = try await control(sides, battery, holdout: report)
        let builder = FiguresBuilder(
            inputs: inputs, samples: samples, sides: sides, battery: battery, table: table, report: report,
            planted: planted, plantedTable: plantedTable)
        let flagged = builder.flaggedSamples
        let list = try JSONText.encoded(FlaggedList(samples: samples.digest, table: table, flagged: flagged))
        let figures = builder.figures(
            distances: distances, realism: realism, membership: membership?.public, canaries: canaries,
            control: control, earlier: earlier, flaggedDigest: Digest(of: Array(list.utf8)))
        return AuditResult(
            figures: figures, verdict: Verdict(figures), flagged: flagged, flaggedJSON: list, sides: sides,
            table: table, samples: samples, train: inputs.train, digests: builder.digests, membership: membership)
    }

    private func samplesSource() async throws -> AuditSource {
        if let given = inputs.samples { return given }
        guard let model = inputs.model else {
            throw Failure(.usage, nil, "expected samples, or a model to draw them from")
        }
        return try await drawnSamples(model, count: inputs.policy.modelSamples, to: workFolder + "/samples.h5")
    }

    /// The fewest training photographs that can be audited.
    static let leastPhotographs = 8

    private func sides(_ samples: AuditSource) async throws -> Sides {
        let train = inputs.train, galleryRows = train.rows(of: .train)
        guard galleryRows.count >= AuditRun.leastPhotographs else {
            throw Failure(
                .badData, train.path, field: "training photographs", expected: "at least \(AuditRun.leastPhotographs)",
                found: "\(galleryRows.count)")
        }
        let holdout = inputs.holdout ?? train
        if inputs.holdout == nil, case .folder = train.content {
            throw Failure(
                .usage, train.path, "is a folder, which has no holdout split", remedy: .holdout)
        }
        let isOwn = inputs.holdout == nil || holdout.path == train.path
        let holdoutRows = isOwn ? holdout.rows(of: .holdout) : Array(0..<holdout.count)
        let parts = HoldoutParts(
            holdoutRows, patient: holdout.patient, auxiliary: isOwn ? holdout.rows(of: .validation) : [])
        let patients = [parts.calibration, parts.report].map { Set($0.map(holdout.patient)).count }
        guard let fewest = patients.min(), fewest >= CopyBattery.leastCalibration else {
            throw Failure(
                .badData, holdout.path, field: "holdout patients",
                expected: "at least \(CopyBattery.leastCalibration) each for thresholds and for false alarms",
                found: "\(patients[0]) and \(patients[1])")
        }
        let size = inputs.size ?? samples.size ?? train.size ?? 256
        guard (32...1024).contains(size) else {
            throw Failure(.badData, samples.path, field: "size", expected: "32 to 1024 pixels", found: "\(size)")
        }
        let pictures = samples.count + galleryRows.count + parts.auxiliary.count + parts.calibration.count
        try MemoryFigures.requireRoom(
            (pictures + parts.report.count) * size * size * 3, for: "the pictures", place: samples.path,
            advice: "audit at a smaller size or fewer samples")
        progress("pictures", 0)
        let result = Sides(
            samples: try await samples.pictures(Array(0..<samples.count), size: size),
            gallery: try await train.pictures(galleryRows, size: size),
            auxiliary: try await holdout.pictures(parts.auxiliary, size: size),
            calibration: try await holdout.pictures(parts.calibration, size: size),
            report: try await holdout.pictures(parts.report, size: size), galleryRows: galleryRows, parts: parts)
        try requireApart(result, holdout.path)
        return result
    }

    /// Checks that no photograph is in both training set and holdout.
    private func requireApart(_ sides: Sides, _ path: String) throws {
        func digests(_ set: PictureSet) -> [Digest] {
            let bytes = set.size * set.size * 3
            return (0..<set.count).map { Digest(of: set.pixels[$0 * bytes..<($0 + 1) * bytes]) }
        }
        let known = Set(digests(sides.gallery))
        // A photograph may be in two parts of the holdout, but is counted once.
        let shared = Set([sides.auxiliary, sides.calibration, sides.report].flatMap(digests)).intersection(known).count
        guard shared == 0 else {
            throw Failure(
                .badData, path, field: "holdout", expected: "no photograph of the training set",
                found: "\(shared) of them")
        }
    }
}

extension PictureSet {
    /// All pictures of several sets. Patients of different sets count as different.
    init(joining sets: [PictureSet]) {
        var patients: [Int] = []
        for set in sets {
            let offset = (patients.max() ?? -1) + 1
            patients += set.patients.map { $0 + offset }
        }
        self.init(size: sets[0].size, pixels: sets.flatMap(\.pixels), patients: patients)
    }
}
