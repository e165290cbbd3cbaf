import Files
import Foundation
import Support
import Testing

/// Texts that come from outside, and those that are shown.
@Suite struct TextTests {
    // MARK: - Days

    private func moment(_ text: String) throws -> Date { try Date(text, strategy: .iso8601) }

    @Test func `a day is that of UTC, and its noon lies on it`() throws {
        #expect(Day.text(try moment("2026-01-31T23:59:59Z")) == "2026-01-31")
        #expect(Day.text(try moment("2026-02-01T00:00:00Z")) == "2026-02-01")
        #expect(Day.text(try moment("2026-02-01T01:30:00+02:00")) == "2026-01-31")
        #expect(Day.noon("2024-02-29") == (try moment("2024-02-29T12:00:00Z")))
        for text in [
            "2026-9-30", "2026-02-30", "2025-02-29", "2026-13-01", "2026-00-10", "20260131", "2026-01-31Z", "",
            "2026-01-3１", " 2026-01-31", "2026-01-31T",
        ] { #expect(Day.noon(text) == nil, "\(text)") }
    }

    @Test func `a moment has one form`() {
        #expect(Day.isMoment("2026-01-31T12:00:00Z"))
        for text in [
            "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00.5Z",
            "2026-01-31T24:00:00Z", "2026-01-31T12:00:00Z ", "2026-1-31T12:00:00Z", "",
        ] { #expect(!Day.isMoment(text), "\(text)") }
    }

    // MARK: - JSON

    private struct Reading: Codable, Equatable {
        struct Eye: Codable, Equatable { var grade: Int }
        var name: String
        var eyes: [Eye]
    }

    @Test func `JSON that is not what is expected is refused by the name of its key`() throws {
        for (json, sentence) in [
            (#"{"name":"a"}"#, "eyes is missing"),
            (#"{"name":"a","eyes":[{"grade":1},{}]}"#, "eyes.entry 2.grade is missing"),
            (#"{"name":1,"eyes":[]}"#, "name: expected a text"),
            (#"{"name":null,"eyes":[]}"#, "name: expected a text, found nothing"),
            (#"{"name":"#, "is not valid JSON"), ("", "is not valid JSON"),
            (String(repeating: "[", count: 100_000), "is not valid JSON"),
        ] {
            let failure = expectFailure(.badData, sentence, "\(json.prefix(80))") {
                try JSONText.decode(Reading.self, Data(json.utf8), place: "r.json")
            }
            #expect(failure?.place == "r.json" && failure?.sentence.contains("\n") == false)
        }
        for number in ["1.5", "1e99", "99999999999999999999"] {
            expectFailure(.badData, "holds a number that is too large, or has a fraction", "\(number)") {
                try JSONText.decode(
                    Reading.self, Data(#"{"name":"a","eyes":[{"grade":\#(number)}]}"#.utf8), place: "r.json")
            }
        }
    }

    @Test func `the same content is the same JSON`() throws {
        let reading = Reading(name: "a/b", eyes: [.init(grade: 2)])
        #expect(try JSONText.encoded(reading) == #"{"eyes":[{"grade":2}],"name":"a/b"}"#)
        let text = #" {"name" : "a\/b", "eyes":[ {"grade":2} ]}"#
        #expect(try JSONText.canonical(text, place: "x") == JSONText.encoded(reading))
        #expect(try JSONText.keys(Data(text.utf8), place: "x") == ["eyes", "name"])
        for body in [
            { _ = try JSONText.canonical("[1]", place: "x") }, { _ = try JSONText.keys(Data("1".utf8), place: "x") },
        ]
            as [() throws -> Void]
        { expectFailure(.badData, "is not a JSON object") { try body() } }
    }

    // MARK: - What is shown

    @Test func `what could steer a terminal is not shown`() {
        for (text, shown) in [
            ("Zürich – 東京 (1)", "Zürich – 東京 (1)"), ("a\u{1b}[31mb", "a?[31mb"), ("a\nb\r\tc\0", "a?b??c?"),
            ("a\u{7f}\u{9b}b", "a??b"), ("fdp.\u{202e}gpj", "fdp.?gpj"), ("a\u{2066}b\u{2069}", "a?b?"),
            ("a\u{2028}b\u{2029}", "a?b?"), ("a\u{feff}\u{200b}b", "a??b"), ("e\u{301}", "e\u{301}"),
            ("\u{1F469}\u{200D}\u{2695}", "\u{1F469}\u{200D}\u{2695}"),
        ] { #expect(Array(text.printable.unicodeScalars) == Array(shown.unicodeScalars), "\(shown)") }
    }

    @Test func `a failure is one sentence that begins with its place`() {
        #expect("\(Failure(.usage, nil, "expected a name"))" == "expected a name")
        #expect("\(Failure(.badData, "a.csv line 3", "is empty"))" == "a.csv line 3: is empty")
        let field = Failure(.badData, "a.h5", field: "grade", expected: "0 to 4", found: "7")
        #expect("\(field)" == "a.h5: grade: expected 0 to 4, found 7")
        let codes: [Failure.Kind: Int32] = [
            .checkFailed: 1, .usage: 64, .badData: 65, .noSuchInput: 66, .cannotCreateOutput: 73,
            .readOrWriteFailed: 74, .interrupted: 75, .notPermitted: 77,
        ]
        for (kind, code) in codes { #expect(kind.rawValue == code) }
    }

    @Test func `numbers are padded, and paths lose the slashes at their end`() {
        #expect([7, 123, 12345, 0].map { $0.padded(to: 4) } == ["0007", "0123", "12345", "0000"])
        #expect(["a/b//", "a", "", "/a"].map(\.withoutTrailingSlashes) == ["a/b", "a", "", "/a"])
    }
}
