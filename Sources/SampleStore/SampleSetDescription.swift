import Cohorts
import Files
import Foundation
import HDF5Files
import PictureFiles

/// What `fovea inspect` says about a sample set.
public struct SampleSetDescription: Codable, Hashable, Sendable {
    /// One run of the sampler.
    public struct Run: Codable, Hashable, Sendable {
        public let model: String
        public let samples: Int
        /// The number of the run's samples by attribute and code name.
        public let cohorts: [String: [String: Int]]
        public let sampler: String
        public let steps: Int
        /// The guidance scale; 1 means no guidance.
        public let guidance: Float
        /// What somebody must know who uses the samples, one sentence each; nil for nothing.
        public let warnings: [String]?
        public let schedule: String
        public let toolVersion: String
        public let openBLASVersion: String
        public let blasCore: String
        public let kernelISA: String
        public let started: String
        public let finished: String?

        enum CodingKeys: String, CodingKey {
            case model, samples, cohorts, sampler, steps, guidance, warnings, schedule, started, finished
            case toolVersion = "tool_version"
            case openBLASVersion = "openblas_version"
            case blasCore = "blas_core"
            case kernelISA = "kernel_isa"
        }
    }

    public let kind: String
    public let version: Int
    public let samples: Int
    /// Size of the file in bytes.
    public let bytes: Int
    /// The width of a picture in pixels.
    public let width: Int
    /// The height of a picture in pixels.
    public let height: Int
    public let synthetic: Bool
    public let releasable: Bool
    /// The limits, weaker than the defaults, by which a released set passed its audit; nil where there is none.
    public let weakerLimits: [String]?
    public let created: String
    public let terms: Terms
    /// The number of samples by attribute and code name.
    public let cohorts: [String: [String: Int]]
    /// The number of samples by the joined request, such as `age_band=70-79|80+`, that they were drawn for; nil where
    /// there is none.
    public let joined: [String: Int]?
    /// The number of samples that show another one in another cohort; nil where there is none.
    public let counterfactuals: Int?
    public let sites: [String]
    public let runs: [Run]
    /// The digests of the models.
    public let models: [String]
    /// Where each of the models comes from.
    public let lineage: [Lineage]

    /// What somebody must know who uses the samples, one sentence each.
    public var warnings: [String] {
        runs.flatMap { $0.warnings ?? [] }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}

extension SampleSetFile {
    /// The number of samples of each run.
    var sampleCounts: [Int] {
        runOfSample.reduce(into: [Int](repeating: 0, count: runs.count)) { $0[Int($1)] += 1 }
    }

    /// The number of samples of each joined request.
    private var joinedCounts: [String: Int] {
        (0..<count).reduce(into: [:]) { counts, row in
            if let asked = asked(row: row) { counts[asked, default: 0] += 1 }
        }
    }

    /// Describes the set.
    /// - Throws: `Failure(.badData)` where a lineage in the file is not valid.
    public func description() throws -> SampleSetDescription {
        let counts = sampleCounts
        return SampleSetDescription(
            kind: SampleSet.kind, version: SampleSet.version, samples: count, bytes: byteCount, width: width,
            height: height, synthetic: true,
            releasable: isReleasable,
            weakerLimits: release.flatMap { $0.weakerLimits.isEmpty ? nil : $0.weakerLimits },
            created: Timestamp.text(created), terms: terms,
            cohorts: cohorts.mapValues(\.counts),
            joined: joinedRequests.isEmpty ? nil : joinedCounts,
            counterfactuals: hasCounterfactuals ? (0..<count).count { original(row: $0) != nil } : nil,
            sites: siteNames,
            runs: runs.enumerated().map { number, run in
                SampleSetDescription.Run(
                    model: run.modelDigest.description, samples: counts[number],
                    cohorts: cohorts.mapValues { $0.counts(where: { runOfSample[$0] == number }) },
                    sampler: run.sampler, steps: run.steps, guidance: run.guidance,
                    warnings: run.warningSentences.isEmpty ? nil : run.warningSentences, schedule: run.schedule,
                    toolVersion: run.toolVersion,
                    openBLASVersion: run.openBLASVersion, blasCore: run.blasCore, kernelISA: run.kernelISA,
                    started: Timestamp.text(run.started), finished: run.finished.map(Timestamp.text))
            },
            models: models.map(\.digest.description),
            lineage: try models.map { try Lineage(json: $0.lineageJSON, place: path) })
    }

    /// Opens and describes the sample set at `path`.
    /// - Throws: the failures of `open` and of `description`.
    public static func describe(_ path: String) async throws -> SampleSetDescription {
        try await open(path).description()
    }
}
