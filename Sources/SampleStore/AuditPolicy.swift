import Files
import Foundation

/// The limits of an audit: `policy.yaml`. docs/policy.yaml gives the reason for each default.
package struct AuditPolicy: Codable, Hashable, Sendable {
    /// Probability that the copy tests together flag an innocent sample.
    package var falseAlarmRate = 0.01
    /// The upper 95 % bound of the share of flagged samples may be this at most.
    package var largestCopyRate = 0.015
    /// Recall of planted disguised training photographs that the feature test and the retinal test must reach.
    package var leastPower = 0.8
    /// Training photographs that are planted in each disguise.
    package var plantedPhotographs = 30
    /// Training photographs, at most, that set thresholds beside the holdout's, each against other patients.
    package var calibrationPhotographs = 400
    /// Samples that an audit of a model draws, and that a parcel or an exported model must have been audited with.
    package var modelSamples = 1000
    /// The lower 95 % bound of the membership attack's area under the ROC curve may be this at most.
    package var largestMembershipAUC = 0.7
    /// C_T below this is an alarm.
    package var dataCopyingAlarm = -3.0
    /// Whether an alarm of C_T is a failure by itself.
    package var dataCopyingFails = false
    /// Cells of the cohort with fewer training patients are not reported.
    package var smallestCell = 5
    /// Patients that the positive control is overfitted on, and samples that it draws.
    package var controlPatients = 12
    package var controlSamples = 48
    /// Images that the control is trained for; 0 takes what that training tends to, in closed form.
    package var controlImages = 0
    /// Noise, as a deviation of pixels in [-1, 1], below which the model renders what the closed form copies.
    package var controlHandover = 0.15
    /// Training images of the reference model of the membership attack; 0 leaves it out.
    package var referenceImages = 0
    /// Noise draws a photograph and noise level, in the membership attack.
    package var membershipDraws = 4
    /// Steps that the copy detector is trained for.
    package var detectorSteps = 1800
    /// Days that a passing audit may be released on.
    package var validForDays = 180
    /// Samples are not photographs where the classifier that tells them from photographs reaches this area under the
    /// ROC curve, and their distance from photographs is above `largestPhotographDistance`.
    package var photographClassifierArea = 0.98
    /// The distance from photographs, in deviations of photographs, that samples may have at most.
    package var largestPhotographDistance = 1.2
    /// Why membership need not be tested. Without a reason, an audit without the model has no power.
    package var membershipLeftOut = ""

    package init() {}

    /// A key that is missing keeps its default: audits of Fovea 0.1 lack the later ones.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func take<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
            if let given = try container.decodeIfPresent(Value.self, forKey: key) { value = given }
        }
        try take(.falseAlarmRate, &falseAlarmRate)
        try take(.largestCopyRate, &largestCopyRate)
        try take(.leastPower, &leastPower)
        try take(.plantedPhotographs, &plantedPhotographs)
        try take(.calibrationPhotographs, &calibrationPhotographs)
        try take(.modelSamples, &modelSamples)
        try take(.largestMembershipAUC, &largestMembershipAUC)
        try take(.dataCopyingAlarm, &dataCopyingAlarm)
        try take(.dataCopyingFails, &dataCopyingFails)
        try take(.smallestCell, &smallestCell)
        try take(.controlPatients, &controlPatients)
        try take(.controlSamples, &controlSamples)
        try take(.controlImages, &controlImages)
        try take(.controlHandover, &controlHandover)
        try take(.referenceImages, &referenceImages)
        try take(.membershipDraws, &membershipDraws)
        try take(.detectorSteps, &detectorSteps)
        try take(.validForDays, &validForDays)
        try take(.photographClassifierArea, &photographClassifierArea)
        try take(.largestPhotographDistance, &largestPhotographDistance)
        try take(.membershipLeftOut, &membershipLeftOut)
    }

    /// - Throws: `Failure(.badData)` naming the key that is out of range.
    package init(contentsOf path: String) throws {
        self = try Configuration.read(path, over: AuditPolicy())
        if let problem { throw Failure(.badData, path, problem) }
    }

    /// The fewest samples of which none may be flagged so that the upper 95 % bound of the share of copies is at the
    /// limit: 1 - 0.05^(1/n).
    package var samplesNeeded: Int { Int((log(0.05) / log(1 - largestCopyRate)).rounded(.up)) }

    /// One sentence on what is wrong, or nil.
    package var problem: String? {
        let shares: [(String, Double, ClosedRange<Double>)] = [
            ("falseAlarmRate", falseAlarmRate, 1e-6...0.01), ("largestCopyRate", largestCopyRate, 1e-5...0.5),
            ("leastPower", leastPower, 0...1),
            ("largestMembershipAUC", largestMembershipAUC, 0.5...1), ("dataCopyingAlarm", dataCopyingAlarm, -100...0),
            ("controlHandover", controlHandover, 0...10),
            ("photographClassifierArea", photographClassifierArea, 0.5...1),
            ("largestPhotographDistance", largestPhotographDistance, 0...1000),
        ]
        for (name, value, range) in shares where !range.contains(value) {
            return "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)"
        }
        let counts: [(String, Int, ClosedRange<Int>)] = [
            ("modelSamples", modelSamples, 100...1_000_000), ("plantedPhotographs", plantedPhotographs, 2...10_000),
            ("calibrationPhotographs", calibrationPhotographs, 2...1_000_000), ("smallestCell", smallestCell, 5...1000),
            ("controlPatients", controlPatients, 2...1000),
            ("controlImages", controlImages, 0...10_000_000), ("controlSamples", controlSamples, 16...10_000),
            ("referenceImages", referenceImages, 0...10_000_000),
            ("membershipDraws", membershipDraws, 1...1000), ("detectorSteps", detectorSteps, 1...1_000_000),
            ("validForDays", validForDays, 1...3650),
        ]
        for (name, value, range) in counts where !range.contains(value) {
            return "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)"
        }
        return nil
    }

    /// What differs from the defaults, and what the default is.
    package var deviations: [String] { deviating { _ in true } }

    /// The deviations that make a pass easier to reach or say less. Pages name them in their first sentence.
    package var weakerLimits: [String] {
        let usual = AuditPolicy(), weaker = self.weaker(than: usual)
        return deviating { weaker.contains($0) }
    }

    private func deviating(_ isWanted: (String) -> Bool) -> [String] {
        guard let own = try? fields(), let usual = try? AuditPolicy().fields() else { return [] }
        return own.keys.sorted().filter(isWanted).compactMap { key in
            own[key] == usual[key] ? nil : "\(key) is \(own[key] ?? "missing"), by default \(usual[key] ?? "missing")"
        }
    }

    /// The keys whose value tests less, or allows more, than that of `usual`. `controlImages` is not among them: it
    /// chooses between two kinds of control, neither of which is weaker.
    private func weaker(than usual: AuditPolicy) -> Set<String> {
        let higherIsWeaker: [(String, Double, Double)] = [
            ("falseAlarmRate", -falseAlarmRate, -usual.falseAlarmRate),
            ("largestCopyRate", largestCopyRate, usual.largestCopyRate),
            ("leastPower", -leastPower, -usual.leastPower),
            ("plantedPhotographs", -Double(plantedPhotographs), -Double(usual.plantedPhotographs)),
            ("calibrationPhotographs", -Double(calibrationPhotographs), -Double(usual.calibrationPhotographs)),
            ("modelSamples", -Double(modelSamples), -Double(usual.modelSamples)),
            ("largestMembershipAUC", largestMembershipAUC, usual.largestMembershipAUC),
            ("dataCopyingAlarm", -dataCopyingAlarm, -usual.dataCopyingAlarm),
            ("smallestCell", Double(smallestCell), Double(usual.smallestCell)),
            ("controlPatients", -Double(controlPatients), -Double(usual.controlPatients)),
            ("controlSamples", -Double(controlSamples), -Double(usual.controlSamples)),
            ("controlHandover", -controlHandover, -usual.controlHandover),
            ("membershipDraws", -Double(membershipDraws), -Double(usual.membershipDraws)),
            ("detectorSteps", -Double(detectorSteps), -Double(usual.detectorSteps)),
            ("validForDays", Double(validForDays), Double(usual.validForDays)),
            ("photographClassifierArea", photographClassifierArea, usual.photographClassifierArea),
            ("largestPhotographDistance", largestPhotographDistance, usual.largestPhotographDistance),
            ("membershipLeftOut", membershipLeftOut.isEmpty ? 0 : 1, 0),
        ]
        return Set(higherIsWeaker.filter { $0.1 > $0.2 }.map(\.0))
    }

    /// The value of every key, as JSON writes it.
    private func fields() throws -> [String: String] {
        let object = try JSONSerialization.jsonObject(with: Data(try JSONText.encoded(self).utf8)) as? [String: Any]
        return try (object ?? [:]).mapValues {
            String(decoding: try JSONSerialization.data(withJSONObject: $0, options: .fragmentsAllowed), as: UTF8.self)
        }
    }
}
