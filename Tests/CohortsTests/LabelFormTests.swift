import Cohorts
import Files
import Support
import Testing

/// The forms of attributes beyond a column and its codes.
@Suite struct LabelFormTests {
    private func labels(_ map: String, _ table: String) throws -> [String: PhotographLabels] {
        try LabelMap(yaml: map, name: "map.yaml").labels(in: LabelMapTable(table, name: "t.csv"))
    }

    /// The values of one attribute by the cells of one column.
    private func values(_ attribute: String, _ form: String, _ cells: [String]) throws -> [String?] {
        let rows = cells.enumerated().map { "\($0);\"\($1)\"\n" }.joined()
        let found = try labels("file: {column: f}\nattributes: {\(attribute): \(form)}\n", "f;c\n" + rows)
        return cells.indices.map { found["\($0)"]?.cohort[attribute] }
    }

    @Test func `ages with fractions, with signs and as bands`() throws {
        let form = "{column: c, years: true}"
        #expect(
            try values(
                "age_band", form,
                [
                    "48.0", "48,00", "48.9", "9", "10", "90+", ">89", ">= 90", "\u{2265}80", "&gt;=85", ">79", "80 +",
                    "<10", "<=9", "40-49", "048Y", "006M", "119M", "3W", "61 years", "130", "",
                    "NaN", "N/A", "unknown", "#REF!",
                ]) == [
                    "40-49", "40-49", "40-49", "0-9", "10-19", "80+", "80+", "80+", "80+", "80+", "80+", "80+",
                    "0-9", "0-9", "40-49", "40-49", "0-9", "0-9", "0-9", "60-69", "80+", nil,
                    nil, nil, nil, nil,
                ])
        for cell in ["50+", ">78", "<18", "35-44"] {
            expectFailure(.badData, "c \"\(cell)\" is in no single band of ten years") {
                try values("age_band", form, [cell])
            }
        }
        for cell in ["131", "-1", "old", ">130", "49-40", "4 8"] {
            let failure = expectFailure(.badData, "c: expected an age in years such as 48 or 90+, found \"\(cell)\"") {
                try values("age_band", form, [cell])
            }
            #expect(failure?.place == "t.csv line 2")
        }
    }

    @Test func `a whole number is the same code with a fraction of zeros`() throws {
        let form = "{column: c, codes: {\"0\": \"0\", \"2\": \"2\"}}"
        #expect(try values("dme", form, ["2.0", "2,00", "0.0", "2"]) == ["2", "2", "0", "2"])
        #expect(try values("dme", "{column: c, codes: {\"1.0\": \"1\"}}", ["1", "1.00"]) == ["1", "1"])
        // A code that is written out goes first.
        #expect(try values("dme", "{column: c, codes: {\"1\": \"1\", \"1.0\": \"2\"}}", ["1", "1.0"]) == ["1", "2"])
        for cell in ["2.5", "1.0", "20", "2."] {
            expectFailure(.badData, "c \"\(cell)\" is not a code that map.yaml names") {
                try values("dme", form, [cell])
            }
        }
    }

    @Test func `columns of 0 and 1 become one code, by the rule that the map states`() throws {
        func disease(_ rule: String, _ row: String) throws -> String? {
            try labels(
                """
                file: {column: f}
                attributes: {disease: {flags: {D: dr, G: glaucoma, T: dr, U: unknown}\(rule)}}
                """, "f,D,G,T,U\na,\(row)\n")["a"]?.cohort["disease"]
        }
        #expect(try disease("", "1,0,0,0") == "dr" && disease("", "0,1.0,0,no") == "glaucoma")
        #expect(try disease("", "1,0,1,0") == "dr" && disease("", "yes,0,X,0") == "dr")
        #expect(try disease("", "1,1,0,0") == nil && disease(", several: unknown", "1,1,0,0") == nil)
        #expect(try disease(", several: [glaucoma, dr]", "1,1,0,0") == "glaucoma")
        #expect(try disease(", several: [amd]", "1,1,0,0") == nil)
        #expect(try disease("", "0,0,0,0") == nil && disease(", none: healthy", "0,0,0,0") == "healthy")
        // It is not known that all say no.
        #expect(try disease(", none: healthy", "0,,0,0") == nil && disease(", none: healthy", "1,,0,0") == "dr")
        #expect(try disease(", none: healthy", "0,0,0,1") == nil && disease("", "0,1,0,1") == "glaucoma")
        expectFailure(.badData, "G: expected 0, 1, yes or no, found \"2\"") { try disease("", "0,2,0,0") }
    }

    @Test func `a cell with several codes becomes one`() throws {
        let form = "{column: c, split: '[,\u{FF0C}]', codes: {normal: healthy, dust: unknown, npdr: dr, cat: cataract}"
        let cells = ["normal", "dust, normal", "npdr\u{FF0C}dust", "npdr, cat", "", ","]
        #expect(try values("disease", form + "}", cells) == ["healthy", "healthy", "dr", nil, nil, nil])
        #expect(try values("disease", form + ", several: [cataract, dr]}", ["npdr,cat"]) == ["cataract"])
        #expect(try values("disease", form + ", otherwise: other}", ["scar", "npdr,scar"]) == ["other", nil])
        expectFailure(.badData, "c \"scar\" is not a code") {
            try values("disease", form + "}", ["scar"])
        }
    }

    @Test func `a row may name several photographs, each with attributes of its own`() throws {
        let map = """
            files:
              - column: L
                suffix: .jpg
                attributes: {laterality: {constant: left}, disease: {column: DL, codes: {c: cataract, n: healthy}}}
              - column: R
                attributes: {laterality: {constant: right}, disease: {column: DR, codes: {c: cataract, n: healthy}}}
            patient: {column: ID}
            attributes: {age_band: {column: age, years: true}}
            """
        let header = "ID,age,L,R,DL,DR\n"
        let found = try labels(map, header + "17,58,l1,r1.png,c,n\n18,81,,r2.png,c,n\n")
        #expect(found.keys.sorted() == ["l1.jpg", "r1.png", "r2.png"])
        #expect(
            found["l1.jpg"]?.cohort.values == ["laterality": "left", "disease": "cataract", "age_band": "50-59"])
        #expect(
            found["r1.png"]?.cohort.values == ["laterality": "right", "disease": "healthy", "age_band": "50-59"])
        #expect(found["r1.png"]?.patient == "17" && found["r2.png"]?.patient == "18")
        expectFailure(.badData, "L, R: expected a photograph's name, found nothing") {
            try labels(map, header + "17,58,,,c,n\n")
        }
    }

    @Test func `a path says what its pattern keeps`() throws {
        let map = try LabelMap(
            yaml: """
                patient: {path: '^([^/]+)/'}
                attributes:
                  disease: {path: '_([ADN])[.]', codes: {A: amd, D: dr, N: healthy}}
                  camera: {path: '/(Topcon|Canon)/'}
                  field: {constant: macula}
                """, name: "map.yaml")
        #expect(!map.readsTable && map.readsPaths)
        let found = try map.labels(ofPaths: ["P1/Topcon/1_A.png", "P2/2_N.png", "loose.png"])
        #expect(
            found["P1/Topcon/1_A.png"]?.cohort.values == ["disease": "amd", "camera": "Topcon", "field": "macula"])
        #expect(found["P1/Topcon/1_A.png"]?.patient == "P1" && found["P2/2_N.png"]?.patient == "P2")
        #expect(found["loose.png"]?.patient == nil && found["loose.png"]?.cohort.values == ["field": "macula"])
        expectFailure(.badData, "camera: the pattern /(Topcon|Canon)/ matches no photograph") {
            try map.labels(ofPaths: ["P1/1_A.png"])
        }
        let narrow = try LabelMap(
            yaml: "attributes: {disease: {path: '_([A-Z])[.]', codes: {A: amd}}}\n", name: "map.yaml")
        let failure = expectFailure(.badData, "the path's part \"X\" is not a code that map.yaml names") {
            try narrow.labels(ofPaths: ["3_X.png"])
        }
        #expect(failure?.place == "3_X.png")
    }

    @Test func `a patient who is nobody is unknown, and a rounded number is refused`() throws {
        let map = "file: {column: f}\npatient: {column: p}\n"
        let found = try labels(map, "f,p\na,NA\nb,n/a\nc,-\nd,0012\n")
        #expect(["a", "b", "c"].allSatisfy { found[$0]?.patient == nil } && found["d"]?.patient == "0012")
        let parts = try labels(
            "file: {column: f}\npatient: {column: p, pattern: '^[^_]*'}\n",
            "f,p\na,NA_1\nb,M\u{FC}ller_1\nc,Mu\u{308}ller_2\n")
        #expect(parts["a"]?.patient == nil && parts["b"]?.patient == parts["c"]?.patient && parts["b"]?.patient != nil)
        let paths = try LabelMap(yaml: "patient: {path: '^[^/]+'}\nattributes: {}\n", name: "map.yaml").labels(
            ofPaths: ["unknown/1.png", "M\u{FC}ller/1.png", "Mu\u{308}ller/2.png", "7.0/1.png"])
        #expect(paths["unknown/1.png"]?.patient == nil && paths["7.0/1.png"]?.patient == "7")
        #expect(
            paths["M\u{FC}ller/1.png"]?.patient?.utf8.elementsEqual(
                paths["Mu\u{308}ller/2.png"]?.patient?.utf8 ?? "".utf8)
                == true)
        expectFailure(.badData, "p \"1.23E+11\" is a number that a program for tables has rounded") {
            try labels(map, "f,p\na,1.23E+11\n")
        }
    }

    @Test(
        "mistaken forms are refused with the reason",
        arguments: [
            ("file: {column: f}\nfiles: [{column: g}]\n", "file: expected either file or files, found both"),
            ("files: []\n", "files: expected the columns that name photographs, found an empty list"),
            ("files: [{column: a}, {column: a}]\n", "expected each column once, found \"a\" twice"),
            (
                "files: [{column: a, attributes: {sex: {constant: male}}}]\nattributes: {sex: {constant: female}}\n",
                "files[0].attributes: expected attributes that are not stated for all photographs, found sex"
            ),
            (
                "files: [{column: a, attributes: {camera: {path: x}}}]\n",
                "files[0].attributes: expected attributes from the table"
            ),
            ("file: {column: f}\nattributes: {disease: {flags: {N: normal}}}\n", "flags.N: expected healthy, dr"),
            (
                "file: {column: f}\nattributes: {disease: {flags: {N: dr}, several: all}}\n",
                "several: expected unknown, or a list of codes"
            ),
            (
                "file: {column: f}\nattributes: {disease: {flags: {N: dr}, column: c}}\n",
                "expected only flags, none, several, found column"
            ),
            (
                "file: {column: f}\nattributes: {disease: {column: c, codes: {}, otherwise: other}}\n",
                "expected only column, pattern, codes, found otherwise"
            ),
            ("file: {column: f}\nattributes: {disease: {column: c, split: ','}}\n", "codes: expected what each part"),
            ("attributes: {disease: {path: x}}\n", "codes: expected what each cell"),
            ("attributes: {disease: {path: '(', codes: {a: dr}}}\n", "expected a regular expression"),
            ("patient: {path: x, column: y}\n", "patient: expected path as the only key"),
            ("release: x\n", "file: expected the column that names the photographs"),
            ("attributes: {sex: {column: c, codes: {f: female}}}\n", "file: expected the column"),
            ("columns: x\nfile: {column: f}\n", "columns: expected a list"),
        ])
    func refused(yaml: String, part: String) {
        expectFailure(.badData, part, "\(yaml)") { try LabelMap(yaml: yaml, name: "map.yaml") }
    }
}
