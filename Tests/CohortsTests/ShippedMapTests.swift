import Cohorts
import Files
import Foundation
import Support
import Testing

/// The maps that come with the program, each with a small table as its set writes it.
@Suite struct ShippedMapTests {
    /// What a map makes of a table, or of the names of photographs where it reads none.
    private func labels(_ name: String, _ text: String) throws -> [String: PhotographLabels] {
        let map = try ShippedMap(name).map()
        guard map.readsTable else {
            return try map.labels(ofPaths: text.split(separator: "\n").map(String.init))
        }
        return try map.labels(
            in: LabelMapTable(text, name: "labels.csv", separator: map.separator, columns: map.columns))
    }

    private static let brset = """
        image_id,patient_id,camera,patient_age,comorbidities,diabetes_time_y,insuline,patient_sex,exam_eye,diabetes,\
        nationality,optic_disc,vessels,macula,DR_SDRG,DR_ICDR,focus,Illuminaton,image_field,artifacts,\
        diabetic_retinopathy,macular_edema,scar,nevus,amd,vascular_occlusion,hypertensive_retinopathy,drusens,\
        hemorrhage,retinal_detachment,myopic_fundus,increased_cup_disc,other,quality
        img00001,1,Canon CR,48.0,"diabetes1, hypertension",12,yes,1,1,yes,Brazil,1,1,1,0,0,1,1,1,1,\
        0,0,0,0,0,0,0,0,0,0,0,0,0,Adequate
        img00002,1,NIKON NF5050,90+,,,,2,2,,Brazil,1,1,2,4,4,1,1,1,1,1,1,0,0,0,0,0,0,0,0,0,0,0,Inadequate

        """

    private static let odir = """
        ID,Patient Age,Patient Sex,Left-Fundus,Right-Fundus,Left-Diagnostic Keywords,Right-Diagnostic Keywords,\
        N,D,G,C,A,H,M,O
        0,69,Female,0_left.jpg,0_right.jpg,cataract,normal fundus,0,0,0,1,0,0,0,0
        9,57,Male,9_left.jpg,9_right.jpg,"lens dust\u{FF0C}moderate non proliferative retinopathy",\
        "glaucoma\u{FF0C}epiretinal membrane",0,1,1,0,0,0,0,1

        """

    private static let rfmid =
        "ID,Disease_Risk,DR,ARMD,MH,DN,MYA,BRVO,TSLN,ERM,LS,MS,CSR,ODC,CRVO,TV,AH,ODP,ODE,ST,AION,PT,RT,RS,CRS,EDN,"
        + "RPEC,MHL,RP,CWS,CB,ODPM,PRH,MNF,HR,CRAO,TD,CME,PTCR,CF,VH,MCA,VS,BRAO,PLQ,HPED,CL\n"
        + ["1,1,1", "2,0,0", "3,1,1,1"].map { $0 + String(repeating: ",0", count: 47 - $0.split(separator: ",").count) }
        .joined(separator: "\n") + "\n"

    @Test(
        arguments: [
            (
                "airogs", "challenge_id,class\nTRAIN000000,NRG\nTRAIN000001,RG\n", "TRAIN000001.jpg",
                ["disease": "glaucoma"], nil
            ),
            ("aptos-2019", "id_code,diagnosis\n000c1434d8d7,2\n", "000c1434d8d7.png", ["dr_icdr": "2"], nil),
            (
                "brset", brset, "img00001.jpg",
                [
                    "dr_icdr": "0", "disease": "healthy", "age_band": "40-49", "sex": "male", "laterality": "right",
                    "field": "macula", "camera": "Canon CR", "quality": "good",
                ], "1"
            ),
            (
                "brset", brset, "img00002.jpg",
                [
                    "dr_icdr": "4", "disease": "dr", "age_band": "80+", "sex": "female", "laterality": "left",
                    "field": "macula", "camera": "NIKON NF5050", "quality": "reject",
                ], "1"
            ),
            (
                "chase", "file,child,eye\nImage_01L.jpg,01,L\n", "Image_01L.jpg",
                ["laterality": "left", "field": "disc", "camera": "Nidek NM-200-D"], "01"
            ),
            (
                "chase-names", "Image_01L.jpg\nImage_01R.jpg\n", "Image_01R.jpg",
                ["laterality": "right", "field": "disc", "camera": "Nidek NM-200-D"], "01"
            ),
            ("ddr", "007-0004-000.jpg 0\n007-1723-000.jpg 5\n", "007-1723-000.jpg", ["dr_icdr": "ungradable"], nil),
            (
                "eyepacs", "image,level\n10_left,0\n10_right,4\n", "10_right.jpeg",
                ["dr_icdr": "4", "laterality": "right"], "10"
            ),
            ("fives", "train/Original/1_A.png\n", "train/Original/1_A.png", ["disease": "amd"], nil),
            (
                "hei-med", "file,sex,race,birth\n(00000003).jpg,F,CAUCASIAN,12/28/1955\n", "(00000003).jpg",
                ["sex": "female", "ethnicity": "caucasian"], "12/28/1955"
            ),
            (
                "hrf", "file,disease,eye_id\n01_dr.jpg,diabetic retinopathy,01_dr\n", "01_dr.jpg",
                ["disease": "dr", "field": "macula", "camera": "Canon CR-1"], "01_dr"
            ),
            (
                "hrf-names", "images/07_g.jpg\n", "images/07_g.jpg",
                ["disease": "glaucoma", "field": "macula", "camera": "Canon CR-1"], "07_g"
            ),
            (
                "idrid",
                "Image name,Retinopathy grade,Risk of macular edema ,,,,,,,,,\r\nIDRiD_001,3,2,,,,,,,,,\r\n",
                "IDRiD_001.jpg",
                ["dr_icdr": "3", "dme": "2", "field": "macula", "camera": "Kowa VX-10 alpha"], nil
            ),
            (
                "mbrset",
                "patient,age,sex,dm_time,insulin,laterality,final_artifacts,final_quality,final_icdr,final_edema,file\n"
                    + "1,>=80,0,5,1,right,no,yes,2.0,no,1.1.jpg\n", "1.1.jpg",
                [
                    "dr_icdr": "2", "age_band": "80+", "sex": "female", "laterality": "right",
                    "camera": "Phelcom Eyer", "quality": "good",
                ], "1"
            ),
            (
                "messidor-2",
                "image_id,adjudicated_dr_grade,adjudicated_dme,adjudicated_gradable\n20051020_43808_0100_PP.png,1,0,1\n"
                    + "IM002385.jpg,,,0\n", "IM002385.jpg", ["field": "macula", "quality": "reject"], nil
            ),
            (
                "odir-5k", odir, "0_left.jpg",
                ["disease": "cataract", "age_band": "60-69", "sex": "female", "laterality": "left"], "0"
            ),
            (
                "odir-5k", odir, "9_left.jpg",
                ["dr_icdr": "2", "disease": "dr", "age_band": "50-59", "sex": "male", "laterality": "left"], "9"
            ),
            (
                "odir-5k", odir, "9_right.jpg", ["age_band": "50-59", "sex": "male", "laterality": "right"], "9"
            ),
            (
                "refuge", "Glaucoma/g0001.jpg\nNon-Glaucoma/n0001.jpg\n", "Glaucoma/g0001.jpg",
                ["disease": "glaucoma", "camera": "Zeiss Visucam 500"], nil
            ),
            (
                "refuge-test", "ID,ImgName,Label(Glaucoma=1),Fovea_X,Fovea_Y\n1,T0001.jpg,1,800.1,810.2\n", "T0001.jpg",
                ["disease": "glaucoma", "camera": "Canon CR-2"], nil
            ),
            (
                "refuge-validation", "ID,ImgName,Fovea_X,Fovea_Y,Glaucoma Label\n1,V0001.jpg,800.1,810.2,0\n",
                "V0001.jpg", ["camera": "Canon CR-2"], nil
            ),
            ("rfmid", rfmid, "1.png", ["disease": "dr"], nil), ("rfmid", rfmid, "2.png", ["disease": "healthy"], nil),
            ("rfmid", rfmid, "3.png", [:], nil),
        ] as [(String, String, String, [String: String], String?)])
    func `a map reads its own set`(
        name: String, table: String, photograph: String, values: [String: String], patient: String?
    ) throws {
        let found = try #require(try labels(name, table)[photograph])
        #expect(found.cohort.values == values)
        #expect(found.patient == patient)
    }

    @Test func `every map can be read, and says where it comes from and what was checked`() throws {
        let names = ShippedMap.all.map(\.name)
        #expect(names == names.sorted() && Set(names).count == names.count && names.count == 20)
        for shipped in ShippedMap.all {
            let map = try shipped.map()
            #expect(map.release?.isEmpty == false && !map.attributes.isEmpty || !map.files.isEmpty, "\(shipped.name)")
            #expect(shipped.remarks.count >= 1, "\(shipped.name)")
        }
        // The folder of maps in the documentation is the same one.
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/maps")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/").sorted()
        #expect(files == names.map { $0 + ".yaml" }.sorted())
        for shipped in ShippedMap.all {
            let path = folder.appendingPathComponent(shipped.name + ".yaml").path
            #expect(try String(contentsOfFile: path, encoding: .utf8) == shipped.text, "\(shipped.name)")
        }
    }

    @Test func `a map is found by its name, and a name that is nearly right leads to it`() throws {
        #expect(try ShippedMap("IDRiD").name == "idrid" && ShippedMap("odir5k").name == "odir-5k")
        expectFailure(.noSuchInput, "is no file and no map that comes with the program (airogs, aptos-2019,") {
            try ShippedMap("nowhere")
        }
        let near = expectFailure(.noSuchInput, "did you mean idrid?") { try LabelMap(fileOrName: "idrd") }
        #expect(near?.place == "idrd")
        #expect(try LabelMap(fileOrName: "idrid").release == "IDRiD disease grading, 2018")
        // What can only be a file is one.
        expectFailure(.noSuchInput, "does not exist") { try LabelMap(fileOrName: "idrid.yaml") }
        expectFailure(.noSuchInput, "does not exist") { try LabelMap(fileOrName: "./idrid") }
    }

    @Test func `the draft for a public set's table is its map, as far as the table has the columns`() throws {
        let tables = [("brset", Self.brset), ("odir-5k", Self.odir), ("rfmid", Self.rfmid)]
        for (name, text) in tables {
            let table = try LabelMapTable(text, name: "labels.csv")
            let draft = LabelMapDraft(table)
            let read = try LabelMap(yaml: draft.lines.joined(separator: "\n") + "\n", name: "map.yaml").labels(
                in: table)
            #expect(read == (try labels(name, text)), "\(name)")
            #expect(draft.lines.contains { $0.hasPrefix("# \(name) comes with the program") })
            #expect(draft.lines.joined(separator: " ").replacing("# ", with: "").contains("o real row was checked"))
        }
        let short = "ID,Patient Age,Patient Sex,Left-Fundus,Right-Fundus\n1,50,Male,1_left.jpg,1_right.jpg\n"
        let draft = LabelMapDraft(try LabelMapTable(short, name: "labels.csv"))
        #expect(draft.attributes == ["age_band", "sex", "laterality"])
        let read = try LabelMap(yaml: draft.lines.joined(separator: "\n") + "\n", name: "map.yaml")
            .labels(in: LabelMapTable(short, name: "labels.csv"))
        #expect(
            read["1_right.jpg"]?.cohort.values == ["age_band": "50-59", "sex": "male", "laterality": "right"])
    }
}
