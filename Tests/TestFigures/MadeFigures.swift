import Files
import Foundation
import Statistics
import SampleStore
import Verdicts

/// Figures of an audit that passes, made by hand; a test spoils one thing of them.
package enum MadeFigures {
    private static func text(_ value: some Encodable) throws -> String {
        String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }

    package static func passing(dataCopying z: Double = -0.4, policy: AuditPolicy = AuditPolicy()) throws
        -> AuditFigures
    {
        let none = try text(Rate(hits: 0, count: 1000)), others = try text(Rate(hits: 0, count: 60)),
            digest = String(repeating: "ab", count: 32)
        let null = try text(NullTail((0..<40).map { Double($0 % 9) / 10 }))
        let power =
            """
            {"plain": \(try text(Rate(hits: 30, count: 30))), "flip": \(try text(Rate(hits: 28, count: 30))), "crop": \
            \(try text(Rate(hits: 27, count: 30)))}
            """
        let measure = #"{"train": 0.5, "holdout": 0.5, "difference": {"value": 0, "low": -0.02, "high": 0.02}}"#
        func test(_ name: CopyTestName) -> String {
            """
            {"name": "\(name.rawValue)", "threshold": 1.5, "falseAlarmRate": 0.001, "null": \(null), "samples": \
            \(none), "samplesUpperBound": 0.003, "holdout": \(others),
             "holdoutUpperBound": 0.05, "excessLowerBound": -0.07, "patientsHit": {"value": 0, "low": 0, "high": 0}, \
             "power": \(power),
             "histogram": {"low": 0, "high": 1, "samples": [1000], "holdout": [60], "planted": [90]}}
            """
        }
        let json = """
            {"samples": {"kind": "samples", "digest": "\(digest)", "count": 1000, "size": 256, "models": ["\(digest)"]},
             "training": {"photographs": 330, "patients": 165, "inLineage": "yes"},
             "holdout": {"auxiliary": 20, "calibration": 20, "report": 20}, "policy": \(try text(policy)),
             "copies": [\(CopyTestName.allCases.map(test).joined(separator: ", "))],
             "flagged": {"samples": \(none), "samplesUpperBound": 0.003, "holdout": \(others), "holdoutUpperBound": \
             0.05, "excessLowerBound": -0.07, "confirmed": 0},
             "cells": [{"attribute": "dr_icdr", "value": "3", "trainingPatients": 15, "samples": \
             \(try text(Rate(hits: 0, count: 100))), "samplesUpperBound": 0.03, "samplesLowerBound": 0}],
             "distances": {"dataCopying": {"zScore": \(z), "cells": 3}, "authenticity": \(measure), \
             "nearestNeighborDistanceRatio": \(measure),
                           "distanceToClosestRecord": \(measure), "adversarialAccuracy": \(measure)},
             "realism": {"classifierArea": 0.95, "distance": 0.4, "holdoutDistance": 0.14},
             "control": {"source": "trained", "patients": 12, "images": 6000, "flagged": {"features": \
             \(try text(Rate(hits: 40, count: 48))), "retina": \(try text(Rate(hits: 45, count: 48)))},
                         "caught": ["features", "retina"]},
             "notTested": [], "remarks": [], "earlierAudits": [], "flaggedDigest": "\(digest)"}
            """
        var figures = try JSONDecoder().decode(AuditFigures.self, from: Data(json.utf8))
        figures.membership = try membership()
        return figures
    }

    /// What an attack found whose statistic tells members from others by so many places; by none at all with 0.
    package static func statistic(_ shift: Double) throws -> MembershipResult.Statistic {
        let members = (0..<60).map { Double($0 * 37 % 60) + shift }, others = (0..<60).map { Double($0 * 23 % 60) }
        guard let made = MembershipResult.Statistic(members: members, nonMembers: others, resamples: 200, seed: 0)
        else { throw Failure(.badData, nil, "no statistic") }
        return made
    }

    package static func membership(loss: Double = 0, singleQuery: Double = 0, ratio: Double? = nil) throws
        -> MembershipResult
    {
        let reference = try ratio.map { ", \"likelihoodRatio\": \(try text(statistic($0)))" } ?? ""
        let json = """
            {"configuration": \(try text(MembershipConfiguration())), "sigmas": [0.1, 1], "singleSigma": 0.5, \
            "members": 60, "nonMembers": 60, "evaluations": 1000,
             "loss": \(try text(statistic(loss))), "singleQuery": \
             \(try text(statistic(singleQuery)))\(reference)}
            """
        return try JSONDecoder().decode(MembershipResult.self, from: Data(json.utf8))
    }
}
