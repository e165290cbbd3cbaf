import Cohorts
import Files
import Support
import Testing

/// Maps that take values from the headers of DICOM files.
@Suite struct HeaderMapTests {
    private func map(_ text: String) throws -> LabelMap { try LabelMap(yaml: text, name: "map.yaml") }

    @Test func `the shipped map takes all that a header can give, and needs no table`() throws {
        let map = try ShippedMap("dicom").map()
        #expect(!map.readsTable && map.patient == .header)
        #expect(map.attributes.map(\.attribute.name).sorted() == LabelMap.headerAttributes.sorted())
        #expect(map.attributes.allSatisfy { $0.source == .header })
    }

    @Test func `a map may take the patient from the header and the rest from a table`() throws {
        let map = try map(
            """
            source: dicom
            file: {column: f}
            patient: {header: true}
            attributes: {sex: {header: true}, dme: {column: d, codes: {"1": "1"}}}
            """)
        #expect(map.readsTable && map.patient == .header)
        let labels = try map.labels(in: LabelMapTable("f,d\na.dcm,1\n", name: "t.csv"))
        #expect(labels["a.dcm"]?.cohort.values == ["dme": "1"] && labels["a.dcm"]?.patient == nil)
    }

    @Test func `what a header cannot give is refused, and so is a map that does not say where it reads`() {
        func expect(_ sentence: String, _ text: String) { expectFailure(.badData, sentence) { try map(text) } }
        expect("attributes.dme.header: expected one of age_band", "source: dicom\nattributes: {dme: {header: true}}")
        expect("source: expected dicom, since", "attributes: {sex: {header: true}}")
        expect("source: expected dicom, found \"exif\"", "source: exif\npatient: {header: true}")
        expect("found nothing from the header", "source: dicom\nfile: {column: f}")
        expect("sex.header: expected true", "source: dicom\nattributes: {sex: {header: yes please}}")
        expect("header as the only key", "source: dicom\npatient: {header: true, column: p}")
        expect("header as the only key", "source: dicom\nattributes: {sex: {header: true, codes: {F: female}}}")
    }
}
