import Cohorts
import Foundation
import Support
import Testing

@Suite struct LabelMapDraftTests {
    private func draft(_ text: String) throws -> (draft: LabelMapDraft, table: LabelMapTable) {
        let table = try LabelMapTable(text, name: "labels.csv")
        return (LabelMapDraft(table), table)
    }

    /// The draft, read as a map, and what it makes of its own table.
    private func labels(_ text: String) throws -> [String: PhotographLabels] {
        let (draft, table) = try draft(text)
        return try LabelMap(yaml: draft.lines.joined(separator: "\n") + "\n", name: "map.yaml").labels(in: table)
    }

    @Test func `a hospital's table is read by its own draft`() throws {
        let text = """
            Bild;Patienten-Nr.;Geburtsdatum;Aufnahmedatum;Geschlecht;Auge;Diagnose;Kamera: Typ;Kommentar
            1.jpg;01;05.10.1950;12.03.2020;w;li;R0;Topcon;calls back
            2.JPG;02;15.10.1984;12.03.2020;M;OD;7;"Canon ""CR"" 2";secret
            3.jpg;02;;12.03.2020;;re;;;

            """
        let labels = try labels(text)
        #expect(
            labels["1.jpg"]?.cohort.values == [
                "age_band": "60-69", "sex": "female", "laterality": "left", "dr_icdr": "0",
            ])
        #expect(labels["1.jpg"]?.patient == "01")
        // What 7 means is open.
        #expect(labels["2.JPG"]?.cohort.values == ["age_band": "30-39", "sex": "male", "laterality": "right"])
        let draft = try draft(text).draft
        #expect(draft.lines.contains("      \"7\": unknown  # what does it mean?"))
        #expect(draft.unusedColumns == ["Kamera: Typ", "Kommentar"])
        // Of columns that are not used, nothing but the name is shown.
        #expect(!draft.lines.contains { $0.contains("secret") || $0.contains("Topcon") })
    }

    @Test(
        arguments: [
            ("Image name,Retinopathy grade,Risk of macular edema\nIDRiD_001,3,2\n", "IDRiD_001.jpg"),
            ("image,level\n10_left,2\n10_right,0\n", "10_left.jpeg"), ("id_code,diagnosis\nabc,4\n", "abc.png"),
            (
                "image_id,patient_id,camera,patient_age,patient_sex,exam_eye,DR_ICDR\nimg1,7,Canon,48,2,1,4\n",
                "img1.jpg"
            ),
            ("patient,file,laterality,final_icdr,sex,age\n3,3.1.jpg,right,1,0,61\n", "3.1.jpg"),
        ])
    func `the columns of public sets are known`(text: String, file: String) throws {
        let labels = try #require(try labels(text)[file])
        #expect(labels.cohort["dr_icdr"] != nil)
    }

    @Test func `what a public set's description says goes before a guess`() throws {
        let eyepacs = try labels("image,level\n10_left,2\n10_right,0\n")
        #expect(eyepacs["10_left.jpeg"]?.patient == "10" && eyepacs["10_right.jpeg"]?.patient == "10")
        #expect(eyepacs["10_left.jpeg"]?.cohort["laterality"] == "left")
        let brset = try labels(
            "image_id,patient_id,camera,patient_age,patient_sex,exam_eye,DR_ICDR\n"
                + "a,7,Canon,48,2,1,4\nb,8,Canon,90,1,2,0\n"
        )
        #expect(brset["a.jpg"]?.cohort["sex"] == "female" && brset["b.jpg"]?.cohort["sex"] == "male")
        #expect(brset["a.jpg"]?.cohort["laterality"] == "right" && brset["b.jpg"]?.cohort["age_band"] == "80+")
        // In a table of another origin, a number of a sex may mean either.
        let other = try labels("file,sex\na.jpg,1\n")
        #expect(other["a.jpg"]?.cohort.values == [:])
    }

    @Test func `what cannot be drafted is said in a remark`() throws {
        func lines(_ text: String) throws -> String { try draft(text).draft.lines.joined(separator: "\n") }
        #expect(try lines("a,b\n1,2\n").contains("file: {column: a, suffix: .jpg}  # no column seems to name"))
        #expect(try lines("a,b\n1,2\n").contains("# attributes: no column is known"))
        #expect(
            try lines("file,dob\na.jpg,1950-01-02\n").contains(
                "# age_band: {born: dob, taken: COLUMN, dates: YYYY-MM-DD}"))
        #expect(
            try lines("file,dob,date\na.jpg,01/02/1950,03/04/2020\n").contains("DD/MM/YYYY  # or MM/DD/YYYY? both fit"))
        #expect(try lines("file,dob\na.jpg,2.1.50\n").contains("not written in one form"))
        #expect(try lines("file,age\na.jpg,old\n").contains("#   age"))
        let many = "file,sex\n" + (0..<40).map { "\($0).jpg,\($0 == 0 ? "f" : "s\($0)")" }.joined(separator: "\n")
        #expect(try lines(many).contains("# sex: the column sex has 40 values, too many for codes"))
        for text in ["a,b\n1,2\n", "file,dob\na.jpg,1950-01-02\n", "file,age\na.jpg,old\n", many] {
            _ = try labels(text)
        }
    }
}
