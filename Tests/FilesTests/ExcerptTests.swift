import Files
import Foundation
import Support
import Testing

/// Errors end up in logs and tickets, and files hold patients' data.
@Suite struct ExcerptTests {
    /// A table as a hospital has it, on many lines.
    private static let table = (0..<200).map { "P\($0),1950-01-\($0 % 28 + 1),female,\($0 % 5)" }
        .joined(separator: "\n")

    @Test func `an excerpt has at most 80 characters, and none that steers a terminal`() {
        #expect("short".excerpt == "short")
        #expect("\"a\u{1b}[2J\nb\"".excerpt == "\"a?[2J?b\"")
        let long = String(repeating: "x", count: 81)
        #expect(long.excerpt == String(repeating: "x", count: 80) + "...")
        #expect("\"\(long)\"".excerpt == "\"" + String(repeating: "x", count: 80) + "...\"")
        let full = String(repeating: "x", count: 80)
        #expect(full.excerpt == full)
        #expect("\"\(full)\"".excerpt == "\"\(full)\"")
    }

    /// Every way to make a failure.
    @Test(arguments: [
        Failure(.badData, "a.csv", field: "grade", expected: "0 to 4", found: ExcerptTests.table),
        Failure(.badData, "a.csv", field: "grade", expected: "0 to 4", found: "\"\(ExcerptTests.table)\""),
        Failure(.usage, "a.csv", option: "map", expected: "a map", found: ExcerptTests.table),
        Failure(.badData, "a.csv", "grade \"\(ExcerptTests.table)\" is not a grade"),
        Failure(.badData, "a.csv", option: "labels", "\"a\" and \"\(ExcerptTests.table)\" are two"),
    ])
    func `a failure shows one short value, whoever makes it`(failure: Failure) {
        #expect(failure.sentence.contains("P0,1950-01-1"))
        #expect(!failure.sentence.contains("P5,"), "\(failure)")
        #expect(failure.sentence.count < 80 + 60)
        #expect(failure.sentence.unicodeScalars.allSatisfy { $0.value >= 32 })
    }

    @Test func `a finding shows no more than a failure`() {
        let finding = Finding("/cohort/\"\(ExcerptTests.table)\"", "is \"\(ExcerptTests.table)\"")
        #expect(finding.problem.hasPrefix("is \"P0,1950-01-1,female,0?P1") && !finding.problem.contains("P5,"))
        #expect(!finding.place.contains("P5,"))
        #expect(Finding("/images row 7", "the pixels differ").problem == "the pixels differ")
    }

    @Test func `a sentence without quotes is no longer than a paragraph`() {
        let failure = Failure(.badData, "a.csv", "could not be read: \(ExcerptTests.table)")
        #expect(failure.sentence.count <= 3003)
        #expect(failure.sentence.hasSuffix("..."))
        let quoted = Failure(.badData, "a.csv", "grade \"\(ExcerptTests.table)\" is not one of 0, 1, 2")
        #expect(quoted.sentence.hasSuffix("...\" is not one of 0, 1, 2"))
        let plain = "one of \"a\", \"b\" or \"c\""
        #expect(Failure(.usage, nil, plain).sentence == plain)
    }

    @Test func `a table that is read as YAML or JSON is not printed`() throws {
        struct Settings: Codable { var name = "a" }
        let asSettings = expectFailure(.badData, "the whole file") {
            try Configuration.decode(ExcerptTests.table, name: "t.csv", over: Settings())
        }
        #expect(asSettings?.sentence.contains("P5,") == false)
        // A key of YAML has at most 1024 characters.
        let key = "\"\(ExcerptTests.table.replacingOccurrences(of: "\n", with: " ").prefix(1000))\": 1\n"
        let asKey = expectFailure(.badData, "unknown key") {
            try Configuration.decode(key, name: "t.yaml", over: Settings())
        }
        #expect(asKey?.sentence.contains("P5,") == false)
        enum Role: String, Decodable { case a }
        let role = "[\"\(ExcerptTests.table.replacingOccurrences(of: "\n", with: " "))\"]"
        let asRole = expectFailure(.badData, "Cannot initialize") {
            try JSONText.decode([Role].self, Data(role.utf8), place: "r.json")
        }
        #expect(asRole?.sentence.contains("P5,") == false)
    }
}
