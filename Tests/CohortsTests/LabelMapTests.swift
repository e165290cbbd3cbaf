import Cohorts
import Files
import Foundation
import Support
import Testing

/// A map of docs/maps.
private func shipped(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/maps/\(name).yaml").path
}

/// The sentence with which reading `yaml` is refused; nil where it is not.
private func refusal(_ yaml: String) -> String? {
    do {
        _ = try LabelMap(yaml: yaml, name: "map.yaml")
        return nil
    } catch {
        return "\(error)"
    }
}

@Suite("Label maps")
struct LabelMapTests {
    @Test("IDRiD's map reads its table")
    func idrid() throws {
        let map = try LabelMap(contentsOf: shipped("idrid"))
        let table = try LabelMapTable(
            "Image name,Retinopathy grade,Risk of macular edema\nIDRiD_001,3,2\nIDRiD_002,0,\n", name: "labels.csv")
        let labels = try map.labels(in: table)
        #expect(labels.count == 2)
        #expect(
            labels["IDRiD_001.jpg"]?.cohort.values
                == ["dr_icdr": "3", "dme": "2", "field": "macula", "camera": "Kowa VX-10 alpha"])
        #expect(labels["IDRiD_002.jpg"]?.cohort["dme"] == nil && labels["IDRiD_002.jpg"]?.cohort["dr_icdr"] == "0")
        #expect(labels["IDRiD_001.jpg"]?.patient == nil && map.patient == nil)
    }

    @Test("HRF's map reads its table")
    func hrf() throws {
        let table = try LabelMapTable(
            "file,disease,eye_id\n01_dr.jpg,diabetic retinopathy,01_dr\n01_h.jpg,healthy,01_h\n", name: "labels.csv")
        let labels = try LabelMap(contentsOf: shipped("hrf")).labels(in: table)
        #expect(labels["01_dr.jpg"]?.cohort["disease"] == "dr" && labels["01_dr.jpg"]?.patient == "01_dr")
        #expect(labels["01_h.jpg"]?.cohort["disease"] == "healthy")
    }

    @Test("CHASE's map puts both eyes of a child into one patient")
    func chase() throws {
        let table = try LabelMapTable("file,child,eye\nImage_01L.jpg,01,L\nImage_01R.jpg,01,R\n", name: "labels.csv")
        let labels = try LabelMap(contentsOf: shipped("chase")).labels(in: table)
        #expect(labels["Image_01L.jpg"]?.patient == "01" && labels["Image_01R.jpg"]?.patient == "01")
        #expect(
            labels["Image_01L.jpg"]?.cohort["laterality"] == "left"
                && labels["Image_01R.jpg"]?.cohort["laterality"] == "right")
    }

    @Test("patterns, ages, open attributes and codes for unknown")
    func sources() throws {
        let map = try LabelMap(
            yaml: """
                file: {column: name, suffix: .png}
                patient: {column: name, pattern: '^([0-9]+)_'}
                attributes:
                  laterality: {column: name, pattern: '[LR](?=[.]|$)', codes: {L: left, R: right}}
                  age_band: {column: age, years: true}
                  camera: {column: device}
                  sex: {column: sex, codes: {"1": female, "2": male, "9": unknown}}
                """, name: "map.yaml")
        let table = try LabelMapTable(
            "name;age;device;sex\n12_L;79;Topcon;1\n12_R.png;80;;9\n7_L;131;x;2", name: "t.csv")
        #expect(
            throws: Failure(.badData, "t.csv line 4", "age: expected an age in years such as 48 or 90+, found \"131\"")
        ) {
            try map.labels(in: table)
        }
        let good = try map.labels(
            in: LabelMapTable("name;age;device;sex\n12_L;79;Topcon;1\n12_R.png;80;;9\n", name: "t.csv"))
        #expect(
            good["12_L.png"]?.cohort.values == [
                "laterality": "left", "age_band": "70-79", "camera": "Topcon", "sex": "female",
            ])
        #expect(good["12_R.png"]?.cohort.values == ["laterality": "right", "age_band": "80+"])
        #expect(good["12_L.png"]?.patient == "12")
    }

    @Test("a patient is the same person however a table writes the number or the letters")
    func patients() throws {
        let map = try LabelMap(
            yaml: "file: {column: f}\npatient: {column: p}\nattributes: {}\n", name: "map.yaml")
        let labels = try map.labels(
            in: LabelMapTable("f,p\n1,7\n2,7.0\n3,K\u{F6}hler\n4,Ko\u{308}hler\n5,7.5\n6,007\n", name: "t.csv"))
        func bytes(_ file: String) -> [UInt8] { Array((labels[file]?.patient ?? "").utf8) }
        #expect(bytes("1") == Array("7".utf8) && bytes("2") == bytes("1"))
        #expect(bytes("3") == Array("K\u{F6}hler".utf8) && bytes("4") == bytes("3"))
        #expect(bytes("5") == Array("7.5".utf8) && bytes("6") == Array("007".utf8))
    }

    @Test("a code that the map does not name is an error with file, line, column and value")
    func unknownCode() throws {
        let map = try LabelMap(contentsOf: shipped("idrid"))
        let table = try LabelMapTable(
            "Image name,Retinopathy grade,Risk of macular edema\na,1,0\nb,5,0\n", name: "labels.csv")
        #expect { try map.labels(in: table) } throws: {
            "\($0)".hasPrefix("labels.csv line 3: Retinopathy grade \"5\" is not a code that")
                && ($0 as? Failure)?.kind == .badData
        }
    }

    @Test("an age from the dates of birth and of the photograph")
    func dates() throws {
        func labels(_ form: String, _ rows: String) throws -> [String: PhotographLabels] {
            let map = try LabelMap(
                yaml: "file: {column: name}\nattributes:\n  age_band: {born: birth, taken: day\(form)}\n",
                name: "map.yaml")
            return try map.labels(in: LabelMapTable("name;birth;day\n\(rows)", name: "t.csv"))
        }
        // The day before the seventieth birthday, the birthday, and a 29th of February.
        let german = try labels(
            ", dates: DD.MM.YYYY",
            "a;05.10.1950;04.10.2020\nb;5.10.1950;05.10.2020\nc;29.02.1940;28.02.2020\nd;;1.1.2020\n")
        #expect(german["a"]?.cohort["age_band"] == "60-69" && german["b"]?.cohort["age_band"] == "70-79")
        #expect(german["c"]?.cohort["age_band"] == "70-79" && german["d"]?.cohort["age_band"] == nil)
        let usual = try labels("", "a;1984-10-05;2020-01-31 10:30:00\nb;1984-10-05;2020-01-31T10:30\n")
        #expect(usual["a"]?.cohort["age_band"] == "30-39" && usual["b"]?.cohort["age_band"] == "30-39")
        for (row, part) in [
            ("a;05.10.1984;2020-01-31\n", "birth: expected a date such as YYYY-MM-DD, found \"05.10.1984\""),
            ("a;1984-02-30;2020-01-31\n", "birth: expected a date such as YYYY-MM-DD, found \"1984-02-30\""),
            ("a;84-02-03;2020-01-31\n", "birth: expected a date"), ("a;1984--1;2020-01-31\n", "birth: expected a date"),
            ("a;2021-02-03;2020-01-31\n", "birth and day: expected an age of 0 to 130 years, found -2"),
        ] { expectFailure(.badData, part, "\(row)") { try labels("", row) } }
    }

    @Test("a date of birth in a column of ages is told how it is mapped")
    func birth() throws {
        let map = try LabelMap(
            yaml: "file: {column: name}\nattributes: {age_band: {column: Age, years: true}}\n", name: "map.yaml")
        let failure = expectFailure(.badData, "Age: expected an age in years such as 48 or 90+, found \"05.10.1984\"") {
            try map.labels(in: LabelMapTable("name;Age\na;05.10.1984\n", name: "t.csv"))
        }
        #expect(failure?.sentence.hasSuffix("age_band: {born: Age, taken: COLUMN, dates: DD.MM.YYYY}") == true)
        let other = expectFailure(.badData, "found \"old\"") {
            try map.labels(in: LabelMapTable("name;Age\na;old\n", name: "t.csv"))
        }
        #expect(other?.sentence.contains("born") == false)
    }

    @Test("no table of patients is printed, neither as a map nor as a cell")
    func quiet() throws {
        let rows = (0..<100).map { "P\($0),female,\($0 % 5)" }.joined(separator: "\n")
        let asMap = expectFailure(.badData, "the map: expected keys and values, found a text without keys") {
            try LabelMap(yaml: "name,sex,grade\n" + rows, name: "labels.csv")
        }
        #expect(asMap?.sentence.contains("P0") == false)
        // A quote that is never closed where it should be swallows lines.
        let map = try LabelMap(
            yaml: "file: {column: name}\nattributes: {dme: {column: grade, codes: {\"0\": \"0\"}}}\n", name: "m.yaml")
        let asCell = expectFailure(.badData, "is not a code that m.yaml names") {
            try map.labels(in: LabelMapTable("name,grade\na,\"x \"\"\n\(rows)\"\n", name: "t.csv"))
        }
        #expect(asCell?.sentence.contains("P2,") == true && asCell?.sentence.contains("P9,") == false)
        let header = "name," + (0..<100).map { "c\($0)" }.joined(separator: ",")
        expectFailure(.badData, "\"c28\" and 71 more") {
            try map.labels(in: LabelMapTable(header + "\n", name: "t.csv"))
        }
    }

    @Test("a missing column is an error that names those there are")
    func missingColumn() throws {
        let map = try LabelMap(contentsOf: shipped("chase"))
        #expect { try map.labels(in: LabelMapTable("file,kid\na,1\n", name: "t.csv")) } throws: {
            "\($0)" == "t.csv: has no column \"child\"; separated by commas, its columns are \"file\", \"kid\""
        }
    }

    @Test("two rows of one photograph that contradict each other leave the attribute unknown and named")
    func contradiction() throws {
        let map = try LabelMap(contentsOf: shipped("idrid"))
        let table = try LabelMapTable(
            "Image name,Retinopathy grade,Risk of macular edema\na,1,0\na,2,0\na,1,\n", name: "t.csv")
        let labels = try #require(try map.labels(in: table)["a.jpg"])
        #expect(labels.conflicts == ["dr_icdr"] && labels.cohort["dr_icdr"] == nil && labels.cohort["dme"] == "0")
    }

    @Test(
        "hostile and mistaken maps are refused with the reason",
        arguments: [
            ("file: &a {column: x}\npatient: *a\n", "anchor"),
            ("release: [\"a\\\" \", &b x]\nfile: {column: x}\n", "anchor"),
            ("file: {column: x}\nattribute: {}\n", "unknown key \"attribute\""),
            ("file: {column: x}\nattributes: {grade: {column: y, codes: {}}}\n", "unknown key \"grade\""),
            (
                "file: {column: x}\nattributes: {dme: {column: y, codes: {\"0\": \"3\"}}}\n",
                "expected 0, 1, 2, unknown, found \"3\""
            ),
            ("file: {column: x}\nattributes: {dme: {column: y}}\n", "attributes.dme.codes"),
            ("file: {column: x}\nattributes: {ethnicity: {column: y}}\n", "attributes.ethnicity.codes"),
            ("file: {column: x}\nattributes: {age_band: {column: Age}}\n", "{column: Age, years: true}"),
            (
                "file: {column: x}\nattributes: {age_band: {column: A, years: yes}}\n",
                "years: expected true, found \"yes\""
            ),
            ("file: {column: x}\nattributes: {age_band: {born: b}}\n", "age_band.taken: expected the column"),
            ("file: {column: x}\nattributes: {age_band: {born: b, taken: t, dates: D}}\n", "such as DD.MM.YYYY"),
            ("file: {column: x}\nattributes: {sex: {born: b, taken: t}}\n", "only for age_band"),
            ("file: {column: x}\nattributes: {field: {constant: retina}}\n", "found \"retina\""),
            ("file: {column: x}\nattributes: {sex: {column: y, years: true}}\n", "years"),
            ("patient: {column: x}\n", "file: expected"),
            ("file: {column: x}\npatient: {column: y, pattern: '('}\n", "regular expression"),
            ("file: [x]\n", "found a list"),
            ("file: {column: x}\nfile: {column: y}\n", "occurs twice"),
            ("separator: ':'\nfile: {column: x}\n", "separator"),
            ("file: {column: x\n", "not YAML"),
            ("", "empty"),
        ])
    func refused(yaml: String, part: String) throws {
        let sentence = try #require(refusal(yaml), "accepted")
        #expect(sentence.hasPrefix("map.yaml") && sentence.contains(part), "\(sentence)")
    }
}
