import Cohorts
import Datasets
import Files
import Foundation
import RetinalMatching

/// Decides what is kept of the photographs that were read. It handles copies, conflicts, patients and splits.
struct ImportAssembly {
    let importer: Importer
    let listing: PhotographFolder
    let table: PhotographTable?
    let release: String?
    let readings: [ReadPhotograph]
    let workspace: ImportWorkspace
    /// The photographs of the data set to which these are added.
    let base: [ReadPhotograph]
    /// What the table says of them.
    let baseTable: PhotographTable?

    /// A photograph that can be used.
    private struct Candidate {
        /// Its place in the workspace.
        let slot: Int
        let file: String
        let reading: PhotographReader.Reading
        var labels: PhotographLabels
        /// The patient's name at the site. It stays in this process.
        let patient: String
        /// What was measured; nil for a photograph of the data set to which others are added.
        let quality: PhotographQuality?

        /// The same for the report.
        var graded: ImportReport.Quality.Photograph? {
            quality.map {
                .init(
                    file: file, grade: $0.grade, reasons: $0.reasons, figures: $0.figures,
                    stated: labels.cohort["quality"])
            }
        }
    }

    /// - Parameter progress: receives, for each step, the numbers of steps that are done and of all.
    /// - Throws: `Failure`: `.badData` if no photograph can be used, `.interrupted`, `.readOrWriteFailed`.
    func result(progress: (Importer.Step, Int, Int) -> Void) throws -> ImportedPhotographs {
        let (read, refused, poor) = sorted()
        var candidates = baseCandidates + read
        guard !read.isEmpty else {
            let first = refused.first.map { " (\($0.file): \($0.reason))" } ?? ""
            let hint = table?.hint.map { "; \($0)" } ?? ""
            throw Failure(
                .badData, importer.folder,
                "none of its \(listing.photographs.count) photographs can be used\(first)\(hint)",
                remedy: refused.contains(where: \.isSynthetic) ? .allowSynthetic : nil)
        }
        let slots = candidates.map(\.slot), details = workspace.details
        let findings = try CopyFinder.search(
            candidates.enumerated().map {
                CopyFinder.Entry(
                    digest: $1.reading.digest, pixelCount: $1.reading.pixelCount, isColour: $1.reading.isColour,
                    stays: $0 < base.count)
            },
            known: importer.base?.rowsOfSources ?? [:], exhaustiveUpTo: importer.exhaustiveUpTo,
            signature: { DetailSignature(bytes: try details.read(slots[$0])) },
            progress: {
                try Cancellation.check(ImportWorkspace.advice)
                progress(.findingCopies, $0, $1)
            })
        var groups = PatientGroups()
        let keptSecret = importer.keepsSecret ? importer.secret : nil
        let lines = Dictionary(
            listing.photographs.enumerated().compactMap { place, file in table?.line(of: file).map { ($0, place) } },
            uniquingKeysWith: { first, _ in first })
        let isOwnSecret =
            try importer.base?.join(Set(read.map(\.patient)), &groups, secret: keptSecret) {
                name(ofFile: $0, $1, lines)
            }
            ?? (keptSecret != nil)
        var duplicates: [ImportReport.Duplicate] = []
        for copy in findings.copies {
            let before = candidates[copy.original], dropped = candidates[copy.index]
            let isConflict = dropped.labels.cohort.values.contains { name, value in
                before.labels.conflicts.contains(name) || (before.labels.cohort[name].map { $0 != value } ?? false)
            }
            // If one photograph has two patients' names, both names become one patient for the split, and the patient
            // does not become unknown.
            groups.join(before.patient, dropped.patient)
            // The labels of a data set stay as they are.
            if copy.original >= base.count { candidates[copy.original].labels = before.labels.merged(dropped.labels) }
            duplicates.append(
                .init(
                    file: dropped.file, of: before.file, kind: copy.kind, conflict: isConflict))
        }
        var sameEye: [ImportReport.SameEye] = []
        func join(_ index: Int, _ other: Int, vessels: Double?) {
            let one = candidates[index], another = candidates[other]
            // A patient of the data set has a key in place of a name, which may be known already to be the other's.
            let isKnown =
                min(index, other) < base.count
                && groups.representative(of: one.patient) == groups.representative(of: another.patient)
            groups.join(one.patient, another.patient)
            sameEye.append(
                .init(
                    file: one.file, of: another.file, vessels: vessels.map { ($0 * 1000).rounded() / 1000 },
                    twoNames: table?.hasPatients == true && one.patient != another.patient && !isKnown))
        }
        for pair in findings.sameEye { join(pair.index, pair.other, vessels: nil) }

        let dropped = Set(findings.copies.map(\.index))
        let kept = candidates.indices.filter { !dropped.contains($0) }
        let numbers = PatientGroups.numbers(kept.map { groups.representative(of: candidates[$0].patient) })
        let key = ImportAssembly.key(of: kept.map { candidates[$0].reading.digest }, numbers, importer.exhaustiveUpTo)
        let (workspace, keptSlots) = (workspace, kept.map { slots[$0] })
        let vessels = EyeFinder(
            patients: numbers, limit: importer.exhaustiveUpTo,
            field: { VesselField(bytes: try workspace.vessels.read(keptSlots[$0])) },
            first: base.count, earlier: try workspace.earlierPairs(for: key), keep: workspace.keep)
        // If one eye has two patients' names, these become one patient: a leak is worse than a coarser split.
        for pair in try vessels.pairs(progress: { progress(.comparing, $0, $1) }) {
            join(kept[pair.index], kept[pair.other], vessels: pair.score)
        }
        let patients = kept.map { groups.representative(of: candidates[$0].patient) }
        var splits = importer.split.splits(
            of: patients, site: importer.site, fillsEmpty: importer.base == nil)
        if let base = importer.base { splits.merge(base.splits(patients)) { $1 } }
        // New patients get keys of the site's secret only if the others have such keys: a later import that is given
        // the secret must find all of them.
        let keys = PatientKeys(secret: keptSecret != nil && !isOwnSecret ? nil : importer.secret)
        let source = qualitySource(read)
        let entries = zip(kept, patients).map { row, patient in
            var cohort = candidates[row].labels.cohort
            if row >= base.count, cohort["site"] == nil { cohort["site"] = importer.site }
            if source.fills { cohort["quality"] = cohort["quality"] ?? candidates[row].quality?.grade.rawValue }
            return ImportedPhotographs.Entry(
                slot: candidates[row].slot, fieldOfView: candidates[row].reading.fieldOfView, cohort: cohort,
                patient: BaseDataset.key(ofGroup: patient) ?? keys.key(of: patient), split: splits[patient]!)
        }
        let unread = PhotographFolder.bySuffix(listing.unread)
        let without = table?.withoutRow ?? []
        // Rows of photographs that are in the data set already are not without a photograph.
        let ofBase = baseTable.map { Set($0.unusedRows) }
        let unusedRows = (table?.unusedRows ?? []).filter { ofBase?.contains($0) ?? true }
        let counts = PatientTable(entries.map { .init(patient: $0.patient, split: $0.split, cohort: $0.cohort) })
        let report = ImportReport(
            site: importer.site, size: importer.size, onePatientPerPhoto: importer.onePatientPerPhoto,
            labelRelease: release,
            kept: kept.count, refused: refused, duplicates: duplicates,
            flags: flags(candidates, copies: findings.copies),
            previews: PreviewFolders.report(
                candidates.map(\.file), copies: Set(dropped.map { candidates[$0].file })),
            synthetic: kept.count { candidates[$0].reading.isSynthetic } + (importer.base?.info.sampled ?? 0),
            skipped: listing.unsearched + listing.skipped,
            labelConflicts: kept.filter { !candidates[$0].labels.conflicts.isEmpty }
                .map { .init(file: candidates[$0].file, attributes: candidates[$0].labels.conflicts) },
            sameEye: sameEye, comparedWith: kept.count > importer.exhaustiveUpTo ? RetinalSearch.compared : nil,
            patients: Set(patients).count,
            splits: .init(
                train: entries.count { $0.split == .train }, validation: entries.count { $0.split == .validation },
                holdout: entries.count { $0.split == .holdout }),
            ignoredFiles: listing.unread.count, unread: unread.mapValues(\.count), unreadFiles: unread,
            photographsWithoutLabels: without.count, labelsWithoutPhotograph: unusedRows.count,
            photographsWithoutRow: without, rowsWithoutPhotograph: unusedRows,
            renamed: table?.renamed ?? [], hint: table?.hint,
            added: importer.base == nil ? nil : kept.count - base.count,
            leftTrain: importer.base.map {
                zip($0.records, entries).count { $0.split == .train && $1.split != .train }
            },
            quality: .init(
                (kept.filter { $0 >= base.count }.map { candidates[$0] } + poor).compactMap(\.graded),
                kept: Set(kept.map { candidates[$0].file }), source: source.source, least: importer.leastQuality),
            links: links(candidates, findings.copies, kept, groups, isOwnSecret ? keys : nil),
            trainPatients: counts.trainPatients,
            trainPairs: counts.trainPairs,
            photographs: zip(kept.enumerated(), entries).map { row, entry in
                .init(
                    row: row.offset, file: candidates[row.element].file, split: "\(entry.split)",
                    digest: row.element < base.count
                        ? importer.base?.records[row.element].source : candidates[row.element].reading.digest)
            })
        let slotsOfFiles = Dictionary(
            (read + poor + candidates).map { ($0.file, $0.slot) }, uniquingKeysWith: { first, _ in first })
        return ImportedPhotographs(
            report: report, entries: entries, pictures: workspace.pictures, slots: slotsOfFiles)
    }

    /// The patient whom the table names for a file of the data set; nil if it names none, or several. A row that also
    /// names a file of the folder means that one, which may be another photograph of the same name.
    /// - Parameters:
    ///   - source: the digest of the file's decoded pixels.
    ///   - lines: the folder's photographs, as places in its list, by the lines of the table that name them.
    private func name(ofFile file: String, _ source: Digest?, _ lines: [Int: Int]) -> String? {
        guard let labels = baseTable?.labels(of: file, header: nil), !labels.conflicts.contains("patient") else {
            return nil
        }
        if labels.line > 0, let now = lines[labels.line] {
            guard let source, readings[now].reading?.digest == source else { return nil }
        }
        return labels.patient
    }

    /// What a later import has to know.
    /// - Parameter keys: the keys of the site's own secret; nil if the keys in the data set are not made with it.
    private func links(
        _ candidates: [Candidate], _ copies: [CopyFinder.Copy], _ kept: [Int], _ groups: PatientGroups,
        _ keys: PatientKeys?
    ) -> ImportReport.Links {
        let rows = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
        let before = importer.base?.links
        var links = ImportReport.Links(
            secretCheck: keys?.check,
            copies: (before?.copies ?? [])
                + copies.compactMap { copy in
                    rows[copy.original].map {
                        .init(file: candidates[copy.index].file, digest: candidates[copy.index].reading.digest, row: $0)
                    }
                },
            otherKeys: [:])
        guard let keys else { return links }
        func key(ofGroup name: String) -> String {
            let group = groups.representative(of: name)
            return BaseDataset.key(ofGroup: group) ?? keys.key(of: group)
        }
        for (other, known) in before?.otherKeys ?? [:] {
            links.otherKeys[other] = key(ofGroup: BaseDataset.group(known))
        }
        for patient in Set(candidates.map(\.patient)) {
            let own = BaseDataset.key(ofGroup: patient) ?? keys.key(of: patient), known = key(ofGroup: patient)
            if own != known { links.otherKeys[own] = known }
        }
        return links
    }

    /// Where the attribute `quality` of the data set comes from, and whether what was measured becomes the attribute of
    /// the photographs that are read now. One column does not mix the two unless a data set and the photographs that
    /// are added differ.
    private func qualitySource(_ read: [Candidate]) -> (source: QualitySource?, fills: Bool) {
        let isStated = read.contains { $0.labels.cohort["quality"] != nil }
        let now: QualitySource = isStated ? .stated : .measured
        guard let before = importer.base?.qualitySource else { return (now, !isStated) }
        // A table graded the photographs that are there, and people do not grade as Fovea measures.
        if before == .stated, !isStated { return (.stated, false) }
        return (before == now ? now : .mixed, !isStated)
    }

    /// What the search for eyes depends on.
    private static func key(of digests: [Digest], _ patients: [Int], _ limit: Int) -> Digest {
        Digest(of: digests.flatMap(\.bytes) + Array("\(patients) \(limit) fovea-eyes-3".utf8))
    }

    /// What was noticed about the photographs that can be used.
    private func flags(_ candidates: [Candidate], copies: [CopyFinder.Copy]) -> [ImportReport.Flag] {
        let withCopies = Set(copies.flatMap { [$0.index, $0.original] })
        return candidates.indices.flatMap { row in
            var notes = candidates[row].reading.notes
            if !withCopies.contains(row), let folder = PreviewFolders.folder(of: candidates[row].file) {
                notes.append(
                    PhotographNote(.preview, "it lies in \(folder), a folder of previews, and no copy of it was found"))
            }
            return notes.map { ImportReport.Flag(file: candidates[row].file, what: $0.kind, detail: $0.detail) }
        }
    }

    /// The photographs of the data set to which others are added.
    private var baseCandidates: [Candidate] {
        zip(base, importer.base?.records ?? []).enumerated().compactMap { row, entry in
            let (photograph, record) = entry
            return photograph.reading.map {
                Candidate(
                    slot: photograph.slot, file: record.file ?? "row \(row) of \(importer.base?.path ?? "")",
                    reading: $0,
                    labels: PhotographLabels(cohort: record.cohort, patient: nil, line: 0),
                    patient: BaseDataset.group(record.patient), quality: nil)
            }
        }
    }

    /// The photographs that can be used, the others with the reason, and those of the others that are too poor.
    private func sorted() -> ([Candidate], [ImportReport.Refused], poor: [Candidate]) {
        var candidates: [Candidate] = [], refused: [ImportReport.Refused] = [], poor: [Candidate] = []
        for (index, file) in listing.photographs.enumerated() {
            let photograph = readings[index]
            guard let reading = photograph.reading else {
                refused.append(.init(file: file, reason: photograph.refusal ?? ""))
                continue
            }
            let labels =
                table?.labels(of: file, header: reading.header)
                ?? PhotographLabels(cohort: Cohort(), patient: nil, line: 0)
            // The files of two folders may have the same name, and are not of one patient for that.
            var patient = importer.base == nil ? file : "\(file) \(reading.digest)"
            if table?.hasPatients == true {
                // Another photograph of the same patient may lie in the holdout, so this photograph must not be trained
                // on.
                guard let named = labels.patient, !labels.conflicts.contains("patient") else {
                    let why = table?.reasonWithoutPatient(file) ?? "there is no table"
                    refused.append(.init(file: file, reason: "its patient is unknown: \(why)"))
                    continue
                }
                patient = named
            }
            let candidate = Candidate(
                slot: photograph.slot, file: file, reading: reading, labels: labels, patient: patient,
                quality: reading.figures.map(PhotographQuality.init))
            if let reason = tooPoor(candidate) {
                refused.append(.init(file: file, reason: reason))
                poor.append(candidate)
            } else {
                candidates.append(candidate)
            }
        }
        return (candidates, refused, poor)
    }

    /// Why a photograph is poorer than the import takes them; nil if it is not. A table's grade counts before what was
    /// measured.
    private func tooPoor(_ candidate: Candidate) -> String? {
        guard let least = importer.leastQuality, let quality = candidate.quality else { return nil }
        if let stated = candidate.labels.cohort["quality"].flatMap(QualityGrade.init) {
            return stated > least ? "the table calls its quality \(stated.rawValue)" : nil
        }
        return quality.grade > least ? quality.reasons.joined(separator: "; ") : nil
    }
}

extension PatientTable {
    /// More values than this are too many for a table, such as a camera's serial numbers.
    private static let mostValues = 12

    fileprivate var trainPatients: [String: [String: Int]] {
        Dictionary(
            uniqueKeysWithValues: attributes.map { name in
                let cells = cells([name])
                return (name, Dictionary(uniqueKeysWithValues: cells.values[0].map { ($0, cells[[$0]]) }))
            })
    }

    fileprivate var trainPairs: [ImportReport.Pair] {
        pairs(most: PatientTable.mostValues).flatMap { first, second in
            let cells = cells([first, second])
            return cells.values[0].flatMap { one in
                cells.values[1].map { other in
                    ImportReport.Pair(values: [first: one, second: other], patients: cells[[one, other]])
                }
            }
        }
    }
}
