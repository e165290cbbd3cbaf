import Cohorts
import Diffusion
import Foundation
import TensorCore
import Testing

@Suite struct CohortEncodingTests {
    @Test func gradesStandOnALine() {
        let encoding = CohortEncoding(attributes: ["dr_icdr"])
        #expect(encoding.problem == nil)
        // null, unknown, origin, direction, ungradable.
        #expect(encoding.rowCount == 5)
        func row(_ value: CohortEncoding.Value) -> [Float] { encoding.coefficients([[value]]).elements }
        #expect(row(.null) == [1, 0, 0, 0, 0])
        #expect(row(.unknown) == [0, 1, 0, 0, 0])
        #expect(row(.code(0)) == [0, 0, 1, -1, 0])
        #expect(row(.code(4)) == [0, 0, 1, 1, 0])
        #expect(row(.code(5)) == [0, 0, 0, 0, 1])
        #expect(row(.position(2.5)) == [0, 0, 1, 0.25, 0])
    }

    @Test func attributesHaveRowsOfTheirOwn() {
        let encoding = CohortEncoding(attributes: ["sex", "dme"])
        #expect(encoding.rowCount == 5 + 4)
        let both = encoding.coefficients([[.code(1), .code(1)], [.null, .unknown]]).elements
        #expect(both == [0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0])
    }

    /// Cameras, sites and ethnicities have the names that the data declared.
    @Test func openAttributesHaveTheirDatasNames() throws {
        let encoding = CohortEncoding(attributes: ["camera", "sex"], openNames: ["camera": ["a", "b"]])
        #expect(encoding.rowCount == 4 + 5)
        #expect(encoding.coefficients([[.code(1), .null]]).elements == [0, 0, 0, 1, 1, 0, 0, 0, 0])
        let again = try JSONDecoder().decode(CohortEncoding.self, from: JSONEncoder().encode(encoding))
        #expect(again == encoding)
        let old = try JSONDecoder().decode(CohortEncoding.self, from: Data(#"{"attributes":["sex"]}"#.utf8))
        #expect(old == CohortEncoding(attributes: ["sex"]))
    }

    @Test(arguments: [
        (#"{"attributes":["camera"]}"#, "openNames.camera"),
        (#"{"attributes":["sex"],"openNames":{"sex":["f"]}}"#, "openNames.sex"),
        (#"{"attributes":["shoe size"]}"#, "attributes"), (#"{"attributes":["sex","sex"]}"#, "occurs twice"),
        (#"{"attributes":["camera"],"openNames":{"camera":["a","a"]}}"#, "openNames.camera"),
        (#"{"attributes":["sex"],"openNames":{"camera":["a"]}}"#, "openNames.camera"),
    ])
    func encodingsThatMakeNoSenseAreNamed(_ json: String, _ says: String) throws {
        let encoding = try JSONDecoder().decode(CohortEncoding.self, from: Data(json.utf8))
        #expect(encoding.problem?.contains(says) == true, "\(encoding.problem ?? "none")")
    }

    @Test func pixelsReturn() {
        let pixels = (0...255).map { UInt8($0) }
        let encoded = pixels.map { PixelValues.encoded($0) }
        #expect((encoded[0], encoded[255]) == (-1, 1))
        #expect(PixelValues.decoded(Tensor(encoded, shape: [256])) == pixels)
        #expect(PixelValues.decoded(Tensor([-9, 9, .nan], shape: [3])) == [0, 255, 0])
    }
}
