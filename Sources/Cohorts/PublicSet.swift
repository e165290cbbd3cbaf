/// A public data set that is known by the columns of its table, with what its description says about their codes.
struct PublicSet {
    let name: String
    /// The columns by which the set is known.
    let columns: Set<String>
    /// The suffix of its photographs where the table leaves it out.
    var suffix: String?
    /// The column of the patient, and a pattern that keeps a part of the cell; nil if the table names no patient.
    var patient: (column: String, pattern: String?)?
    /// Lines of YAML below an attribute's name, in place of what a guess would give; an empty list leaves it out.
    var attributes: [String: [String]] = [:]
    /// What whoever imports the set has to know.
    var remarks: [String] = []

    /// The set whose columns a table has.
    static func of(_ columns: [String]) -> PublicSet? {
        all.first { $0.columns.isSubset(of: columns) }
    }

    private static let all = [
        PublicSet(
            name: "IDRiD disease grading, 2018",
            columns: ["Image name", "Retinopathy grade", "Risk of macular edema"], suffix: ".jpg",
            attributes: ["field": ["constant: macula"], "camera": ["constant: Kowa VX-10 alpha"]],
            remarks: ["The table names no patient, and the set has photographs of the same eye under two names."]),
        PublicSet(
            name: "EyePACS (Kaggle), 2015", columns: ["image", "level"], suffix: ".jpeg", patient: ("image", "^[0-9]+"),
            attributes: [
                "laterality": ["column: image", "pattern: 'left|right'", "codes: {left: left, right: right}"]
            ], remarks: ["Names such as 10_left hold the patient and the eye."]),
        PublicSet(
            name: "APTOS 2019 (Kaggle)", columns: ["id_code", "diagnosis"], suffix: ".png", attributes: ["disease": []],
            remarks: ["The table names no patient."]),
        PublicSet(
            name: "Messidor-2, adjudicated grades", columns: ["image_id", "adjudicated_dr_grade", "adjudicated_dme"],
            attributes: ["dme": [], "quality": []],
            remarks: [
                "adjudicated_dme says yes or no, and not the risk of 0 to 2, so it is left out.",
                "The table names no patient, although pairs of photographs are of one.",
            ]),
        PublicSet(
            name: "BRSET", columns: ["image_id", "patient_id", "patient_sex", "exam_eye", "DR_ICDR"], suffix: ".jpg",
            patient: ("patient_id", nil),
            attributes: [
                "sex": ["column: patient_sex", "codes: {\"1\": male, \"2\": female}"],
                "laterality": ["column: exam_eye", "codes: {\"1\": right, \"2\": left}"], "dme": [],
            ], remarks: ["macular_edema says yes or no, and not the risk of 0 to 2, so it is left out."]),
        PublicSet(
            name: "mBRSET", columns: ["patient", "file", "laterality", "final_icdr", "sex"], patient: ("patient", nil),
            attributes: [
                "sex": ["column: sex", "codes: {\"0\": female, \"1\": male}"], "dme": [], "quality": [],
            ],
            remarks: ["final_edema and final_quality say yes or no, so they are left out."]),
        PublicSet(
            name: "ODIR-5K", columns: ["ID", "Patient Age", "Patient Sex", "Left-Fundus", "Right-Fundus"],
            patient: ("ID", nil), attributes: ["disease": []],
            remarks: [
                "A row names two photographs. Make a table with a row for each: one file, the patient, the eye."
            ]),
    ]
}
