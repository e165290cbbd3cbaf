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
        #expect(throws: Failure(.badData, "t.csv line 4", "age: expected an age in whole years, found \"131\"")) {
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

    @Test("a missing column is an error that names those there are")
    func missingColumn() throws {
        let map = try LabelMap(contentsOf: shipped("chase"))
        #expect { try map.labels(in: LabelMapTable("file,kid\na,1\n", name: "t.csv")) } throws: {
            "\($0)" == "t.csv: has no column \"child\"; its columns are \"file\", \"kid\""
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
            ("file: {column: x}\nattributes: {field: {constant: retina}}\n", "found \"retina\""),
            ("file: {column: x}\nattributes: {sex: {column: y, years: true}}\n", "years"),
            ("patient: {column: x}\n", "file: expected"),
            ("file: {column: x}\npatient: {column: y, pattern: '('}\n", "regular expression"),
            ("file: [x]\n", "found a list"),
            ("file: {column: x}\nfile: {column: y}\n", "occurs twice"),
            ("separator: '|'\nfile: {column: x}\n", "separator"),
            ("file: {column: x\n", "not YAML"),
            ("", "empty"),
        ])
    func refused(yaml: String, part: String) throws {
        let sentence = try #require(refusal(yaml), "accepted")
        #expect(sentence.hasPrefix("map.yaml") && sentence.contains(part), "\(sentence)")
    }
}
