import Files
import Foundation
import Support
import Testing
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
