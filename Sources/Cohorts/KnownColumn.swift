import Foundation

/// What the names of columns and the values of cells usually mean, in tables of hospitals and of public data sets.
enum KnownColumn {
    /// What a column may hold.
    enum Meaning: Hashable {
        case file, patient, birth, taken
        case attribute(String)
    }

    /// Names of columns, in small letters and without signs, the surest first.
    static let names: [(meaning: Meaning, names: [String])] = [
        (
            .file,
            [
                "file", "filename", "imagefile", "imagename", "imageid", "image", "imagepath", "photograph", "photo",
                "picture", "idcode", "path", "dateiname", "datei", "bild",
            ]
        ),
        (
            .patient,
            [
                "patientid", "patient", "patientno", "patientnumber", "patientkey", "pid", "mrn", "subject",
                "subjectid", "person", "child", "patid", "patnr", "patientnr", "patientennr", "patientennummer",
                "patienten", "fallnummer", "eyeid",
            ]
        ),
        (
            .birth,
            ["dateofbirth", "birthdate", "dob", "birth", "patientbirthdate", "geburtsdatum", "geburtstag", "geb"]
        ),
        (
            .taken,
            [
                "dateofphotograph", "photographdate", "acquisitiondate", "studydate", "examdate", "examinationdate",
                "dateofexam", "visitdate", "imagedate", "aufnahmedatum", "untersuchungsdatum", "datum", "date",
            ]
        ),
        (
            .attribute("dr_icdr"),
            [
                "dricdr", "icdr", "finalicdr", "retinopathygrade", "drgrade", "drlevel", "adjudicateddrgrade",
                "diabeticretinopathy", "diagnosis", "diagnose", "level", "dr", "grade", "grad",
            ]
        ),
        (
            .attribute("dme"),
            [
                "dme", "riskofmacularedema", "riskofmacularoedema", "macularedema", "macularoedema", "dmegrade",
                "finaledema", "adjudicateddme",
            ]
        ),
        (.attribute("disease"), ["disease", "diagnosis", "diagnose", "condition", "erkrankung", "label", "class"]),
        (.attribute("age_band"), ["age", "patientage", "ageyears", "ageinyears", "alter", "ageband", "agegroup"]),
        (.attribute("sex"), ["sex", "gender", "patientsex", "patientgender", "geschlecht"]),
        (.attribute("ethnicity"), ["ethnicity", "race", "ethnicgroup", "ethnie"]),
        (.attribute("laterality"), ["laterality", "eye", "exameye", "side", "auge", "seite", "lateralitat"]),
        (.attribute("field"), ["field", "view", "centration", "fieldofview", "bildfeld"]),
        (.attribute("camera"), ["camera", "device", "cameramodel", "kamera", "gerat", "manufacturermodelname"]),
        (.attribute("quality"), ["quality", "imagequality", "finalquality", "gradable", "gradability", "qualitat"]),
    ]

    /// The code that a cell usually stands for; nil where that is open, such as for numbers of a sex.
    static func code(_ cell: String, of attribute: Attribute) -> String? {
        if attribute.names.contains(cell) { return cell }
        let word = simple(cell)
        return words[attribute.name]?.first { $0.words.contains(word) }?.code
    }

    private static let words: [String: [(code: String, words: Set<String>)]] = [
        "sex": [
            ("female", ["female", "f", "w", "weiblich", "woman", "frau"]),
            ("male", ["male", "m", "mannlich", "man", "mann"]), ("other", ["other", "d", "divers", "diverse", "x"]),
        ],
        "laterality": [
            ("left", ["left", "l", "os", "links", "li", "la"]), ("right", ["right", "r", "od", "rechts", "re", "ra"]),
        ],
        "dr_icdr": [
            ("0", ["nodr", "none", "r0", "noretinopathy", "keine"]), ("1", ["mild", "mildnpdr", "leicht"]),
            ("2", ["moderate", "moderatenpdr", "massig"]), ("3", ["severe", "severenpdr", "schwer"]),
            ("4", ["proliferative", "pdr", "proliferativedr", "proliferativ"]),
            ("ungradable", ["ungradable", "ungradeable", "notgradable", "nichtbeurteilbar"]),
        ],
        "disease": [
            ("healthy", ["healthy", "normal", "gesund", "none"]),
            ("dr", ["dr", "diabeticretinopathy", "diabetischeretinopathie"]),
            ("glaucoma", ["glaucoma", "glaukom"]),
            ("amd", ["amd", "armd", "agerelatedmaculardegeneration", "maculardegeneration"]),
            ("cataract", ["cataract", "katarakt"]), ("hypertension", ["hypertension", "hypertensiveretinopathy"]),
            ("myopia", ["myopia", "pathologicmyopia", "myopie"]), ("other", ["other", "others", "andere"]),
        ],
        "field": [
            ("macula", ["macula", "fovea", "macular", "maculacentred", "maculacentered", "makula"]),
            ("disc", ["disc", "disk", "opticdisc", "opticdisk", "onh", "papille", "disccentred", "disccentered"]),
        ],
        "quality": [
            ("good", ["good", "adequate", "gut", "gradable"]), ("usable", ["usable", "acceptable", "fair"]),
            ("reject", ["reject", "inadequate", "bad", "poor", "ungradable", "schlecht"]),
        ],
    ]

    /// Small letters and digits alone, without accents.
    static func simple(_ text: String) -> String {
        text.lowercased().decomposedStringWithCanonicalMapping.unicodeScalars.reduce(into: "") {
            if $1.properties.isAlphabetic || $1.properties.numericType != nil { $0.unicodeScalars.append($1) }
        }
    }
}
