import CheckpointStore
import Cohorts
import Datasets
import Diffusion
import Files
import Foundation
import Models
import PictureFiles
import Pictures
import SampleStore
import Sampling
import Statistics
import TensorCore
import Training
import Verdicts

/// The parts of an audit that need models: samples drawn from the model, the overfitted twin, and membership.
extension AuditRun {
    func tests(_ sides: Sides) throws -> [any CopyTest] {
        let taught = FeatureCopies.patientsToTeach(sides.gallery)
        let helpers = PictureSet(joining: [
            sides.gallery.selecting(
                sides.gallery.patients.indices.filter { taught.contains(sides.gallery.patients[$0]) }), sides.auxiliary,
        ])
        var configuration = CopyDetectorConfiguration()
        configuration.steps = inputs.policy.detectorSteps
        let detector = try DetectorCache.detector(on: helpers, configuration) { share in
            try check()
            progress("training the copy detector", share)
        }
        progress("vessel maps", 0)
        return [
            PixelCopies(sides.gallery), FeatureCopies(detector, gallery: sides.gallery, taught: taught),
            try RetinalIdentity(sides.gallery),
        ]
    }

    /// Draws samples from the model for the cohorts of its training patients, each as often as it occurs there. In this
    /// way, rare cohorts are tested, too.
    func drawnSamples(_ model: LoadedModel, count: Int, to path: String) async throws -> AuditSource {
        let encoding = model.manifest.model.cohort, seen = SeenCohorts(model)
        let requests = inputs.train.rows(of: .train).compactMap { row -> CohortRequest? in
            let known = inputs.train.cohort(row).filter { encoding.attributes.contains($0.key) }
            let request = CohortRequest(Cohort(known))
            guard !known.isEmpty,
                (try? request.values(for: encoding, model: model.path)) != nil, seen.refusal(of: request) == nil
            else { return encoding.classes == nil ? .open : nil }
            return request
        }
        // The seed follows from the model, so that nobody can choose it.
        let seed = model.digest.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        say("drawing \(count) samples from \(model.path)")
        let run = SamplingRun(
            model, SamplerSettings(for: model.manifest.model), plan: SamplingPlan(count: count, cohorts: requests),
            seed: seed, firstIndex: 0, path: path,
            options: SampleSetWriter.Options(resume: true, force: false, deflate: 1), use: .audit, allowsUnseen: true)
        let done = try await run.run(contact: "", progress: { progress("drawing samples", Double($0) / Double(count)) })
        guard done == count else {
            throw Failure(.interrupted, nil, "interrupted: \(done) of \(count) samples are kept; start the audit again")
        }
        return try await AuditSource(path)
    }

    /// The flagged samples of the positive control, at the thresholds of this audit.
    func control(_ sides: Sides, _ battery: CopyBattery, holdout: CopyTable) async throws -> AuditFigures.Control? {
        guard let control = inputs.control else { return nil }
        let pictures: PictureSet
        var figures = AuditFigures.Control(source: .given, patients: nil, images: nil, flagged: [:], caught: [])
        switch control {
        case .given(let path):
            pictures = try await givenControl(path, size: sides.gallery.size)
        case .make:
            (pictures, figures) = try await twin(sides)
        }
        let table = try battery.scores(of: pictures) { name, share in
            try check()
            progress("control: \(name.title.lowercased())", share)
        }
        for name in battery.tests.map(\.test.name) {
            let rate = table.rate(name)
            figures.flagged[name.rawValue] = rate
            if rate.lowerBound(above: holdout.rate(name)) > 0 { figures.caught.append(name) }
        }
        return figures
    }

    /// Samples of a twin that is overfitted on a few training patients.
    ///
    /// Where the policy gives the twin training images, it is trained, starting from the model's weights if the model
    /// was given. Otherwise the twin is the limit of that training in closed form: the denoiser with the least loss on
    /// those patients, below whose handover noise level the audited model renders the details. The closed form copies
    /// beyond doubt, so a test that does not catch it has no power.
    private func twin(_ sides: Sides) async throws -> (PictureSet, AuditFigures.Control) {
        let policy = inputs.policy, size = sides.gallery.size, count = policy.controlSamples
        if policy.controlImages > 0 {
            let data = try await inputs.train.dataset(sides.galleryRows, sides.gallery, in: workFolder)
            var settings = OverfittedTwin.Settings()
            (settings.patients, settings.images) = (policy.controlPatients, policy.controlImages)
            let seconds = try await OverfittedTwin.estimatedSeconds(
                on: [data], size: size, audited: inputs.model, settings)
            say(
                """
                the positive control overfits a twin on \(policy.controlPatients) patients for \
                \(policy.controlImages) images, about \(Int(seconds / 60) + 1) minutes
                """
            )
            let twin = try await OverfittedTwin.train(on: [data], size: size, audited: inputs.model, settings) {
                seen, all in
                try check()
                progress("overfitting the control", Double(seen) / Double(all))
                return true
            }
            let pictures = PictureSet(
                size: twin.model.size, pixels: twin.model.samples(count: count), patients: Array(0..<count)
            ).resized(to: size)
            return (
                pictures,
                AuditFigures.Control(
                    source: .trained, patients: twin.patients, images: twin.imagesSeen, flagged: [:], caught: [])
            )
        }
        let patients = Array(Set(sides.gallery.patients)).sorted(), chosen = min(policy.controlPatients, patients.count)
        let some = Set((0..<chosen).map { patients[$0 * patients.count / chosen] })
        let rows = sides.gallery.patients.indices.filter { some.contains(sides.gallery.patients[$0]) }
        say(
            """
            the positive control copies \(chosen) training patients, in closed \
            form\(inputs.model == nil ? "" : ", rendered by the model")
            """
        )
        let photographs = sides.gallery.selecting(rows)
        let figures = AuditFigures.Control(source: .closedForm, patients: chosen, images: nil, flagged: [:], caught: [])
        // Without a model that renders them, the copies are the photographs themselves.
        guard let model = inputs.model.map({ ModelInMemory($0) }) else {
            return (photographs.selecting((0..<count).map { $0 % photographs.count }), figures)
        }
        var known = TrainingSet(pixels: photographs.resized(to: model.size).pixels, size: model.size)
        known.measure(model.model.description.space.maps)
        let handover = Float(policy.controlHandover) * model.model.description.space.noiseScale
        let pixels = model.copies(of: known, handover: handover, count: count)
        return (PictureSet(size: model.size, pixels: pixels, patients: Array(0..<count)).resized(to: size), figures)
    }

    /// Checks before the long work that a given control can be read.
    /// - Throws: `Failure` naming the file that is missing or damaged.
    package static func requireControl(_ path: String) async throws {
        if try isOfWeights(path) {
            _ = try SafetensorsIndex(contentsOf: path)
        } else {
            _ = try await AuditSource(path)
        }
    }

    private static func isOfWeights(_ path: String) throws -> Bool {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if isThere, isFolder.boolValue { return false }
        if case .weights = try FileSort(contentsOf: path) { return true }
        return false
    }

    private func givenControl(_ path: String, size: Int) async throws -> PictureSet {
        guard try AuditRun.isOfWeights(path) else {
            let source = try await AuditSource(path)
            return try await source.pictures(Array(0..<source.count), size: size)
        }
        let twin = ModelInMemory(try LoadedModel(contentsOf: path)), count = inputs.policy.controlSamples
        say("drawing \(count) samples of the control \(path)")
        return PictureSet(size: twin.size, pixels: twin.samples(count: count), patients: Array(0..<count)).resized(
            to: size)
    }

    /// Asks the model whom it was trained on: training patients are compared with the patients of the holdout's
    /// calibration and report parts.
    func membership(_ sides: Sides) async throws -> MembershipFindings? {
        guard let model = inputs.model else { return nil }
        let data = try await inputs.train.dataset(sides.galleryRows, sides.gallery, in: workFolder)
        let others = inputs.holdout ?? inputs.train
        let outside = try await others.dataset(
            sides.parts.calibration + sides.parts.report, PictureSet(joining: [sides.calibration, sides.report]),
            in: workFolder)
        let description = model.manifest.model
        let memberRows = try data.rowsOf(inputs.train, sides.galleryRows),
            otherRows = try outside.rowsOf(others, sides.parts.calibration + sides.parts.report)
        let members = try await AuditPhotographs([(data, memberRows)], of: description)
        let nonMembers = try await AuditPhotographs([(outside, otherRows)], of: description)
        let reference = try await reference(model, sides, others)
        let attack = try MembershipAttack(
            model: ModelInMemory(model), reference: reference, configuration: membershipConfiguration)
        let cost = attack.cost(photographs: members.count + nonMembers.count, timedOn: members)
        say(
            """
            membership: \(cost.evaluations) evaluations of the network, about \(Int((cost.seconds ?? 0) / 60) + 1) \
            minutes
            """
        )
        let found = try attack.run(members: members, nonMembers: nonMembers) { done, all in
            try check()
            progress("membership", Double(done) / Double(all))
        }
        return MembershipFindings(public: found.result, members: found.members, nonMembers: found.nonMembers)
    }

    /// Asks a model that was trained with canaries which of them it saw.
    func canaries(_ audit: CanaryAudit) throws -> AuditFigures.Canaries {
        let cost = audit.cost
        say(
            """
            canaries: \(cost.evaluations) evaluations of the network, about \(Int((cost.seconds ?? 0) / 60) + 1) minutes
            """
        )
        let result = try audit.run { done, all in
            try check()
            progress("canaries", Double(done) / Double(all))
        }
        return AuditFigures.Canaries(model: audit.model, result: result)
    }

    private func reference(_ model: LoadedModel, _ sides: Sides, _ others: AuditSource) async throws -> ModelInMemory? {
        if let given = inputs.reference { return ModelInMemory(given) }
        guard inputs.policy.referenceImages > 0, sides.auxiliary.count > 0 else { return nil }
        let data = try await others.dataset(sides.parts.auxiliary, sides.auxiliary, in: workFolder)
        let auxiliary = try await AuditPhotographs(
            [(data, try data.rowsOf(others, sides.parts.auxiliary))], of: model.manifest.model)
        say(
            """
            training a reference model on \(auxiliary.patientCount) auxiliary patients for \
            \(inputs.policy.referenceImages) images
            """
        )
        return try MembershipAttack.referenceModel(like: model, on: auxiliary, images: inputs.policy.referenceImages) {
            seen, all in
            try check()
            progress("training the reference model", Double(seen) / Double(all))
            return true
        }
    }
}

/// What the membership attack found: public aggregates, and the scores of single patients, which never leave the site.
package struct MembershipFindings: Sendable {
    package let `public`: MembershipResult
    let members, nonMembers: MembershipScores
}

extension AuditSource {
    /// The pictures as a data set. This is the source's own data set, or a file that is made from a folder's
    /// photographs.
    func dataset(_ rows: [Int], _ pictures: PictureSet, in folder: String) async throws -> DatasetFile {
        if case .dataset(let file) = content { return file }
        let path = "\(folder)/\(digest.description.prefix(16))-\(rows.count)-\(rows.first ?? 0).h5"
        if !FileManager.default.fileExists(atPath: path) {
            let writer = try await DatasetWriter(
                path: path, size: pictures.size,
                info: DatasetInfo(
                    site: "folder", source: "a folder", onePatientPerPhoto: true,
                    created: Date(timeIntervalSince1970: 0)))
            for start in stride(from: 0, to: rows.count, by: 64) {
                let records = (start..<min(start + 64, rows.count)).map { place in
                    DatasetRecord(
                        pixels: pictures[place].pixels, fieldOfView: .whole(pictures.size), cohort: Cohort(),
                        patient: patient(rows[place]), split: .train)
                }
                try await writer.append(records)
            }
            try await writer.finish()
        }
        return try await DatasetFile.open(path)
    }
}

extension DatasetFile {
    /// The rows in this file that hold `rows` of `source`. They are the same rows where the source is a data set, and
    /// all rows where this file was made from a folder.
    fileprivate func rowsOf(_ source: AuditSource, _ rows: [Int]) throws -> [Int] {
        if case .dataset = source.content { return rows }
        return Array(0..<count)
    }
}

extension FieldOfView {
    fileprivate static func whole(_ size: Int) -> FieldOfView {
        let half = Float(size) / 2
        return FieldOfView(centerX: half, centerY: half, radius: half - 1, top: 1, bottom: Float(size) - 1)
    }
}
