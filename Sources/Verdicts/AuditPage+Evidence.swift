import CheckpointStore
import SampleStore
import Figures
import Reporting
import Statistics

/// The evidence of an audit in aggregates: one section for each kind of test.
extension AuditPage {
    var copiesTable: HTML {
        func cells(_ name: String, _ samples: Rate, _ bound: Double, _ holdout: Rate) -> [String] {
            [name, samples.text, percent(bound), holdout.text]
        }
        let flagged = figures.flagged
        let rows = figures.copies.map { test in
            cells(test.name.title, test.samples, test.samplesUpperBound, test.holdout) + [
                test.patientsHit.text, percent(test.recall),
            ]
        }
        let columns: [Table.Column] = [
            .text("Test"), .numbers("Samples flagged"), .numbers("At most (95 %)"),
            .numbers("Photographs of others flagged"), .numbers("Patients hit"), .numbers("Planted copies found"),
        ]
        let all = cells("Any of them", flagged.samples, flagged.samplesUpperBound, flagged.holdout)
        return Table(columns, rows: rows + [all]).html
    }

    var copies: HTML {
        let confirmed = figures.flagged.confirmed
        let copies =
            confirmed == 0
            ? "No sample is a confirmed copy"
            : confirmed == 1 ? "1 sample is a confirmed copy" : "\(confirmed) samples are confirmed copies"
        return section(
            "Copies of single photographs",
            """
            <p>Each sample is compared with every training photograph. A sample is flagged where it is nearer to one \
            of them than photographs of other people are. The threshold is set so that one innocent sample in \
            \(Int((1 / figures.policy.falseAlarmRate).rounded())) would be flagged. Rates count all samples that \
            were drawn, before any was dropped.</p>
            \(copiesTable)
            <p>\(copies). A copy counts as confirmed where two tests match it to the same patient.</p>
            <h2>Would copies have been found?</h2>
            <p>Training photographs were planted in disguise among the samples. The share that each test found at \
            its threshold:</p>
            \(power)
            """)
    }

    var power: HTML {
        let names = Disguise.allCases.map(\.rawValue)
        let rows = figures.copies.map { test in
            [test.name.title] + names.map { test.power[$0].map { percent($0.value) } ?? "" }
        }
        return Table([.text("Test")] + names.map { .numbers($0) }, rows: rows).html
    }

    var distributions: HTML {
        section(
            "How near the samples come",
            """
            <p>How near each sample is to its nearest training photograph. Nearer samples lie farther to the right. \
            Samples should lie where photographs of other people lie, left of the dashed threshold. Planted copies \
            should lie right of it.</p>
            \(figures.copies.map { AuditPlots.histogram($0) })
            """)
    }

    var control: HTML {
        guard let control = figures.control else {
            return section(
                "Positive control",
                """
                <p>No positive control was run. A model that was overfitted on purpose shows whether copying would \
                have been noticed; without such a control, no audit passes.</p>
                """
            )
        }
        let how =
            switch control.source {
            case .closedForm:
                """
                A twin that copies \(control.patients ?? 0) training patients: what training on them alone tends to, \
                in closed form\(figures.model == nil ? "" : ", rendered by the model").
                """
            case .trained:
                "A twin was overfitted on \(control.patients ?? 0) training patients (\(control.images ?? 0) images)."
            case .given: "A control was given: a model, a set or a folder whose pictures should be copies of patients."
            }
        let rows = figures.copies.map { test in
            let rate = control.flagged[test.name.rawValue] ?? Rate(hits: 0, count: 0)
            return [test.name.title, rate.text, control.caught.contains(test.name) ? "caught" : "not caught"]
        }
        return section(
            "Positive control",
            """
            <p>\(how) Its samples went through the same tests.</p>
            \(Table([.text("Test"), .numbers("Flagged"), .text("")], rows: rows).html)
            """)
    }

    var membership: HTML {
        guard let found = figures.membership else {
            return section("Who was in the training", "<p>\(untestedMembership)</p>")
        }
        let statistics =
            [("Loss at several noise levels", found.loss), ("A single query", found.singleQuery)]
            + (found.likelihoodRatio.map { [("Likelihood ratio against a reference", $0)] } ?? [])
        let rows = statistics.map { name, statistic in
            let others = statistic.nonMembersAgainstNonMembers?.text ?? "too few"
            let rates = statistic.rates.map { "\(percent($0.falsePositiveRate)): \($0.text)" }.joined(separator: ", ")
            return [name, statistic.area.text, others, rates]
        }
        let columns: [Table.Column] = [
            .text("Attack"), .numbers("Area under the ROC curve"), .numbers("Others against others"),
            .text("Members found while so many others are wrongly taken for members"),
        ]
        return section(
            "Who was in the training",
            """
            <p>Whoever holds the model can ask how well it denoises a photograph. The area under the ROC curve is 0.5 \
            where that does not tell who was in the training, and 1 where it always does. \(found.members) members \
            against \(found.nonMembers) others, by patient.</p>
            \(Table(columns, rows: rows).html)
            \(found.nonMembers >= 20 ? AuditPlots.roc(found.loss) : "<p>Too few others for a curve.</p>" as HTML)
            """)
    }

    private var untestedMembership: String {
        let reason = figures.policy.membershipLeftOut
        return "Not tested: the model was not given."
            + (reason.isEmpty ? "" : " The policy says why this may be left out: \(reason)")
    }

    var realism: HTML {
        guard let found = figures.realism else { return "" }
        let policy = figures.policy
        let rows = [
            [
                "Distance from photographs, in deviations of photographs", rounded(found.distance),
                rounded(found.holdoutDistance), "at most \(rounded(policy.largestPhotographDistance))",
            ],
            [
                "Area under the ROC curve of a classifier, real against synthetic", rounded(found.classifierArea), "",
                "below \(rounded(policy.photographClassifierArea))",
            ],
        ]
        let columns: [Table.Column] = [
            .text("Measure"), .numbers("Samples"), .numbers("Photographs of others"), .numbers("Photographs are"),
        ]
        return section(
            "Are these photographs at all?",
            """
            <p>Noise matches no patient, so it would pass every test for copies. Samples count as no photographs where \
            both limits are missed. Another camera lies about 1 deviation away, and white noise more than 3.</p>
            \(Table(columns, rows: rows).html)
            """)
    }

    var canaries: HTML {
        guard let found = figures.canaries?.result else { return "" }
        let record = found.canaries, exposure = found.exposure
        let bound =
            found.epsilon.map {
                $0 == 0
                    ? "It remembers too few canaries to say that epsilon is above 0."
                    : """
                    Whatever anybody promises for this recipe, its epsilon is at least \(rounded($0)) (with \
                    \(percent(found.confidence)) confidence, one run).
                    """
            }
            ?? "Each canary was trained on \(record.repetitions) times, so there is no bound on epsilon."
        return section(
            "Canaries",
            """
            <p>Another model of this recipe was trained with \(record.included) of \(record.count) phantom patients \
            (canaries), chosen by the toss of a coin, and was then asked which of them it saw. That model never leaves \
            the site. \(bound)</p>
            <p>Area under the ROC curve \(found.area.text); 0.5 means that the model tells nothing. Exposure: \
            \(rounded(exposure.mean)) bits in the mean, \(rounded(exposure.largest)) at most; \
            \(rounded(exposure.meaningless)) bits in the mean would mean nothing, and \(rounded(exposure.limit)) bits \
            are the most possible.</p>
            """)
    }

    var distances: HTML {
        let d = figures.distances
        let measures: [(String, DistanceFigures.Measure)] = [
            ("Authenticity", d.authenticity), ("Nearest-neighbour distance ratio", d.nearestNeighborDistanceRatio),
            ("Distance to the closest record, 5th percentile", d.distanceToClosestRecord),
            ("Adversarial accuracy", d.adversarialAccuracy),
        ]
        let rows = measures.map { name, measure in
            [name, rounded(measure.train), rounded(measure.holdout), measure.difference.text]
        }
        let columns: [Table.Column] = [
            .text("Measure"), .numbers("With training"), .numbers("With others"), .numbers("Difference (95 %)"),
        ]
        let copying = d.dataCopying
        let finding =
            copying.zScore < figures.policy.dataCopyingAlarm
            ? """
            This is an alarm. Samples lie nearer to the training photographs than other people's photographs do. \
            Samples that are merely smooth or average also do so, so the alarm alone decides nothing.
            """
            : "This is no alarm."
        return section(
            "Distances between sets",
            """
            <p>Whether the samples as a whole lie nearer to the training photographs than to photographs of others. \
            A difference means nothing where 0 lies in its interval.</p>
            \(Table(columns, rows: rows).html)
            <p>The data-copying score C<sub>T</sub> is \(rounded(copying.zScore)); the alarm is below \
            \(rounded(figures.policy.dataCopyingAlarm)). \(finding)</p>
            """)
    }

    var cells: HTML {
        guard !figures.cells.isEmpty else { return "" }
        let rows = figures.cells.map { cell in
            [
                "\(cell.attribute): \(cell.value)", "about \(cell.trainingPatients)", cell.samples.text,
                percent(cell.samplesUpperBound),
            ]
        }
        let columns: [Table.Column] = [
            .text("Asked for"), .numbers("Training patients"), .numbers("Flagged"), .numbers("At most (95 %)"),
        ]
        return section(
            "By cohort",
            """
            <p>Groups with fewer than \(figures.policy.smallestCell) training patients are left out.</p>
            \(Table(columns, rows: rows).html)
            """)
    }
}
