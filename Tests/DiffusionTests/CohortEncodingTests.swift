import Cohorts
import Diffusion
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

    @Test func storedCodes() {
        #expect(CohortEncoding.value(code: Attribute.unknown) == .unknown)
        #expect(CohortEncoding.value(code: Attribute.unspecified) == .null)
        #expect(CohortEncoding.value(code: 3) == .code(3))
    }

    @Test func pixelsReturn() {
        let pixels = (0...255).map { UInt8($0) }
        let encoded = pixels.map { PixelSpace.encoded($0) }
        #expect((encoded[0], encoded[255]) == (-1, 1))
        #expect(PixelSpace.decoded(Tensor(encoded, shape: [256])) == pixels)
        #expect(PixelSpace.decoded(Tensor([-9, 9, .nan], shape: [3])) == [0, 255, 0])
    }
}
