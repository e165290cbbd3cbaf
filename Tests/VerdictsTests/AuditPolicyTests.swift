import Files
import Foundation
import Support
import Testing
import SampleStore
import Verdicts

@Suite struct AuditPolicyTests {
    private func read(_ text: String) throws -> AuditPolicy {
        let folder = try TemporaryFolder()
        return try AuditPolicy(contentsOf: try folder.write(text.utf8, "policy.yaml"))
    }

    private func refusal(_ text: String) -> Failure? {
        do { _ = try read(text) } catch { return error as? Failure }
        return nil
    }

    @Test func `what a file does not name keeps its default`() throws {
        var expected = AuditPolicy()
        #expect(try read("") == expected)
        expected.largestCopyRate = 0.02
        expected.dataCopyingFails = true
        #expect(try read("largestCopyRate: 0.02\ndataCopyingFails: true\n") == expected)
    }

    @Test func `a limit is weaker on the side on which less is found or more is allowed`() throws {
        #expect(AuditPolicy().weakerLimits.isEmpty)
        let weaker = """
            falseAlarmRate: 0.001
            largestCopyRate: 0.02
            leastPower: 0.5
            plantedPhotographs: 4
            calibrationPhotographs: 16
            modelSamples: 500
            largestMembershipAUC: 0.8
            dataCopyingAlarm: -4
            smallestCell: 6
            controlPatients: 11
            controlSamples: 16
            controlHandover: 0.1
            membershipDraws: 1
            detectorSteps: 60
            validForDays: 181
            photographClassifierArea: 0.99
            largestPhotographDistance: 4
            membershipLeftOut: the model was deleted

            """
        let names = try read(weaker).weakerLimits.map { $0.prefix { $0 != " " } }
        let all = weaker.split(separator: "\n").map { $0.prefix { $0 != ":" } }.sorted()
        #expect(names == all)
        // The other side of the same limits is stricter, and so is an alarm that fails.
        let stricter = """
            largestCopyRate: 0.01
            leastPower: 0.9
            plantedPhotographs: 40
            modelSamples: 2000
            largestMembershipAUC: 0.6
            dataCopyingAlarm: -2
            dataCopyingFails: true
            referenceImages: 1000
            validForDays: 90
            largestPhotographDistance: 0.5
            """
        #expect(try read(stricter).weakerLimits.isEmpty && read(stricter).deviations.count == 10)
    }

    @Test func `a policy that lacks the later keys takes their defaults`() throws {
        let old = #"{"leastPower": 0.5, "validForDays": 90}"#
        let policy = try JSONDecoder().decode(AuditPolicy.self, from: Data(old.utf8))
        #expect(policy.leastPower == 0.5 && policy.validForDays == 90)
        #expect(policy.largestPhotographDistance == AuditPolicy().largestPhotographDistance)
        #expect(policy.deviations.count == 2)
    }

    @Test func `an unknown key is refused by name and line`() throws {
        let failure = try #require(refusal("leastPower: 0.9\nleastPowr: 0.1\n"))
        #expect(
            failure.kind == .badData
                && failure.description.contains("policy.yaml line 2: unknown key leastPowr; known are ")
                && failure.description.contains("leastPower"))
    }

    @Test(arguments: [
        ("falseAlarmRate", "0.02"), ("falseAlarmRate", "0"), ("largestCopyRate", "0.6"), ("leastPower", "1.1"),
        ("largestMembershipAUC", "0.4"), ("dataCopyingAlarm", "1"),
        ("modelSamples", "99"), ("smallestCell", "4"), ("controlPatients", "1"), ("controlImages", "-1"),
        ("controlHandover", "11"), ("controlSamples", "15"), ("referenceImages", "-1"),
        ("membershipDraws", "0"), ("detectorSteps", "0"), ("validForDays", "0"), ("leastPower", ".nan"),
    ]) func `a value out of range is refused with a sentence`(_ key: String, _ value: String) throws {
        let failure = try #require(refusal("\(key): \(value)\n"))
        #expect(
            failure.kind == .badData && failure.sentence.hasPrefix("\(key): expected ")
                && failure.sentence.contains(", found "), "\(failure)")
    }

    @Test func `a value of another kind is refused`() throws {
        #expect(try #require(refusal("modelSamples: many\n")).kind == .badData)
        #expect(try #require(refusal("- 1\n")).kind == .badData)
    }

    @Test func `deviations name what differs, and the default`() throws {
        #expect(AuditPolicy().deviations.isEmpty)
        #expect(
            try read("leastPower: 0.5\nvalidForDays: 365\n").deviations == [
                "leastPower is 0.5, by default 0.8", "validForDays is 365, by default 180",
            ])
    }

    @Test func `docs policy yaml names every key and gives each its default`() throws {
        let path = #filePath.components(separatedBy: "/Tests/")[0] + "/docs/policy.yaml"
        #expect(try AuditPolicy(contentsOf: path) == AuditPolicy())
        let all = try JSONSerialization.jsonObject(with: JSONEncoder().encode(AuditPolicy())) as? [String: Any]
        #expect(try Configuration.keys(path) == Set(try #require(all).keys))
    }
}
