import Evaluation
import Phantoms
import Pictures
import Testing

/// What pyradiomics makes of the same planes; `Tools/reference/radiomic_features.py` wrote it.
private struct Reference: Decodable {
    struct Texture: Decodable {
        let width: Int, plane: [Double], inside: [Bool], binWidth: Double
        let features: [String: [String: Double]]
    }

    struct Wavelet: Decodable {
        let width: Int, plane: [Double], bands: [String: [Double]]
    }

    let textures: [Texture], wavelets: [Wavelet]

    static let all: Reference = fixture("radiomics.json")
    /// What pyradiomics calls the classes of the fixture.
    static let classes = [
        "firstOrder": "firstorder", "cooccurrence": "glcm", "runs": "glrlm", "zones": "glszm", "tones": "ngtdm",
    ]
}

/// Phantoms of eyes, one of each patient.
func phantoms(_ count: Int, seed: UInt64, size: Int = 64) -> PictureSet {
    guard let generator = try? PhantomGenerator(patients: count, size: size, seed: seed) else {
        fatalError("no phantoms")
    }
    return PictureSet(
        size: size, pixels: generator.phantoms(0..<count, threads: 2).flatMap(\.pixels), patients: Array(0..<count))
}

@Suite("Features of pictures") struct RadiomicFeatureTests {
    @Test("textures agree with pyradiomics", arguments: 0..<4)
    func textures(_ number: Int) throws {
        try #require(Reference.all.textures.count == 4)
        let reference = Reference.all.textures[number]
        let found = RadiomicFeatures.texture(
            reference.plane, isInside: reference.inside, width: reference.width, binWidth: reference.binWidth)
        let expected = reference.features.flatMap { family, features in
            features.map { ("\(Reference.classes[family] ?? "") \($0.key)", $0.value) }
        }
        #expect(expected.count == 76 && found.count == 76)
        let values = Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0.value) })
        for (name, value) in expected {
            // Relative, also for small numbers; the package adds 1e-16 to what it takes logarithms of.
            let difference = abs((values[name] ?? .nan) - value)
            #expect(difference <= 1e-6 * abs(value) + 1e-7, "\(name): \(values[name] ?? .nan), not \(value)")
        }
    }

    @Test("wavelet bands agree with pyradiomics", arguments: 0..<2)
    func wavelets(_ number: Int) throws {
        try #require(Reference.all.wavelets.count == 2)
        let reference = Reference.all.wavelets[number]
        let found = StationaryWavelet.bands(reference.plane, width: reference.width)
        #expect(Set(found.map(\.name)) == ["LL", "LH", "HL", "HH"])
        for (name, plane) in found {
            let expected = try #require(reference.bands[name])
            #expect(
                plane.count == expected.count && zip(plane, expected).allSatisfy { isNear($0, $1, 1e-9) }, "\(name)")
        }
    }

    @Test("every picture has features, with a name each", arguments: [32, 45, 64])
    func names(_ size: Int) {
        let colours: [(UInt8, UInt8, UInt8)] = [(0, 0, 0), (255, 255, 255), (90, 40, 20)]
        let plain = colours.map { Picture(width: size, height: size, red: $0.0, green: $0.1, blue: $0.2) }
        var dot = plain[0]
        dot[size / 2, size / 2] = SIMD3(255, 255, 255)
        let pictures = PictureSet(plain + [dot], size: size, patients: [0, 1, 2, 3])
        for (rows, names) in [
            (RadiomicFeatures.rows(pictures), RadiomicFeatures.names),
            (RetinaFeatures.rows(pictures), RetinaFeatures.names(size: size)),
        ] {
            #expect(rows.count == 4 && rows.width == names.count && Set(names).count == names.count)
            #expect(rows.elements.allSatisfy { $0.isFinite })
        }
    }

    @Test("a picture's features do not depend on the other pictures, and tell blur")
    func pictures() {
        let set = phantoms(6, seed: 3)
        for features in [RadiomicFeatures.rows, RetinaFeatures.rows] {
            let all = features(set), turned = features(set.selecting([5, 4, 3, 2, 1, 0]))
            for row in 0..<6 {
                let (from, to) = (row * all.width, (5 - row) * all.width)
                #expect(all.elements[from..<from + all.width] == turned.elements[to..<to + all.width])
            }
            #expect(all.elements[0..<all.width] != all.elements[all.width..<2 * all.width])
        }
        let place = RadiomicFeatures.names.firstIndex(of: "HH firstorder Variance") ?? -1
        let sharp = RadiomicFeatures.rows(set), soft = RadiomicFeatures.rows(blurred(set))
        for row in 0..<6 {
            #expect(soft.elements[row * soft.width + place] < 0.5 * sharp.elements[row * sharp.width + place])
        }
    }
}

/// Each picture shrunk to half and enlarged again.
func blurred(_ set: PictureSet) -> PictureSet { set.resized(to: set.size / 2).resized(to: set.size) }
