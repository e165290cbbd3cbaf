import SampleStore
import Files
import Statistics

/// Everything that an audit measured, in aggregates. `public/audit.json` holds these figures and the verdict, which
/// follows from the figures alone.
package struct AuditFigures: Codable, Hashable, Sendable {
    /// What was audited.
    package struct Samples: Codable, Hashable, Sendable {
        package enum Kind: String, Codable, Sendable {
            /// A sample set of Fovea.
            case samples
            /// A data set or a folder of pictures by anybody.
            case pictures
            /// Samples that the audit drew from the model.
            case drawn
        }
        package var kind: Kind
        /// The name of the file or folder; nil in audits of Fovea 0.1 and where the audit drew the samples.
        package var name: String?
        /// The digest of the samples' content.
        package var digest: Digest
        package var count: Int
        /// The width and height in pixels at which the samples were tested.
        package var size: Int
        /// Digests of the models that made the samples; empty where the models are not known.
        package var models: [Digest]

        package init(kind: Kind, name: String? = nil, digest: Digest, count: Int, size: Int, models: [Digest]) {
            self.kind = kind
            self.name = name
            self.digest = digest
            self.count = count
            self.size = size
            self.models = models
        }
    }

    /// The photographs that the samples were audited against. A digest of photographs leaves the site only as an HMAC
    /// under a secret of the signing key.
    package struct Photographs: Codable, Hashable, Sendable {
        /// HMAC of the training split's digest; nil without a key.
        package var digest: String?
        package var site: String?
        /// The number of photographs, rounded to 5.
        package var photographs: Int
        /// The number of patients, rounded to 5.
        package var patients: Int
        /// Whether the samples' lineage names this training set. The answer is unknown where the lineage names no set,
        /// or names sets by digests that only their sites can check.
        package var inLineage: Answer?

        package init(
            digest: String? = nil, site: String? = nil, photographs: Int, patients: Int, inLineage: Answer? = nil
        ) {
            self.digest = digest
            self.site = site
            self.photographs = photographs
            self.patients = patients
            self.inLineage = inLineage
        }
    }

    package enum Answer: String, Codable, Sendable { case yes, no, unknown }

    /// The photographs of patients that the model never saw.
    package struct Holdout: Codable, Hashable, Sendable {
        /// HMAC of the holdout's digest; nil without a key.
        package var digest: String?
        /// The number of patients in each part of the holdout.
        package var auxiliary: Int
        package var calibration: Int
        package var report: Int

        package init(digest: String? = nil, auxiliary: Int, calibration: Int, report: Int) {
            self.digest = digest
            self.auxiliary = auxiliary
            self.calibration = calibration
            self.report = report
        }
    }

    /// One test that looks for copies of single photographs.
    package struct Copies: Codable, Hashable, Sendable {
        package var name: CopyTestName
        package var threshold: Double
        /// The false-alarm rate for which the threshold was set.
        package var falseAlarmRate: Double
        package var null: NullTail
        /// The flagged samples among all samples.
        package var samples: Rate
        package var samplesUpperBound: Double
        /// The flagged photographs among those of the holdout's report part.
        package var holdout: Rate
        package var holdoutUpperBound: Double
        /// The lower bound of the rate of samples minus the rate of holdout photographs. The error probability is
        /// shared among the tests.
        package var excessLowerBound: Double
        /// The number of training patients that flagged samples match, with an interval over samples.
        package var patientsHit: Estimate
        /// For each disguise, the share of planted training photographs that the test finds at the threshold.
        package var power: [String: Rate]
        package var histogram: Histogram

        package init(
            name: CopyTestName, threshold: Double, falseAlarmRate: Double, null: NullTail, samples: Rate,
            samplesUpperBound: Double, holdout: Rate, holdoutUpperBound: Double, excessLowerBound: Double,
            patientsHit: Estimate, power: [String: Rate], histogram: Histogram
        ) {
            self.name = name
            self.threshold = threshold
            self.falseAlarmRate = falseAlarmRate
            self.null = null
            self.samples = samples
            self.samplesUpperBound = samplesUpperBound
            self.holdout = holdout
            self.holdoutUpperBound = holdoutUpperBound
            self.excessLowerBound = excessLowerBound
            self.patientsHit = patientsHit
            self.power = power
            self.histogram = histogram
        }
    }

    /// The number of scores in bins of equal width from `low` to `high`.
    package struct Histogram: Codable, Hashable, Sendable {
        package var low: Double
        package var high: Double
        package var samples: [Int]
        package var holdout: [Int]
        package var planted: [Int]

        package init(low: Double, high: Double, samples: [Int], holdout: [Int], planted: [Int]) {
            self.low = low
            self.high = high
            self.samples = samples
            self.holdout = holdout
            self.planted = planted
        }
    }

    /// The pictures that at least one of the tests flags.
    package struct Flagged: Codable, Hashable, Sendable {
        package var samples: Rate
        package var samplesUpperBound: Double
        package var holdout: Rate
        package var holdoutUpperBound: Double
        package var excessLowerBound: Double
        /// The number of samples that two tests match to the same training patient.
        package var confirmed: Int

        package init(
            samples: Rate, samplesUpperBound: Double, holdout: Rate, holdoutUpperBound: Double,
            excessLowerBound: Double, confirmed: Int
        ) {
            self.samples = samples
            self.samplesUpperBound = samplesUpperBound
            self.holdout = holdout
            self.holdoutUpperBound = holdoutUpperBound
            self.excessLowerBound = excessLowerBound
            self.confirmed = confirmed
        }
    }

    /// The flagged samples among those for which one value of one attribute was asked.
    package struct Cell: Codable, Hashable, Sendable {
        package var attribute: String
        package var value: String
        /// The number of training patients with this value, rounded to 5.
        package var trainingPatients: Int
        package var samples: Rate
        package var samplesUpperBound: Double
        package var samplesLowerBound: Double

        package init(
            attribute: String, value: String, trainingPatients: Int, samples: Rate, samplesUpperBound: Double,
            samplesLowerBound: Double
        ) {
            self.attribute = attribute
            self.value = value
            self.trainingPatients = trainingPatients
            self.samples = samples
            self.samplesUpperBound = samplesUpperBound
            self.samplesLowerBound = samplesLowerBound
        }
    }

    /// The positive control: an overfitted model, whose copies the tests should catch.
    package struct Control: Codable, Hashable, Sendable {
        package enum Source: String, Codable, Sendable { case closedForm, trained, given }
        package var source: Source
        package var patients: Int?
        package var images: Int?
        /// The flagged samples of the control, by test.
        package var flagged: [String: Rate]
        /// The tests whose rate on the control is above the holdout's beyond doubt.
        package var caught: [CopyTestName]

        package init(
            source: Source, patients: Int? = nil, images: Int? = nil, flagged: [String: Rate], caught: [CopyTestName]
        ) {
            self.source = source
            self.patients = patients
            self.images = images
            self.flagged = flagged
            self.caught = caught
        }
    }

    /// What the canaries show about another model, which was trained with them by the same recipe as the audited model.
    package struct Canaries: Codable, Hashable, Sendable {
        /// The digest of the model that was trained with canaries.
        package var model: Digest
        package var result: CanaryResult

        package init(model: Digest, result: CanaryResult) { (self.model, self.result) = (model, result) }
    }

    /// An earlier audit of the same models.
    package struct EarlierAudit: Codable, Hashable, Sendable {
        package var date: String
        package var samples: Digest
        package var count: Int
        package var verdict: Verdict.Outcome

        package init(date: String, samples: Digest, count: Int, verdict: Verdict.Outcome) {
            self.date = date
            self.samples = samples
            self.count = count
            self.verdict = verdict
        }
    }

    package var samples: Samples
    package var training: Photographs
    package var holdout: Holdout
    package var model: Digest?
    package var policy: AuditPolicy
    package var copies: [Copies]
    package var flagged: Flagged
    package var cells: [Cell]
    package var distances: DistanceFigures
    /// How far the samples are from photographs; nil in audits of Fovea 0.1.
    package var realism: RealismFigures?
    /// The result of the membership attack; nil where the model was not given.
    package var membership: MembershipResult?
    /// The result of the canaries; nil where no model with canaries was given.
    package var canaries: Canaries?
    package var control: Control?
    package var notTested: [String]
    package var remarks: [String]
    package var earlierAudits: [EarlierAudit]
    /// SHA-256 of `private/flagged.json`, which lists the samples that a release leaves out.
    package var flaggedDigest: Digest

    package init(
        samples: Samples, training: Photographs, holdout: Holdout, model: Digest? = nil, policy: AuditPolicy,
        copies: [Copies], flagged: Flagged, cells: [Cell], distances: DistanceFigures,
        realism: RealismFigures? = nil, membership: MembershipResult? = nil, canaries: Canaries? = nil,
        control: Control? = nil, notTested: [String],
        remarks: [String], earlierAudits: [EarlierAudit], flaggedDigest: Digest
    ) {
        self.samples = samples
        self.training = training
        self.holdout = holdout
        self.model = model
        self.policy = policy
        self.copies = copies
        self.flagged = flagged
        self.cells = cells
        self.distances = distances
        self.realism = realism
        self.membership = membership
        self.canaries = canaries
        self.control = control
        self.notTested = notTested
        self.remarks = remarks
        self.earlierAudits = earlierAudits
        self.flaggedDigest = flaggedDigest
    }
}
