import CheckpointStore
import Consortium
import Federation
import Files
import Foundation
import Models
import Networks
import TensorCore
import TestTensors
import Testing
import Training

/// What comes out of a merge, against plain float64 arithmetic.
@Suite struct MergeTests {
    let federation: TestFederation
    init() throws { federation = try TestFederation() }

    private let sizes = ["aachen": 40, "bonn": 100, "celle": 10]

    private func parcels(_ weights: TestFederation.Weights) throws -> [String] {
        try sizes.sorted { $0.key < $1.key }.map { try federation.parcel($0.key, weights, patients: $0.value) }
    }

    private func stored(_ path: String) throws -> [String: Tensor] { try ModelFile.read(path).file.tensors }
    private func doubles(_ tensor: Tensor) -> [Double] { tensor.elements.map(Double.init) }

    /// [rows, inner] [inner, columns], entry by entry.
    private func product(_ a: Tensor, _ b: Tensor) -> [Double] {
        let rows = a.shape[0], inner = a.shape[1], columns = b.shape[1], x = doubles(a), y = doubles(b)
        var result = [Double](repeating: 0, count: rows * columns)
        for r in 0..<rows {
            for c in 0..<columns {
                for k in 0..<inner { result[r * columns + c] += x[r * inner + k] * y[k * columns + c] }
            }
        }
        return result
    }

    /// Every adapted parameter of a merge is the base plus the sum of share x A B.
    private func expectSum(
        _ merged: ParameterMap, _ kind: AdapterKind, _ files: [(share: Double, tensors: [String: Tensor])],
        within tolerance: Double
    ) {
        let adaptation = federation.adaptation(kind), base = federation.base.parameters
        var adapted = 0
        for (index, parameter) in adaptation.layout.adapted.enumerated() {
            guard let number = base.specifications.firstIndex(where: { $0.path == parameter.path }) else { continue }
            var difference = [Double](repeating: 0, count: parameter.rows * parameter.columns)
            for file in files {
                let names = adaptation.names(index)
                guard let b = file.tensors[names.b],
                    let a = names.a.flatMap({ file.tensors[$0] }) ?? adaptation.frozenFactor(index)
                else {
                    Issue.record("\(parameter.path): no factors")
                    return
                }
                for (i, value) in (parameter.rows >= parameter.columns ? product(a, b) : product(b, a)).enumerated() {
                    difference[i] += file.share * value
                }
            }
            let found = zip(doubles(merged.tensors[number]), doubles(base.tensors[number])).map { $0 - $1 }
            let whole = zip(doubles(base.tensors[number]), difference).map { $0 + $1 }
            #expect(relativeDifference(doubles(merged.tensors[number]), whole) <= 1e-7, "\(parameter.path)")
            // The difference itself, which is a hundred times smaller than the weights.
            #expect(relativeDifference(found, difference) <= tolerance, "\(parameter.path)")
            adapted += 1
        }
        #expect(adapted == adaptation.layout.adapted.count && adapted > 5)
        for (number, specification) in base.specifications.enumerated()
        where !adaptation.layout.adapted.contains(where: { $0.path == specification.path }) {
            #expect(merged.tensors[number].elements == base.tensors[number].elements, "\(specification.path)")
        }
    }

    @Test func theMeanOfFrozenFactorAdaptersIsExact() throws {
        let paths = try parcels(.ffa)
        let merge = try federation.merge(paths)
        let expected: [Double] = [40 / 150, 100 / 150, 10 / 150]
        #expect(merge.shares == expected)
        expectSum(
            try merge.merged().parameters, .ffa, try zip(merge.shares, paths).map { ($0, try stored($1)) }, within: 2e-5
        )
    }

    /// Averaged B against float64: 1e-6 of the difference itself, where no base is added.
    @Test func whatIsAveragedIsExactBeforeItIsAdded() throws {
        let paths = try parcels(.ffa), merge = try federation.merge(paths), files = try paths.map(stored)
        let merged = try averaged(merge)
        #expect(merged.count == files[0].count)
        for (name, tensor) in merged {
            var expected = [Double](repeating: 0, count: tensor.count)
            for (share, file) in zip(merge.shares, files) {
                for (i, value) in doubles(try #require(file[name])).enumerated() { expected[i] += share * value }
            }
            #expect(relativeDifference(doubles(tensor), expected) <= 1e-7, "\(name)")
        }
    }

    /// The adapters' own tensors, merged by the merge's rule.
    private func averaged(_ merge: ModelMerge) throws -> [String: Tensor] {
        let base = MergeBase(
            path: "", digest: federation.base.digest, kind: .adapter, shapes: [:], reference: nil, norm: 1, merges: [],
            permissions: nil)
        return try TensorMerge(merge.admission, base: base, settings: merge.settings, shares: merge.shares).merged()
    }

    @Test func theMeanOfFullWeightsIsExact() throws {
        let paths = try parcels(.full),
            merge = try federation.merge(paths, federation.settings { $0.weighting = .images }),
            files = try paths.map(stored)
        let third = 1.0 / 3
        #expect(merge.shares == [third, third, third])
        let merged = try merge.merged().parameters.fileTensors()
        #expect(merged.count == files[0].count)
        for (name, tensor) in merged {
            let all = try files.map { doubles(try #require($0[name])) }
            let expected = (0..<tensor.count).map { i in all.reduce(0) { $0 + $1[i] } / 3 }
            #expect(relativeDifference(doubles(tensor), expected) <= 1e-7, "\(name)")
        }
    }

    @Test func stackingIsExactWhereBothFactorsWereTrained() throws {
        let paths = try parcels(.lora), merge = try federation.merge(paths, federation.settings(.stack))
        expectSum(
            try merge.merged().parameters, .lora, try zip(merge.shares, paths).map { ($0, try stored($1)) },
            within: 5e-3)
        // The same through frozen factors.
        let frozen = try parcels(.ffa)
        let stacked = try federation.merge(frozen, federation.settings(.stack)).merged().parameters,
            mean = try federation.merge(frozen).merged().parameters
        #expect(stacked.tensors.count == mean.tensors.count)
        for (a, b) in zip(stacked.tensors, mean.tensors) { #expect(relativeDifference(doubles(a), doubles(b)) <= 1e-7) }
    }

    @Test func plainAveragingOfBothFactorsIsRefusedWithItsError() throws {
        let paths = try ["aachen", "bonn", "celle", "dresden"].map {
            try federation.parcel($0, .lora, tensors: federation.tensors(.lora, seed: UInt64($0.utf8.first ?? 0)))
        }
        let failure = try #require(throws: Failure.self) {
            try federation.merge(paths, federation.settings { $0.weighting = .equal })
        }
        #expect(failure.kind == .usage)
        let number = try #require(
            failure.sentence.firstMatch(of: /its error would be ([0-9.e-]+) of the whole difference/)
        ).1
        // Half of each factor is shared: the mean of A B is (1 + 1/4) parts, the product of means (1 + 1/16 + ...) of
        // them.
        let error = try #require(Double(number))
        #expect(error > 0.2 && error < 1)
        // Independent factors: sqrt((N - 1) / N) of four sites.
        let independent = try ["aachen", "bonn", "celle", "dresden"].enumerated().map { place, site in
            let layout = federation.adaptation(.lora).layout.specifications
            let own = Dictionary(
                uniqueKeysWithValues: layout.enumerated().map {
                    ($1.path, randomTensor($1.shape, seed: UInt64(10_000 * place + $0), scale: 0.1))
                })
            return try federation.parcel(site, .lora, tensors: own)
        }
        let refused = try #require(throws: Failure.self) {
            try federation.merge(independent, federation.settings { $0.weighting = .equal })
        }
        let text = try #require(refused.sentence.firstMatch(of: /would be ([0-9.e-]+) of/)).1
        let found = try #require(Double(text)), theory = (3.0 / 4).squareRoot()
        #expect(abs(found - theory) < 0.05)
    }

    @Test func svdStatesWhatItLeavesOut() throws {
        let one = try federation.merge([try federation.parcel("aachen", .lora)], federation.settings(.svd)).merged()
        // One adapter is of its own rank: nothing is left out.
        #expect(try #require(one.residual) < 1e-7)
        let paths = try parcels(.lora), merge = try federation.merge(paths, federation.settings(.svd)),
            whole = try federation.merge(paths, federation.settings(.stack)).merged().parameters
        let (cut, residual) = try merge.merged()
        // Stated against measured, over all adapted parameters.
        let base = federation.base.parameters.tensors
        var left = 0.0, all = 0.0
        try #require(whole.tensors.map(\.shape) == base.map(\.shape) && cut.tensors.map(\.shape) == base.map(\.shape))
        for i in base.indices {
            for ((a, b), c) in zip(zip(doubles(whole.tensors[i]), doubles(cut.tensors[i])), doubles(base[i])) {
                left += (a - b) * (a - b)
                all += (a - c) * (a - c)
            }
        }
        let stated = try #require(residual)
        #expect(stated > 0.05 && stated < 1)
        let measured = (left / all).squareRoot(), kept = squaredShare(cut, base, all)
        #expect(abs(stated - measured) < 1e-3 * stated)
        // No rank-one change of what is left can be better: the cut is orthogonal to it.
        let pythagoras = abs(stated * stated + kept - 1)
        #expect(pythagoras < 1e-3)
    }

    private func squaredShare(_ cut: ParameterMap, _ base: [Tensor], _ all: Double) -> Double {
        var sum = 0.0
        for (a, b) in zip(cut.tensors, base) {
            for (x, y) in zip(doubles(a), doubles(b)) { sum += (x - y) * (x - y) }
        }
        return sum / all
    }

    @Test func theOrderOfTheParcelsChangesNothing() throws {
        let names = ["aachen", "bonn", "celle", "dresden", "essen"]
        for weights in [TestFederation.Weights.ffa, .full] {
            let paths = try names.enumerated().map { try federation.parcel($1, weights, patients: 10 + 35 * $0) }
            for rule in [MergeRecord.Rule.mean, .median, .trimmedMean] {
                let a = federation.folder.file("a.safetensors"), b = federation.folder.file("b.safetensors")
                _ = try federation.merge(paths, federation.settings(rule)).write(
                    a, key: federation.coordinator, force: true)
                for order in [[4, 2, 0, 1, 3], [1, 0, 3, 4, 2]] {
                    _ = try federation.merge(order.map { paths[$0] }, federation.settings(rule)).write(
                        b, key: federation.coordinator, force: true)
                    #expect(try Digest(ofFile: a) == Digest(ofFile: b), "\(weights) \(rule)")
                }
            }
        }
    }

    @Test func medianAndTrimmedMeanAreCoordinateByCoordinate() throws {
        let names = ["aachen", "bonn", "celle", "dresden"]
        for weights in [TestFederation.Weights.ffa, .full] {
            let paths = try names.map { try federation.parcel($0, weights) }, files = try paths.map(stored)
            for (rule, trim) in [(MergeRecord.Rule.median, 0.2), (.trimmedMean, 0.25)] {
                let merge = try federation.merge(paths, federation.settings(rule) { $0.trim = trim })
                #expect(merge.shares == [0.25, 0.25, 0.25, 0.25])
                let found = try weights == .full ? merge.merged().parameters.fileTensors() : averaged(merge)
                for (name, tensor) in found {
                    let all = try files.map { doubles(try #require($0[name])) }
                    // Of four numbers both rules leave the mean of the two in the middle.
                    let expected = (0..<tensor.count).map { i in
                        let sorted = all.map { $0[i] }.sorted()
                        return (sorted[1] + sorted[2]) / 2
                    }
                    #expect(relativeDifference(doubles(tensor), expected) <= 1e-7, "\(name)")
                }
            }
        }
    }

    @Test func clippingBringsLargeUpdatesDown() throws {
        var paths = try ["aachen", "bonn", "celle"].map { try federation.parcel($0, .full) }
        paths.append(try federation.parcel("dresden", .full, tensors: federation.tensors(.full, seed: 5, scale: 0.1)))
        let plain = try federation.merge(paths).merged().parameters,
            clipped = try federation.merge(paths, federation.settings { $0.clip = 1 }).merged().parameters
        func size(_ parameters: ParameterMap) -> Double {
            zip(parameters.tensors, federation.base.parameters.tensors).reduce(0) { $0 + ($1.0 - $1.1).sumOfSquares }
                .squareRoot()
        }
        let norms = try federation.merge(paths).admission.admitted.map(\.norm)
        #expect(norms[3] > 5 * norms[0])
        #expect(size(plain) > 2 * size(clipped))
        #expect(size(clipped) <= norms.sorted()[2] * 1.0001)
    }

    @Test func momentumTakesTheLastStepAgain() throws {
        let first = federation.folder.file("first.safetensors"), second = federation.folder.file("second.safetensors"),
            third = federation.folder.file("third.safetensors")
        _ = try federation.merge(try parcels(.full)).write(first, key: federation.coordinator, force: false)
        let base = try LoadedModel(contentsOf: first)
        let paths = try sizes.map { try federation.parcel($0.key, .full, patients: $0.value, round: 2, base: base) }
        _ = try federation.merge(paths, base: first).write(second, key: federation.coordinator, force: false)
        let settings = federation.settings { $0.momentum = 0.5 }
        _ = try federation.merge(paths, settings, base: first).write(
            third, previous: federation.base, key: federation.coordinator, force: false)
        let plain = try LoadedModel(contentsOf: second), moved = try LoadedModel(contentsOf: third)
        for i in plain.parameters.tensors.indices {
            let step = zip(doubles(base.parameters.tensors[i]), doubles(federation.base.parameters.tensors[i])).map {
                $0 - $1
            }
            let expected = zip(doubles(plain.parameters.tensors[i]), step).map { $0 + 0.5 * $1 }
            #expect(relativeDifference(doubles(moved.parameters.tensors[i]), expected) <= 1e-6)
        }
        // Without what the base was merged on, or with something else, nothing is written.
        for previous in [nil, base] {
            #expect(
                (try #require(throws: Failure.self) {
                    try federation.merge(paths, settings, base: first).merged(previous: previous)
                }).kind == .usage)
        }
    }

    /// A value that one site alone has is not thinned out by the others, and what nobody has stays as all left it.
    @Test func rowsOfTheTableOfCohortsAreThoseOfTheSitesThatHaveThem() throws {
        let counts: [String: [String: [String: Int]]] = [
            "aachen": ["dr_icdr": ["0": 40, "ungradable": 5]], "bonn": ["dr_icdr": ["unknown": 40]],
            "celle": ["dr_icdr": ["3": 40]],
        ]
        let paths = try counts.sorted { $0.key < $1.key }.map { site, own in
            try federation.parcel(site, .full) { $0.trainingData[0].cohortCounts = own }
        }
        let files = try paths.map(stored), path = "cohort_embedding.weight"
        let plain = try federation.merge(paths).merged().parameters.fileTensors(),
            merge = try federation.merge(paths, federation.settings { $0.cohortRows = true })
        let byRow = try merge.merged().parameters.fileTensors()
        // null, unknown, origin and direction of the line, ungradable: who has seen them.
        let seen = [[0, 1, 2], [1], [0, 2], [0, 2], [0]]
        let tables = try files.map { doubles(try #require($0[path])) }, found = doubles(try #require(byRow[path])),
            width = found.count / seen.count
        for (row, sites) in seen.enumerated() {
            let expected = (row * width..<(row + 1) * width).map { i in
                sites.reduce(0) { $0 + tables[$1][i] } / Double(sites.count)
            }
            #expect(relativeDifference(Array(found[row * width..<(row + 1) * width]), expected) <= 1e-7, "row \(row)")
        }
        for (name, tensor) in plain where name != path { #expect(byRow[name]?.elements == tensor.elements, "\(name)") }
        #expect(byRow[path]?.elements != plain[path]?.elements)
        #expect(
            (try #require(throws: Failure.self) {
                try federation.merge(paths, federation.settings(.median) { $0.cohortRows = true })
            }).kind == .usage)
    }

    @Test func theManifestSaysWhereItComesFrom() throws {
        let path = federation.folder.file("merged.safetensors")
        _ = try federation.merge(try parcels(.ffa)).write(path, key: federation.coordinator, force: false)
        let merged = try LoadedModel(contentsOf: path)
        #expect(merged.manifest.sites == ["aachen", "bonn", "celle", "phantom"])
        #expect(merged.manifest.parents == [federation.base.digest.description])
        #expect(merged.manifest.imagesSeen == 64 + 3 * 640)
        #expect(merged.manifest.permittedUses == ["DUO:0000042"])
        let record = try #require(merged.manifest.merges?.first)
        #expect(
            record.round == 1 && record.parts.map(\.site) == ["aachen", "bonn", "celle"]
                && record.base == federation.base.digest)
        #expect(merged.manifest.attributions == ["phantoms", "eyes of aachen", "eyes of bonn", "eyes of celle"])
        #expect(merged.manifest.licence == "CC BY 4.0 AND CC0-1.0")
    }
}
