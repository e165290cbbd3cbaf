import CheckpointStore
import Datasets
import Files
import Foundation
import Models
import Pictures
import SampleStore
import Statistics
import TensorCore
import Verdicts

/// Makes the aggregates of what an audit measured.
struct FiguresBuilder {
    let inputs: AuditRun.Inputs
    let samples: AuditSource
    let sides: AuditRun.Sides
    let battery: CopyBattery
    /// The scores of the samples, and of the holdout's report part.
    let table, report: CopyTable
    let planted: PlantedCopies
    let plantedTable: CopyTable

    /// The flagged samples, by row and then by test.
    var flaggedSamples: [FlaggedSample] {
        (0..<table.count).flatMap { row in
            table.columns.filter { $0.isFlagged(row) }.map {
                FlaggedSample(index: row, test: $0.name, score: $0.scores.scores[row])
            }
        }
    }

    func figures(
        distances: DistanceFigures, realism: RealismFigures, membership: MembershipResult?,
        canaries: AuditFigures.Canaries?,
        control: AuditFigures.Control?, earlier: [AuditFigures.EarlierAudit], flaggedDigest: Digest
    ) -> AuditFigures {
        let models = samples.models
        return AuditFigures(
            samples: AuditFigures.Samples(
                kind: inputs.samples == nil ? .drawn : models.isEmpty ? .pictures : .samples,
                name: inputs.samples.map { URL(fileURLWithPath: $0.path).lastPathComponent }, digest: samples.digest,
                count: table.count, size: sides.gallery.size, models: models),
            training: training, holdout: holdout, model: inputs.model?.digest, policy: inputs.policy,
            copies: battery.tests.map(copies), flagged: flagged, cells: cells, distances: distances,
            realism: realism, membership: membership, canaries: canaries, control: control,
            notTested: notTested(membership, canaries),
            remarks: remarks, earlierAudits: earlier, flaggedDigest: flaggedDigest)
    }

    /// The digests of the photographs, for the private folder.
    var digests: PrivateDigests {
        PrivateDigests(training: trainingDigest, holdout: (inputs.holdout ?? inputs.train).digest)
    }

    private var trainingDigest: Digest {
        if case .dataset(let file) = inputs.train.content { return file.trainingSetDigest }
        return inputs.train.digest
    }

    private var training: AuditFigures.Photographs {
        var site: String?
        if case .dataset(let file) = inputs.train.content { site = file.info.site }
        return AuditFigures.Photographs(
            site: site, photographs: TrainingData.rounded(sides.gallery.count),
            patients: TrainingData.rounded(Set(sides.gallery.patients).count),
            inLineage: inLineage)
    }

    /// Whether the samples' models name the training set that they are audited against.
    private var inLineage: AuditFigures.Answer {
        guard case .dataset(let file) = inputs.train.content else { return .unknown }
        let own = file.trainingSetDigest.description,
            sets = samples.trainingSets + (inputs.model?.manifest.trainingData.map { ($0.digest, $0.site) } ?? [])
        if sets.isEmpty { return .unknown }
        if sets.contains(where: { $0.digest == own || $0.digest == inputs.siteKey?.protected(own) }) { return .yes }
        // A digest that is an HMAC cannot be compared, but the name of the set's site can.
        return sets.contains { $0.site == file.info.site } ? .unknown : .no
    }

    private var holdout: AuditFigures.Holdout {
        func patients(_ set: PictureSet) -> Int { Set(set.patients).count }
        return AuditFigures.Holdout(
            auxiliary: patients(sides.auxiliary), calibration: patients(sides.calibration),
            report: patients(sides.report))
    }

    private func copies(_ entry: CopyBattery.Calibrated) -> AuditFigures.Copies {
        let name = entry.test.name, rate = table.rate(name), others = report.rate(name)
        let column = table.columns.first { $0.name == name },
            plantedColumn = plantedTable.columns.first { $0.name == name }
        return AuditFigures.Copies(
            name: name, threshold: entry.threshold, falseAlarmRate: entry.falseAlarmRate, null: entry.null,
            samples: rate, samplesUpperBound: rate.upperBound(), holdout: others,
            holdoutUpperBound: others.upperBound(),
            excessLowerBound: rate.lowerBound(above: others, confidence: 1 - 0.05 / Double(battery.tests.count + 1)),
            patientsHit: patientsHit(column),
            power: plantedColumn.map { planted.recall($0, galleryPatients: sides.gallery.patients) } ?? [:],
            histogram: histogram(name))
    }

    /// The number of distinct training patients that the flagged samples match. The interval is that of as many samples
    /// drawn again.
    private func patientsHit(_ column: CopyTable.Column?) -> Estimate {
        guard let column, table.count > 0 else { return Estimate(value: 0, low: 0, high: 0) }
        let hits = (0..<table.count).filter(column.isFlagged).map { sides.gallery.patients[column.scores.nearest[$0]] }
        return Estimate(distinct: hits, draws: table.count)
    }

    private func histogram(_ name: CopyTestName) -> AuditFigures.Histogram {
        func scores(_ table: CopyTable) -> [Double] {
            table.columns.first { $0.name == name }?.scores.scores.filter(\.isFinite) ?? []
        }
        let sides = [table, report, plantedTable].map(scores), all = sides.flatMap { $0 }.sorted()
        guard let low = all.first, let high = all.last, high > low else {
            return AuditFigures.Histogram(low: 0, high: 1, samples: [], holdout: [], planted: [])
        }
        // The ends are rounded to multiples of 0.05, since they would otherwise be the scores of single pictures.
        let from = (low * 20).rounded(.down) / 20, to = (high * 20).rounded(.up) / 20, bins = 40
        let counts = sides.map { scores in
            scores.reduce(into: [Int](repeating: 0, count: bins)) {
                $0[min(bins - 1, max(0, Int(Double(bins) * ($1 - from) / (to - from))))] += 1
            }
        }
        return AuditFigures.Histogram(low: from, high: to, samples: counts[0], holdout: counts[1], planted: counts[2])
    }

    private var flagged: AuditFigures.Flagged {
        let rate = Rate(hits: table.flaggedRows.count, count: table.count),
            others = Rate(hits: report.flaggedRows.count, count: report.count)
        return AuditFigures.Flagged(
            samples: rate, samplesUpperBound: rate.upperBound(), holdout: others,
            holdoutUpperBound: others.upperBound(),
            excessLowerBound: rate.lowerBound(above: others, confidence: 1 - 0.05 / Double(battery.tests.count + 1)),
            confirmed: table.confirmedRows(galleryPatients: sides.gallery.patients).count)
    }

    /// The samples by what was asked for, for values that enough training patients have.
    private var cells: [AuditFigures.Cell] {
        var patients: [String: Set<Int>] = [:], rows: [String: [Int]] = [:]
        for (place, row) in sides.galleryRows.enumerated() {
            for (attribute, value) in inputs.train.cohort(row) {
                patients["\(attribute)\t\(value)", default: []].insert(sides.gallery.patients[place])
            }
        }
        for row in 0..<table.count {
            for (attribute, value) in samples.cohort(row) { rows["\(attribute)\t\(value)", default: []].append(row) }
        }
        let large = rows.keys.filter { (patients[$0]?.count ?? 0) >= inputs.policy.smallestCell }.sorted(),
            flagged = Set(table.flaggedRows)
        return large.map { key in
            let parts = key.split(separator: "\t").map(String.init), own = rows[key] ?? []
            let rate = Rate(hits: own.count { flagged.contains($0) }, count: own.count)
            return AuditFigures.Cell(
                attribute: parts[0], value: parts[1], trainingPatients: TrainingData.rounded(patients[key]?.count ?? 0),
                samples: rate, samplesUpperBound: rate.upperBound(),
                samplesLowerBound: rate.lowerBound(confidence: 1 - 0.05 / Double(max(1, large.count))))
        }
    }

    private func notTested(_ membership: MembershipResult?, _ canaries: AuditFigures.Canaries?) -> [String] {
        var missing: [String] = []
        if membership == nil {
            missing.append("who was in the training (membership inference): the model was not given")
        }
        if membership != nil, membership?.likelihoodRatio == nil {
            missing.append("membership by likelihood ratio: there was no reference model")
        }
        if canaries == nil {
            missing.append("canaries: they need a training run of their own, which is never released")
        }
        missing.append("differential privacy: no bound is claimed")
        let sites = Set(samples.trainingSets.map(\.site)), own = training.site
        let others = sites.filter { $0 != own }.sorted()
        if !others.isEmpty {
            missing.append("photographs of other sites that the model came from: \(others.joined(separator: ", "))")
        }
        if sides.gallery.size < 128 {
            missing.append("retinal identity by fine vessels: \(sides.gallery.size) pixels show the large ones alone")
        }
        missing.append(
            """
            whether a person is recognised by other means than the vessels: lesions, scars, the shape of the optic disc
            """
        )
        return missing
    }

    private var remarks: [String] {
        var remarks: [String] = []
        for entry in battery.tests where entry.null.setAside > 0 {
            remarks.append(
                """
                \(entry.test.name.title): \(entry.null.setAside) of the photographs that set the threshold match \
                another patient's as only the same eye does, and were left out: do two patients' names stand for one \
                person?
                """
            )
        }
        switch inLineage {
        case .no:
            remarks.append(
                """
                the samples' models do not name this training set: copies of the photographs that they did learn from \
                would not be found
                """
            )
        case .unknown: remarks.append("whether the samples' models learned from this training set could not be checked")
        case .yes: break
        }
        if case .dataset(let file) = inputs.train.content, file.info.onePatientPerPhoto {
            remarks.append(
                """
                the training data says that each photograph is another patient; where that is not so, patients are \
                counted more than once
                """
            )
        }
        return remarks
    }
}

extension AuditSource {
    /// The digests of the models that made the samples.
    var models: [Digest] {
        if case .samples(let file) = content { return file.models.map(\.digest) }
        return []
    }

    /// The training sets that the models name.
    var trainingSets: [(digest: String, site: String)] {
        guard case .samples(let file) = content else { return [] }
        return file.models.flatMap { model in
            (try? Lineage(json: model.lineageJSON, place: path))?.trainingSets.map { ($0.digest, $0.site) } ?? []
        }
    }
}
