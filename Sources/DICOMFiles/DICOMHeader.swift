import Cohorts
import Files

/// What is taken from the header of a DICOM file. This list is closed: nothing else of a header leaves this module, but
/// for the pixels.
package struct DICOMHeader: Sendable, Equatable, Codable {
    /// The patient's ID (0010,0020), with its issuer (0010,0021) if there is one, as `ID^^^ISSUER`.
    package let patient: String?
    /// Values of the cohort schema: `laterality`, `camera`, `age_band`, `sex`, and `field`. What the header does not
    /// clearly say is missing.
    package let cohort: Cohort
    /// Whether the file says that it is synthetic (0008,001C).
    package let isSynthetic: Bool
    /// Whether the file says that a dye was given (0018,0010), so that it is an angiogram.
    package let isAngiogram: Bool
    /// Whether the file says that letters that name the patient are written into the picture (0028,0301).
    package let isAnnotated: Bool

    init(_ file: DICOMDataSet) {
        let id = file.text(Tag.patientID).flatMap(PatientName.plain)
        patient = id.map { id in file.text(Tag.issuerOfPatientID).map { "\(id)^^^\($0)" } ?? id }
        isSynthetic = file.text(Tag.syntheticData)?.uppercased() == "YES"
        isAngiogram =
            file.text(Tag.contrastAgent) != nil
            || file.text(Tag.contrastAgentSequence, Tag.codeValue) != nil
        isAnnotated = file.text(Tag.burnedInAnnotation)?.uppercased() == "YES"
        var cohort = Cohort()
        cohort["laterality"] = DICOMHeader.laterality(file)
        cohort["camera"] = DICOMHeader.camera(file)
        cohort["age_band"] = DICOMHeader.age(file).flatMap { CohortSchema.attribute("age_band")?.band($0) }
        cohort["sex"] = ["F": "female", "M": "male", "O": "other"][file.text(Tag.sex)?.uppercased() ?? ""]
        cohort["field"] = DICOMHeader.field(file)
        self.cohort = cohort
    }

    private enum Tag {
        static let syntheticData: UInt32 = 0x0008_001C
        static let studyDate: UInt32 = 0x0008_0020
        static let acquisitionDate: UInt32 = 0x0008_0022
        static let contentDate: UInt32 = 0x0008_0023
        static let acquisitionDateTime: UInt32 = 0x0008_002A
        static let manufacturer: UInt32 = 0x0008_0070
        static let codeValue: UInt32 = 0x0008_0100
        static let codingScheme: UInt32 = 0x0008_0102
        static let model: UInt32 = 0x0008_1090
        static let anatomicRegion: UInt32 = 0x0008_2218
        static let patientID: UInt32 = 0x0010_0020
        static let issuerOfPatientID: UInt32 = 0x0010_0021
        static let birthDate: UInt32 = 0x0010_0030
        static let sex: UInt32 = 0x0010_0040
        static let age: UInt32 = 0x0010_1010
        static let contrastAgent: UInt32 = 0x0018_0010
        static let contrastAgentSequence: UInt32 = 0x0018_0012
        static let laterality: UInt32 = 0x0020_0060
        static let imageLaterality: UInt32 = 0x0020_0062
        static let relativePosition: UInt32 = 0x0022_001D
        static let burnedInAnnotation: UInt32 = 0x0028_0301
    }

    /// The eye of this picture, or else that of its series. B (both) says nothing of one photograph.
    private static func laterality(_ file: DICOMDataSet) -> String? {
        (file.text(Tag.imageLaterality) ?? file.text(Tag.laterality)).flatMap {
            ["L": "left", "R": "right"][$0.uppercased()]
        }
    }

    /// The maker and the model; the maker alone says too little.
    private static func camera(_ file: DICOMDataSet) -> String? {
        guard let model = file.text(Tag.model)?.tidy else { return nil }
        guard let maker = file.text(Tag.manufacturer)?.tidy, !model.lowercased().hasPrefix(maker.lowercased()) else {
            return model
        }
        return "\(maker) \(model)"
    }

    /// The age in whole years: as stated, such as `045Y`, or from the date of birth and the date of the photograph.
    private static func age(_ file: DICOMDataSet) -> Int? {
        if let years = file.text(Tag.age).flatMap(AgeText.years) { return years.lowerBound }
        let dates = [Tag.acquisitionDateTime, Tag.acquisitionDate, Tag.contentDate, Tag.studyDate]
        guard let born = file.text(Tag.birthDate).flatMap(day),
            let taken = dates.lazy.compactMap({ file.text($0).flatMap(day) }).first
        else { return nil }
        // Days as numbers: the last four digits of the difference are months and days.
        let years = (taken - born) / 10_000
        return taken >= born && years <= 130 ? years : nil
    }

    /// A day as the number YYYYMMDD; nil if `text` does not begin with one. Old files write YYYY.MM.DD.
    private static func day(_ text: String) -> Int? {
        let digits = text.filter { $0 != "." }.prefix(8)
        guard digits.count == 8, digits.allSatisfy({ ("0"..."9").contains($0) }), let day = Int(digits),
            day >= 1800_01_01, (1...12).contains(day / 100 % 100), (1...31).contains(day % 100)
        else { return nil }
        return day
    }

    /// What lies in the middle: by the position of the picture (CID 4207), or else by its anatomic region (CID 4209).
    private static func field(_ file: DICOMDataSet) -> String? {
        let position = file.text(Tag.relativePosition, Tag.codeValue)
        switch (file.text(Tag.relativePosition, Tag.codingScheme), position) {
        case ("DCM", "111900"): return "macula"
        case ("DCM", "111901"): return "disc"
        case (_, .some): return nil
        case (_, nil): break
        }
        // The code of the whole retina says nothing of the field.
        switch file.text(Tag.anatomicRegion, Tag.codeValue) {
        case "67046006", "82859000", "T-AA621": return "macula"
        case "81016008", "T-AA630": return "disc"
        default: return nil
        }
    }
}

extension String {
    /// The text on one line, as a name of a camera is shown.
    fileprivate var tidy: String? {
        let words = printable.split(separator: " ")
        return words.isEmpty ? nil : words.joined(separator: " ")
    }
}
