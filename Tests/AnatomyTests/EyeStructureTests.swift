import Anatomy
import Phantoms
import Pictures
import Testing

/// Maps of structures that are read from pictures whose structures are known.
@Suite struct EyeStructureTests {
    /// The overlap of two maps: twice what both have, divided by what each has.
    private static func dice(_ found: [UInt8], _ known: [UInt8]) -> Double {
        let (a, b) = (found.map { $0 > 127 }, known.map { $0 > 127 })
        let both = zip(a, b).count { $0 && $1 }, each = a.count { $0 } + b.count { $0 }
        return each == 0 ? 1 : 2 * Double(both) / Double(each)
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    @Test(arguments: [(256, 0.75), (128, 0.5), (512, 0.6)])
    func `structures are where the phantom has them`(side: Int, vessels: Double) throws {
        let phantoms = try PhantomGenerator(patients: 24, size: side, seed: 9).phantoms(0..<12, threads: 2)
        let names: [EyeStructure] = [.vessels, .opticDisc, .opticCup, .macula]
        let maps = EyeStructure.maps(names, of: phantoms.flatMap(\.pixels), side: side), area = side * side
        #expect(maps.map(\.count) == names.map { _ in 12 * area })
        let found = names.indices.map { place in
            EyeStructureTests.median(
                phantoms.indices.map { number in
                    let masks = phantoms[number].masks
                    let known = [masks.vessels, masks.opticDisc, masks.opticCup, masks.macula][place]
                    return EyeStructureTests.dice(Array(maps[place][number * area..<(number + 1) * area]), known)
                })
        }
        #expect(found[0] > vessels && found[1] > 0.9 && found[2] > 0.75 && found[3] > 0.75, "\(found)")
    }

    @Test func `lesions are where the phantom has them`() throws {
        let phantoms = try PhantomGenerator(patients: 40, size: 256, seed: 9).phantoms(0..<30, threads: 2)
            .filter { $0.masks.lesions.count { $0 > 0 } > 1000 }
        try #require(phantoms.count > 2)
        let maps = EyeStructure.maps([.brightLesions, .darkLesions], of: phantoms.flatMap(\.pixels), side: 256)
        for (number, phantom) in phantoms.enumerated() {
            let rows = number * 65536..<(number + 1) * 65536
            let found = zip(maps[0][rows], maps[1][rows]).map { max($0, $1) }, known = phantom.masks.lesions
            let right = zip(found, known).count { $0 > 127 && $1 > 0 }, all = found.count { $0 > 127 }
            #expect(Double(right) > 0.5 * Double(all) && right > 200, "\(right) of \(all) in phantom \(number)")
        }
        // Bright ones are brighter than dark ones, in green.
        let green = phantoms.flatMap(\.pixels).enumerated().filter { $0.offset % 3 == 1 }.map { Double($0.element) }
        let light = maps.map { map in
            let own = map.indices.filter { map[$0] > 127 }
            return own.reduce(0) { $0 + green[$1] } / Double(max(1, own.count))
        }
        #expect(light[0] > 1.3 * light[1] && light[1] > 0, "\(light)")
    }

    @Test func `where no eye is nothing is found, and a picture does not depend on those beside it`() throws {
        let phantom = try PhantomGenerator(patients: 2, size: 128, seed: 4).phantoms(0..<1, threads: 1)[0]
        let black = [UInt8](repeating: 0, count: 3 * 128 * 128), all = EyeStructure.allCases
        let two = EyeStructure.maps(all, of: black + phantom.pixels, side: 128)
        let one = EyeStructure.maps(all, of: phantom.pixels, side: 128)
        for place in all.indices {
            #expect(two[place].prefix(128 * 128).allSatisfy { $0 == 0 })
            #expect(Array(two[place].suffix(128 * 128)) == one[place])
        }
    }
}
