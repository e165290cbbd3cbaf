import Files
import Foundation
import Networks
import TensorCore
import TestTensors
import Testing

/// Low-rank adapters: the frozen factor, sizes, gradients, and what averaging over sites gives.
@Suite struct AdapterTests {
    private struct Golden: Decodable {
        struct Case: Decodable {
            let base, path, seed: String
            let count, length: Int
            let bits: [UInt32]
        }
        let cases: [Case]
    }

    /// The same bits as another implementation of the description (Tools/reference/adapter_factor.py).
    @Test func frozenFactorsAreTheSameEverywhere() throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Fixtures/adapter_factors.json")
        let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
        #expect(golden.cases.count == 3)
        for c in golden.cases {
            let bytes = stride(from: 0, to: 64, by: 2).compactMap { UInt8(c.base.dropFirst($0).prefix(2), radix: 16) }
            let base = try #require(Digest(bytes: bytes))
            let seed = FrozenFactor.seed(baseDigest: base, path: c.path)
            #expect(String(seed) == c.seed)
            let vectors = FrozenFactor.vectors(seed: seed, count: c.count, length: c.length)
            #expect(vectors.elements.map(\.bitPattern) == c.bits, "\(c.path)")
            // A vector does not depend on those after it.
            #expect(
                FrozenFactor.vectors(seed: seed, count: 2, length: c.length).elements
                    == Array(vectors.elements.prefix(2 * c.length)))
        }
    }

    @Test func frozenFactorsAreOrthonormal() {
        let (count, length) = (40, 90)
        let v = FrozenFactor.vectors(seed: 5, count: count, length: length).elements.map(Double.init)
        for i in 0..<count {
            for j in 0...i {
                let product = (0..<length).reduce(0) { $0 + v[i * length + $1] * v[j * length + $1] }
                #expect(abs(product - (i == j ? 1 : 0)) <= 3e-7, "\(i) and \(j): \(product)")
            }
        }
    }

    private func specifications(_ configuration: UNetConfiguration) -> [ParameterSpecification] {
        let registry = ParameterRegistry()
        _ = UNet(configuration, registry)
        return registry.specifications
    }

    private func size(_ specifications: [ParameterSpecification]) -> Int {
        specifications.reduce(0) { $0 + $1.shape.reduce(1, *) }
    }

    /// What a site shares is under 5 % of its base.
    @Test(arguments: [Preset.small, .base], AdapterKind.allCases)
    func adaptersAreSmall(_ preset: Preset, _ kind: AdapterKind) {
        let base = specifications(preset.configuration)
        let layout = AdapterLayout(AdapterConfiguration(kind: kind), base: base)
        #expect(Double(size(layout.specifications)) < 0.05 * Double(size(base)))
        #expect(Double(size(layout.specifications)) > 0.03 * Double(size(base)))
        #expect(
            layout.adapted.contains { $0.path.hasSuffix("to_v.weight") }
                && layout.adapted.contains { $0.path.hasSuffix("conv2.weight") })
    }

    private func tiny(_ kind: AdapterKind) -> (adaptation: Adaptation, base: ParameterMap) {
        let base = ParameterMap(specifications(Preset.tiny.configuration), seed: 1)
        return (
            Adaptation(AdapterConfiguration(kind: kind), base: base.specifications, baseDigest: Digest(of: [1, 2, 3])),
            base
        )
    }

    private func random(_ adaptation: Adaptation, seed: UInt64) -> Adapter {
        let parameters = adaptation.layout.specifications.enumerated().map { number, specification in
            randomTensor(specification.shape, seed: seed &* 1000 &+ UInt64(number), scale: 0.3)
        }
        return Adapter(adaptation, parameters: ParameterMap(adaptation.layout.specifications, tensors: parameters))
    }

    /// Averaging what sites share averages their weights: the reason for the frozen factor. With two trained factors it
    /// does not.
    @Test func averagingFrozenFactorsIsExact() {
        for kind in AdapterKind.allCases {
            let (adaptation, base) = tiny(kind)
            let sites = (1...3).map { random(adaptation, seed: UInt64($0)) }
            let weights = [0.5, 0.3, 0.2]
            let averaged = ParameterMap(
                adaptation.layout.specifications,
                tensors: adaptation.layout.specifications.indices.map { index in
                    zip(sites, weights).map { $0.parameters.tensors[index].scaled(by: Float($1)) }.reduce(.zeros([1])) {
                        $0 + $1
                    }
                    .reshaped(adaptation.layout.specifications[index].shape)
                })
            let merged = base.adding([(Adapter(adaptation, parameters: averaged), 1)])
            var difference = 0.0, size = 0.0
            for (number, tensor) in merged.tensors.enumerated() {
                let each = sites.map { base.adding([($0, 1)]).tensors[number].elements }
                for i in 0..<tensor.count {
                    let mean = zip(each, weights).reduce(0.0) { $0 + Double($1.0[i]) * $1.1 }
                    let start = Double(base.tensors[number].elements[i])
                    difference += pow(Double(tensor.elements[i]) - mean, 2)
                    size += pow(mean - start, 2)
                }
            }
            let relative = (difference / size).squareRoot()
            if kind == .ffa { #expect(relative <= 1e-6, "\(relative)") } else { #expect(relative > 0.3, "\(relative)") }
            // As a mixture both are exact.
            let mixture = base.adding(zip(sites, weights).map { ($0, $1) })
            let direct = relativeDifference(
                mixture.tensors.flatMap { $0.elements.map(Double.init) },
                merged.tensors.indices.flatMap { number in
                    let each = sites.map { base.adding([($0, 1)]).tensors[number].elements }
                    return each[0].indices.map { i in zip(each, weights).reduce(0.0) { $0 + Double($1.0[i]) * $1.1 } }
                })
            #expect(direct <= 1e-6, "\(kind): \(direct)")
        }
    }

    /// The gradient of B is that of the weight, seen through A; and what is trained is what is merged.
    @Test(arguments: AdapterKind.allCases)
    func gradientsReachTheAdapter(_ kind: AdapterKind) throws {
        let (adaptation, base) = tiny(kind)
        let adapter = random(adaptation, seed: 7)
        let tape = Tape()
        let bound = adapter.parameters.variables(on: tape)
        let network = adaptation.adapted(base: base, adapter: bound)
        let merged = base.adding([(adapter, 1)])
        expectSame(network.variables.map(\.tensor), merged.tensors)

        // A sum of all adapted weights, each with a number of its own.
        let layout = adaptation.layout
        let probes = layout.adapted.enumerated().map { randomTensor($1.shape, seed: 900 + UInt64($0)) }
        var total = Variable(.zeros([1]))
        for (parameter, probe) in zip(layout.adapted, probes) {
            let number = try #require(base.specifications.firstIndex { $0.path == parameter.path })
            let elements = network.variables[number] * Variable(probe)
            total =
                total
                + elements.reshaped([elements.tensor.count]).mean(axes: [0]).scaled(by: Float(elements.tensor.count))
        }
        let gradients = tape.gradients(of: total, for: bound.variables)
        for (number, specification) in layout.specifications.enumerated()
        where specification.path.hasSuffix("adapter_b") {
            // Central differences along the gradient; the function is linear in B.
            func value(_ step: Float) -> Double {
                var moved = adapter.parameters
                moved.tensors[number] = moved.tensors[number] + gradients[number].scaled(by: step)
                let weights = base.adding([(Adapter(adaptation, parameters: moved), 1)])
                return zip(layout.adapted, probes).reduce(0) { sum, pair in
                    let at = base.specifications.firstIndex { $0.path == pair.0.path } ?? 0
                    return sum
                        + zip(weights.tensors[at].elements, pair.1.elements).reduce(0.0) {
                            $0 + Double($1.0) * Double($1.1)
                        }
                }
            }
            let expected = gradients[number].sumOfSquares
            #expect(expected > 0)
            #expect(abs((value(0.5) - value(-0.5)) / expected - 1) <= 1e-3, "\(specification.path)")
        }
    }
}
