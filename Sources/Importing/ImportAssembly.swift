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
    let readings: [Result<PhotographReader.Reading, Failure>]
    let spool: PixelSpool
    /// Vessel fields.
    let fields: PixelSpool

    /// A photograph that can be used.
    private struct Candidate {
        let index: Int
        let file: String
        let reading: PhotographReader.Reading
        var labels: PhotographLabels
        /// The patient's name at the site. It stays in this process.
        let patient: String
    }

    /// - Parameter progress: receives the numbers of photographs that were compared and of all.
    /// - Throws: `Failure`: `.badData` if no photograph can be used, `.interrupted`, `.readOrWriteFailed`.
    func result(progress: (Int, Int) -> Void) throws -> ImportedPhotographs {
        var (candidates, refused) = sorted()
        guard !candidates.isEmpty else {
            let first = refused.first.map { " (\($0.file): \($0.reason))" } ?? ""
            let hint = table?.hint.map { "; \($0)" } ?? ""
            throw Failure(
                .badData, importer.folder,
                "none of its \(listing.photographs.count) photographs can be used\(first)\(hint)",
                remedy: refused.contains(where: \.isSynthetic) ? .allowSynthetic : nil)
        }
        let findings = CopyFinder.search(
            digests: candidates.map(\.reading.digest), signatures: candidates.map(\.reading.signature))
        var groups = PatientGroups()
        var duplicates: [ImportReport.Duplicate] = []
        for copy in findings.copies {
            let before = candidates[copy.original], dropped = candidates[copy.index]
            let isConflict = dropped.labels.cohort.values.contains { name, value in
                before.labels.conflicts.contains(name) || (before.labels.cohort[name].map { $0 != value } ?? false)
            }
            // If one photograph has two patients' names, both names become one patient for the split, and the patient
            // does not become unknown.
            groups.join(before.patient, dropped.patient)
            candidates[copy.original].labels = before.labels.merged(dropped.labels)
            duplicates.append(.init(file: dropped.file, of: before.file, kind: copy.kind, conflict: isConflict))
        }
        var sameEye: [ImportReport.SameEye] = []
        func join(_ index: Int, _ other: Int, vessels: Double?) {
            let one = candidates[index], another = candidates[other]
            groups.join(one.patient, another.patient)
            sameEye.append(
                .init(
                    file: one.file, of: another.file, vessels: vessels.map { ($0 * 1000).rounded() / 1000 },
                    twoNames: table?.hasPatients == true && one.patient != another.patient))
        }
        for pair in findings.sameEye { join(pair.index, pair.other, vessels: nil) }

        let dropped = Set(findings.copies.map(\.index))
        let kept = candidates.indices.filter { !dropped.contains($0) }
        let vessels = EyeFinder(
            patients: PatientGroups.numbers(kept.map { groups.representative(of: candidates[$0].patient) }),
            limit: importer.comparedAtOnce
        ) { VesselField(bytes: try fields.read(candidates[kept[$0]].index)) }
        // If one eye has two patients' names, these become one patient: a leak is worse than a coarser split.
        for pair in try vessels.pairs(progress: progress) {
            join(kept[pair.index], kept[pair.other], vessels: pair.score)
        }
        let patients = kept.map { groups.representative(of: candidates[$0].patient) }
        let splits = importer.split.splits(of: patients, site: importer.site)
        let keys = PatientKeys(secret: importer.secret)
        let entries = zip(kept, patients).map { row, patient in
            var cohort = candidates[row].labels.cohort
            if cohort["site"] == nil { cohort["site"] = importer.site }
            return ImportedPhotographs.Entry(
                spoolIndex: candidates[row].index, fieldOfView: candidates[row].reading.fieldOfView, cohort: cohort,
                patient: keys.key(of: patient), split: splits[patient]!)
        }
        let unread = PhotographFolder.bySuffix(listing.unread)
        let without = table?.withoutRow ?? []
        let counts = PatientTable(entries.map { .init(patient: $0.patient, split: $0.split, cohort: $0.cohort) })
        let report = ImportReport(
            site: importer.site, size: importer.size, onePatientPerPhoto: importer.onePatientPerPhoto,
            labelRelease: release,
            kept: kept.count, refused: refused, duplicates: duplicates,
            flags: flags(candidates, copies: findings.copies),
            previews: PreviewFolders.report(
                candidates.map(\.file), copies: Set(dropped.map { candidates[$0].file })),
            synthetic: kept.count { candidates[$0].reading.isSynthetic },
            skipped: listing.unsearched + listing.skipped,
            labelConflicts: kept.filter { !candidates[$0].labels.conflicts.isEmpty }
                .map { .init(file: candidates[$0].file, attributes: candidates[$0].labels.conflicts) },
            sameEye: sameEye, comparedAtOnce: kept.count > importer.comparedAtOnce ? importer.comparedAtOnce : nil,
            patients: Set(patients).count,
            splits: .init(
                train: entries.count { $0.split == .train }, validation: entries.count { $0.split == .validation },
                holdout: entries.count { $0.split == .holdout }),
            ignoredFiles: listing.unread.count, unread: unread.mapValues(\.count), unreadFiles: unread,
            photographsWithoutLabels: without.count, labelsWithoutPhotograph: table?.unusedRows.count ?? 0,
            photographsWithoutRow: without, rowsWithoutPhotograph: table?.unusedRows ?? [],
            renamed: table?.renamed ?? [], hint: table?.hint, trainPatients: counts.trainPatients,
            trainPairs: counts.trainPairs,
            photographs: zip(kept.enumerated(), entries).map { row, entry in
                .init(row: row.offset, file: candidates[row.element].file, split: "\(entry.split)")
            })
        return ImportedPhotographs(report: report, entries: entries, spool: spool)
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

    /// The photographs that can be used, and the others with the reason.
    private func sorted() -> ([Candidate], [ImportReport.Refused]) {
        var candidates: [Candidate] = [], refused: [ImportReport.Refused] = []
        for (index, file) in listing.photographs.enumerated() {
            switch readings[index] {
            case .failure(let failure):
                refused.append(.init(file: file, reason: failure.sentence))
            case .success(let reading):
                let labels =
                    table?.labels(of: file, header: reading.header)
                    ?? PhotographLabels(cohort: Cohort(), patient: nil, line: 0)
                if table?.hasPatients == true {
                    // Another photograph of the same patient may lie in the holdout, so this photograph must not be
                    // trained on.
                    guard let patient = labels.patient, !labels.conflicts.contains("patient") else {
                        let why = table?.reasonWithoutPatient(file) ?? "there is no table"
                        refused.append(.init(file: file, reason: "its patient is unknown: \(why)"))
                        continue
                    }
                    candidates.append(
                        .init(index: index, file: file, reading: reading, labels: labels, patient: patient))
                } else {
                    candidates.append(.init(index: index, file: file, reading: reading, labels: labels, patient: file))
                }
            }
        }
        return (candidates, refused)
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
