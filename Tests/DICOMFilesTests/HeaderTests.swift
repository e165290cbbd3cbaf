import DICOMFiles
import Pictures
import Support
import TestPictures
import Testing

@Suite("Headers of DICOM files")
struct HeaderTests {
    /// The header of a file that has these elements besides those of the picture.
    private func header(_ elements: [UInt32: DICOMBuilder.Value]) throws -> DICOMHeader {
        var file = DICOMBuilder(Picture(width: 8, height: 6, red: 200))
        file.elements.merge(elements) { $1 }
        return try DICOMFile(file.bytes, name: "a.dcm").header
    }

    private func value(_ attribute: String, _ texts: [UInt32: String]) throws -> String? {
        try header(texts.mapValues { .text($0) }).cohort[attribute]
    }

    @Test("a header that says nothing gives nothing")
    func nothing() throws {
        let header = try header([:])
        #expect(header.patient == nil && header.cohort.values.isEmpty)
        #expect(!header.isSynthetic && !header.isAngiogram)
    }

    @Test("the eye of the picture goes before that of the series; both eyes are unknown")
    func laterality() throws {
        #expect(try value("laterality", [0x0020_0062: "R", 0x0020_0060: "L"]) == "right")
        #expect(try value("laterality", [0x0020_0060: "L"]) == "left")
        #expect(try value("laterality", [0x0020_0062: "B", 0x0020_0060: "L"]) == nil)
    }

    @Test("ages as stated, and from dates")
    func ages() throws {
        #expect(try value("age_band", [0x0010_1010: "045Y"]) == "40-49")
        #expect(try value("age_band", [0x0010_1010: "011M"]) == "0-9")
        #expect(try value("age_band", [0x0010_1010: "093Y"]) == "80+")
        let born: UInt32 = 0x0010_0030, study: UInt32 = 0x0008_0020
        #expect(try value("age_band", [born: "19800615", study: "20200614"]) == "30-39")
        #expect(try value("age_band", [born: "19800615", study: "20200615"]) == "40-49")
        #expect(try value("age_band", [born: "1980.06.15", 0x0008_002A: "20200615101112.5+0100"]) == "40-49")
        // The photograph's own date goes before that of the study.
        #expect(try value("age_band", [born: "19800615", study: "20300101", 0x0008_0022: "20200614"]) == "30-39")
        for wrong in ["19801315", "1980", "unknown", "20210101"] {
            #expect(try value("age_band", [born: wrong, study: "20200614"]) == nil, "\(wrong)")
        }
    }

    @Test("maker and model, and the model alone where it names the maker")
    func camera() throws {
        #expect(
            try value("camera", [0x0008_0070: "TOPCON ", 0x0008_1090: " TRC-NW8F  plus"]) == "TOPCON TRC-NW8F plus")
        #expect(try value("camera", [0x0008_0070: "Canon", 0x0008_1090: "Canon CR-2"]) == "Canon CR-2")
        #expect(try value("camera", [0x0008_0070: "Canon"]) == nil)
    }

    @Test("sex, where it is stated")
    func sex() throws {
        #expect(try value("sex", [0x0010_0040: "F"]) == "female")
        #expect(try value("sex", [0x0010_0040: "M"]) == "male")
        #expect(try value("sex", [0x0010_0040: "O"]) == "other")
        #expect(try value("sex", [0x0010_0040: "U"]) == nil)
    }

    @Test("the field, by the position of the picture or its region")
    func field() throws {
        func coded(_ tag: UInt32, _ scheme: String, _ code: String) -> [UInt32: DICOMBuilder.Value] {
            [tag: .sequence([0x0008_0100: .text(code, vr: "SH"), 0x0008_0102: .text(scheme, vr: "SH")])]
        }
        let position: UInt32 = 0x0022_001D, region: UInt32 = 0x0008_2218
        #expect(try header(coded(position, "DCM", "111900")).cohort["field"] == "macula")
        #expect(try header(coded(position, "DCM", "111901")).cohort["field"] == "disc")
        #expect(try header(coded(region, "SCT", "81016008")).cohort["field"] == "disc")
        #expect(try header(coded(region, "SRT", "T-AA621")).cohort["field"] == "macula")
        #expect(try header(coded(region, "SRT", "T-AA610")).cohort["field"] == nil)
        let between = coded(position, "DCM", "111903").merging(coded(region, "SCT", "81016008")) { $1 }
        #expect(try header(between).cohort["field"] == nil)
    }

    @Test("patients are told apart by the issuer, too; a name that stands for nobody is none")
    func patients() throws {
        #expect(try header([0x0010_0020: .text("17")]).patient == "17")
        #expect(try header([0x0010_0020: .text("17"), 0x0010_0021: .text("B")]).patient == "17^^^B")
        #expect(try header([0x0010_0020: .text("ANONYMOUS")]).patient == nil)
        #expect(try header([0x0010_0020: .text(" ")]).patient == nil)
    }

    @Test("texts are read in the character set that the file names")
    func characters() throws {
        var file = DICOMBuilder(Picture(width: 8, height: 6))
        file.elements[0x0008_0005] = .text("ISO_IR 100", vr: "CS")
        file.elements[0x0010_0020] = .text("M_ller")
        var bytes = file.bytes
        let position = try #require(bytes.firstRange(of: Array("M_ller".utf8))?.lowerBound)
        bytes[position + 1] = 0xFC
        #expect(try DICOMFile(bytes, name: "a.dcm").header.patient == "M\u{FC}ller")
    }

    @Test("synthetic pictures and angiograms say so")
    func marks() throws {
        #expect(try header([0x0008_001C: .text("YES", vr: "CS")]).isSynthetic)
        #expect(try !header([0x0008_001C: .text("NO", vr: "CS")]).isSynthetic)
        #expect(try header([0x0018_0010: .text("Fluorescein")]).isAngiogram)
    }
}
