import Files
import Statistics

/// Everything that an audit measured, in aggregates: what `public/audit.json` holds besides the verdict, and all that
/// the verdict follows from.
package struct AuditFigures: Codable, Hashable, Sendable {
    /// What was audited.
    package struct Samples: Codable, Hashable, Sendable {
        package enum Kind: String, Codable, Sendable {
            /// A sample set of Fovea.
            case samples
            /// A data set or a folder of pictures by anybody.
            case pictures
            /// Drawn by the audit from the model.
            case drawn
        }
        package var kind: Kind
        /// The content digest.
        package var digest: Digest
        package var count: Int
        /// Pixels a side.
        package var size: Int
        /// Digests of the models that made them; empty where that is not known.
        package var models: [Digest]

        package init(kind: Kind, digest: Digest, count: Int, size: Int, models: [Digest]) {
            self.kind = kind
            self.digest = digest
            self.count = count
            self.size = size
            self.models = models
        }
    }

    /// What it was audited against. No digest of photographs leaves the site but as an HMAC under a secret of the
    /// signing key.
    package struct Photographs: Codable, Hashable, Sendable {
        /// HMAC of the training split's digest; nil without a key.
        package var digest: String?
        package var site: String?
        /// Rounded to 5.
        package var photographs: Int
        /// Rounded to 5.
        package var patients: Int
        /// Whether the samples' lineage names it: yes, no, or unknown where it names no set, or names sets by digests
        /// that only their sites can check.
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

    package struct Holdout: Codable, Hashable, Sendable {
        /// HMAC; nil without a key.
        package var digest: String?
        /// Patients of each part.
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
        /// What the threshold was set for.
        package var falseAlarmRate: Double
        package var null: NullTail
        /// Flagged samples, of all that were drawn.
        package var samples: Rate
        package var samplesUpperBound: Double
        /// Flagged photographs of the report part.
        package var holdout: Rate
        package var holdoutUpperBound: Double
        /// Lower bound of (samples - holdout), with the error probability shared among the tests.
        package var excessLowerBound: Double
        /// Training patients hit by the flagged samples of this many samples, with an interval over samples.
        package var patientsHit: Estimate
        /// Recall of planted training photographs by disguise at the threshold.
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

    /// Scores in bins of equal width.
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

    /// Flagged by any of the tests.
    package struct Flagged: Codable, Hashable, Sendable {
        package var samples: Rate
        package var samplesUpperBound: Double
        package var holdout: Rate
        package var holdoutUpperBound: Double
        package var excessLowerBound: Double
        /// Samples that two tests flag as the same training patient.
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

    /// One value of one attribute.
    package struct Cell: Codable, Hashable, Sendable {
        package var attribute: String
        package var value: String
        /// Rounded to 5.
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

    package struct Control: Codable, Hashable, Sendable {
        package enum Source: String, Codable, Sendable { case closedForm, trained, given }
        package var source: Source
        package var patients: Int?
        package var images: Int?
        /// Flagged samples of the overfitted twin by test.
        package var flagged: [String: Rate]
        /// Tests whose rate on the twin is above the holdout's beyond doubt.
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

    /// What a model remembers that was trained with canaries by the recipe of the audited one.
    package struct Canaries: Codable, Hashable, Sendable {
        /// The model's digest.
        package var model: Digest
        package var result: CanaryResult

        package init(model: Digest, result: CanaryResult) { (self.model, self.result) = (model, result) }
    }

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
    /// Nil without the model.
    package var membership: MembershipResult?
    /// Nil without a model that was trained with canaries.
    package var canaries: Canaries?
    package var control: Control?
    package var notTested: [String]
    package var remarks: [String]
    package var earlierAudits: [EarlierAudit]
    /// SHA-256 of `private/flagged.json`, which names the samples that a release drops.
    package var flaggedDigest: Digest

    package init(
        samples: Samples, training: Photographs, holdout: Holdout, model: Digest? = nil, policy: AuditPolicy,
        copies: [Copies], flagged: Flagged, cells: [Cell], distances: DistanceFigures,
        membership: MembershipResult? = nil, canaries: Canaries? = nil, control: Control? = nil, notTested: [String],
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
        self.membership = membership
        self.canaries = canaries
        self.control = control
        self.notTested = notTested
        self.remarks = remarks
        self.earlierAudits = earlierAudits
        self.flaggedDigest = flaggedDigest
    }
}
