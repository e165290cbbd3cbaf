import Files
import Foundation
import Support
import Testing

/// YAML from outside, alone and over the defaults of a configuration.
@Suite struct ConfigurationTests {
    // MARK: - YAML

    @Test func `anchors and aliases are refused with their line, and text like them is not`() throws {
        for (yaml, line) in [
            ("a: &x 1\nb: *x\n", 1), ("a: 1\nb: [1, *x]\n", 2), ("a: 1\n\n- &x\n", 3), ("{a: *x}", 1), ("- *x", 1),
            ("a: \"q\" # '\nb: &x 2", 2), ("<<: *defaults", 1), ("'a': &x 1", 1),
            // Quotes that go on, and other ends of a line.
            ("{a: \"q\n\", b: &x 1}", 2), ("a: \"\n\" \nb: &x [1]\n", 3), ("# c\rb: &x [1]\r", 2),
            ("# c\u{2028}b: &x 1", 2),
        ] {
            let failure = expectFailure(.badData, "uses a YAML anchor or alias", "\(yaml)") {
                try YAMLText.parse(yaml, name: "c.yaml")
            }
            #expect(failure?.place == "c.yaml line \(line)", "\(yaml)")
        }
        for yaml in ["a: \"&x *y\"", "a: '*x'", "a: 1 # &x", "a: b&c*d", "a: 2 * 3", "a: R&D", "a: \"q\\\" &x\""] {
            #expect(try YAMLText.parse(yaml, name: "c.yaml")?["a"] != nil, "\(yaml)")
        }
    }

    /// Nine lines of aliases that stand for a thousand million words.
    @Test func `a small text that stands for a large one is refused`() {
        let laughs = (1...9).reduce("a0: &a0 [lol, lol]\n") { text, level in
            text + "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
                + "]\n"
        }
        let failure = expectFailure(.badData, "uses a YAML anchor or alias") { try YAMLText.parse(laughs, name: "l") }
        #expect(failure?.place == "l line 1")
    }

    /// The file is for people: 0.99 and 1, not `9.9e-1` and `1e+0`. Every number is read back as it was.
    @Test func `numbers are written as people write them`() throws {
        struct Settings: Codable, Equatable {
            var share = 0.99, whole = 1.0, small = 1e-5, third = 0.333, single: Float = 0.25, count = 12
            var text = "1e+0", list = [0.05, 2.5e-3, 4e6], seed = UInt64.max
        }
        let yaml = try Configuration.yaml(Settings())
        for line in [
            "share: 0.99", "whole: 1", "small: 1e-5", "single: 0.25", "- 0.05", "- 0.0025", "- 4000000", "count: 12",
        ] {
            #expect(yaml.split(separator: "\n").contains(Substring(line)), "\(line) in \(yaml)")
        }
        var zeros = Settings()
        (zeros.share, zeros.whole, zeros.third, zeros.text, zeros.list, zeros.seed) = (0, 0, 0, "", [], 0)
        #expect(try Configuration.decode(yaml, name: "c.yaml", over: zeros) == Settings())
    }

    @Test func `what is not YAML is refused with its line, and nothing is nothing`() throws {
        for (yaml, place, part) in [
            ("a: 1\nb: 2\na: 3\n", "c line ", "the key a occurs twice"),
            ("a: 1\nb: [1, 2\n", "c line ", "is not YAML: "),
            ("a: \"open\n", "c line ", "is not YAML: "), ("a: b: c\n", "c line 1", "is not YAML: "),
            ("\u{1}", "c", "is not YAML: "),
        ] {
            let failure = expectFailure(.badData, part, "\(yaml)") { try YAMLText.parse(yaml, name: "c") }
            #expect(failure?.place?.hasPrefix(place) == true, "\(yaml): \(failure?.place ?? "")")
        }
        for yaml in ["", "\n\n", "# only a remark\n"] { #expect(try YAMLText.parse(yaml, name: "c") == nil) }
    }

    /// The parser goes down by calling itself: what is too deep must end in a sentence and not in a crash.
    @Test(arguments: ["[", "- ", "{a: "]) func `nesting without end is refused`(opening: String) {
        let deep = String(repeating: opening, count: 20_000)
        expectFailure(.badData, "is not YAML: ") { try YAMLText.parse(deep, name: "deep.yaml") }
    }

    // MARK: - Configurations

    /// A share from 0 to 1, which says so itself.
    private struct Share: Codable, Equatable {
        var value: Double
        init(_ value: Double) { self.value = value }
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            value = try container.decode(Double.self)
            guard (0...1).contains(value) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "expected 0 to 1, found \(value)")
            }
        }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(value)
        }
    }

    private struct Settings: Codable, Equatable {
        struct Fine: Codable, Equatable {
            var size = 16
            var share = Share(0.5)
        }
        var name = "plain"
        var steps = 10
        var sizes = [1, 2]
        var fine = Fine()
    }

    private func decode(_ yaml: String) throws -> Settings {
        try Configuration.decode(yaml, name: "s.yaml", over: Settings())
    }

    @Test func `what a file does not name keeps its default`() throws {
        #expect(try decode("") == Settings() && decode("# nothing\n") == Settings())
        var expected = Settings()
        (expected.steps, expected.sizes, expected.fine.share) = (20, [4], Share(0.25))
        #expect(try decode("steps: 20\nsizes: [4]\nfine:\n  share: 0.25\n") == expected)
        #expect(try decode(try Configuration.yaml(expected)) == expected)
    }

    @Test func `a value that does not fit is refused by its key`() {
        for (yaml, place, part) in [
            ("steps: 1\nstep: 2\n", "s.yaml line 2", "unknown key step; known are fine, name, sizes, steps"),
            ("fine:\n  sise: 2\n", "s.yaml line 2", "unknown key fine.sise; known are share, size"),
            ("steps: many\n", "s.yaml", "steps: expected a whole number"),
            ("sizes: 3\n", "s.yaml", "sizes: expected "),
            ("fine:\n  share: 1.5\n", "s.yaml", "fine.share: expected 0 to 1, found 1.5"),
            ("fine: 3\n", "s.yaml line 1", "fine: expected keys and values, found something else"),
            ("steps: {a: 1}\n", "s.yaml", "steps: expected "),
            ("steps: 99999999999999999999\n", "s.yaml", "steps: expected a whole number"),
            ("steps:\n", "s.yaml", "steps: expected a whole number"),
        ] {
            let failure = expectFailure(.badData, part, "\(yaml)") { try decode(yaml) }
            #expect(failure?.place == place, "\(yaml): \(failure?.place ?? "")")
        }
        let list = expectFailure(.badData, "expected keys and values, found something else") { try decode("- 1\n") }
        #expect(list?.sentence == "the whole file: expected keys and values, found something else")
    }

    @Test func `a file is read with its name`() throws {
        let folder = try TemporaryFolder(), path = try folder.write("steps: 3\nfine: {size: 4}\n".utf8, "s.yaml")
        #expect(try Configuration.read(path, over: Settings()).fine.size == 4)
        #expect(try Configuration.keys(path) == ["steps", "fine"])
        expectFailure(.noSuchInput, "does not exist") { try Configuration.read(folder.file("no"), over: Settings()) }
        try folder.write([0x61, 0xff, 0xfe], "s.yaml")
        let failure = expectFailure(.badData, "is not UTF-8 text") { try Configuration.keys(path) }
        #expect(failure?.place == path)
    }
}
