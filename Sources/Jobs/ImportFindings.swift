import Datasets
import Figures
import Files
import Importing

extension ImportReport {
    /// What the user should know about the import, with one sentence on each line.
    var findings: [String] { found + unmatched + smallCells + [auditOutlook].compactMap(\.self) }

    /// What was found among the photographs.
    private var found: [String] {
        var lines: [String] = []
        if !duplicates.isEmpty {
            let conflicts = duplicates.count { $0.conflict }
            let counted = duplicates.count == 1 ? "1 copy" : "\(duplicates.count) copies"
            lines.append(
                "\(counted) dropped (\(conflicts) with labels that contradict those of the photograph that stays)")
        }
        if !labelConflicts.isEmpty {
            lines.append(
                """
                \(labelConflicts.count.of("photograph")) with attributes that became unknown, because rows or copies \
                contradict each other (labelConflicts in the report):
                """)
            lines += ImportReport.first(
                labelConflicts.map { "\($0.file.printable): \($0.attributes.joined(separator: ", "))" })
        }
        let twoNames = sameEye.filter(\.twoNames)
        if sameEye.count > twoNames.count {
            lines.append(
                """
                same eye, so one patient: \(sameEye.count - twoNames.count) pairs of photographs (sameEye in the report)
                """)
        }
        if !twoNames.isEmpty {
            lines.append(
                """
                the same eye under two names, which may be the same person; both names are in one split \
                (\(twoNames.count) pairs):
                """)
            lines += twoNames.prefix(5).map { "  \($0.file) and \($0.of)" }
            if twoNames.count > 5 { lines.append("  ...") }
        }
        if let compared = comparedWith {
            lines.append(
                """
                vessels were compared with those of the \(compared) photographs whose vessels have the nearest \
                spectra, not with all: among so many photographs, a few of one eye may not have been found
                """)
        }
        if !refused.isEmpty {
            lines.append("\(refused.count) photographs refused:")
            lines += refused.prefix(5).map { "  \($0.file.printable): \($0.reason)" }
            if refused.count > 5 { lines.append("  ...") }
        }
        if synthetic > 0 {
            lines.append(
                """
                a model made \(synthetic) of the \(kept) pictures, as the labels in their files say, so the data set \
                is marked as synthetic
                """)
        }
        return lines + poor + flagged
    }

    /// The photographs of poor quality that were kept: how many, and the first few.
    private var poor: [String] {
        let left = Set(refused.map(\.file)), poor = quality.poor.filter { !left.contains($0.file) }
        if poor.isEmpty { return [] }
        let counts = QualityGrade.allCases.map { "\(quality.measured[$0.rawValue] ?? 0) \($0.rawValue)" }
        return ["quality as measured: \(counts.joined(separator: ", ")) (quality in the report; the worst first):"]
            + ImportReport.first(
                poor.map { "\($0.file.printable): \($0.grade.rawValue): \($0.reasons.joined(separator: "; "))" })
    }

    /// What else was noticed, by kind.
    private var flagged: [String] {
        var lines = previews.map { folder in
            """
            \(folder.folder.printable) seems to hold previews: \(folder.copies) of its \
            \(folder.photographs.of("photograph")) dropped as copies
            """
        }
        let kinds = Dictionary(grouping: flags, by: \.what)
        for (kind, found) in kinds.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            lines.append(
                "\(Set(found.map(\.file)).count.of("photograph")) flagged as \(kind.rawValue) (flags in the report):")
            lines += ImportReport.first(found.map { "\($0.file.printable): \($0.detail)" })
        }
        if !skipped.isEmpty {
            lines.append("\(skipped.count.of("place")) not read:")
            lines += ImportReport.first(skipped.map { "\($0.file.isEmpty ? "." : $0.file.printable) \($0.reason)" })
        }
        return lines
    }

    /// What does not fit between the folder and the table.
    private var unmatched: [String] {
        var lines: [String] = []
        if ignoredFiles > 0 {
            let suffixes = unread.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            let toConvert = suffixes.map(\.key).filter(ImportReport.otherPictures.contains)
            let advice =
                toConvert.isEmpty
                ? ""
                : "; no such pictures are read, so convert \(toConvert.joined(separator: ", ")) to PNG"
            lines.append(
                "\(ignoredFiles.of("file")) not read: "
                    + suffixes.map { "\($1) \($0)" }.joined(separator: ", ") + advice)
        }
        if !renamed.isEmpty {
            lines.append(
                """
                \(renamed.count.of("name")) written in another way in the table (capitals, folders, suffix or Unicode \
                form), and matched nevertheless:
                """)
            lines += ImportReport.first(
                renamed.map {
                    $0.file == $0.inTable
                        ? "\($0.file) (another Unicode form in the table)" : "\($0.file) is \($0.inTable) in the table"
                })
        }
        if photographsWithoutLabels > 0 {
            lines.append("\(photographsWithoutLabels.of("photograph")) without a row in the table:")
            lines += ImportReport.first(photographsWithoutRow ?? [])
        }
        if labelsWithoutPhotograph > 0 {
            lines.append("\(labelsWithoutPhotograph.of("row")) of the table without a photograph:")
            lines += ImportReport.first(rowsWithoutPhotograph ?? [])
        }
        return lines
    }

    /// Suffixes of pictures that are not read.
    private static let otherPictures: Set = [
        ".bmp", ".heic", ".heif", ".gif", ".avif", ".jxl",
    ]

    /// The first few of a list, indented.
    private static func first(_ list: [String]) -> [String] {
        list.prefix(5).map { "  \($0)" } + (list.count > 5 ? ["  ..."] : [])
    }

    /// The values that too few patients of the train split have, alone or together.
    private var smallCells: [String] {
        func isSmall(_ patients: Int) -> Bool { (1..<PatientTable.fewestPatients).contains(patients) }
        let single = trainPatients.filter { $0.key != "site" }.sorted { $0.key < $1.key }.flatMap { attribute, values in
            values.filter { isSmall($0.value) }.sorted { $0.key < $1.key }.map { "\(attribute)=\($0) (\($1))" }
        }
        let pairs = trainPairs.filter { pair in
            // A pair with a value that is too rare alone says nothing new.
            isSmall(pair.patients)
                && pair.values.allSatisfy { !isSmall(trainPatients[$0.key]?[$0.value] ?? 0) && $0.value != "unknown" }
        }.sorted { $0.patients < $1.patients }
        func listed(_ names: [String], _ most: Int) -> String {
            names.prefix(most).joined(separator: ", ") + (names.count > most ? " and \(names.count - most) more" : "")
        }
        let few = "fewer than \(PatientTable.fewestPatients) patients in train"
        let so = "so a model will refuse to draw them on request"
        return (single.isEmpty ? [] : ["these values have \(few), \(so): \(listed(single, 6))"])
            + (pairs.isEmpty
                ? []
                : [
                    "these values have \(few) together, \(so) together: "
                        + listed(
                            pairs.map { pair in
                                pair.values.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: " with ")
                                    + " (\(pair.patients))"
                            }, 4)
                ])
    }
}
