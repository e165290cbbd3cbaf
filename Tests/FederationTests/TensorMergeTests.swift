import CheckpointStore
import Federation
import Files
import Foundation
import Support
import TensorCore
import TestTensors
import Testing

/// Numbers of small parcels, merged: every expected value is worked out by hand.
@Suite struct TensorMergeTests {
    let sites: HandMadeParcels
    init() throws { sites = try HandMadeParcels() }

    private func row(_ tensors: [String: Tensor]) -> [Float] { tensors["w"]?.elements ?? [] }

    private func expectClose(_ found: [Float], _ expected: [Float], sourceLocation: SourceLocation = #_sourceLocation) {
        let difference = relativeDifference(found.map(Double.init), expected.map(Double.init))
        #expect(difference <= 1e-6, "\(found), expected \(expected)", sourceLocation: sourceLocation)
    }

    @Test func `a mean follows the shares`() throws {
        let paths = [
            try sites.parcel("aachen", [8, -4], patients: 60), try sites.parcel("bonn", [0, 4], patients: 20),
        ]
        // 60 and 20 of 80 patients.
        #expect(row(try sites.merged(paths)) == [6, -2])
        #expect(row(try sites.merged(paths) { $0.weighting = .equal }) == [4, 0])
        // 640 images each.
        #expect(row(try sites.merged(paths) { $0.weighting = .images }) == [4, 0])
    }

    @Test func `a mean keeps shapes, and every tensor has its own numbers`() throws {
        let paths = try ["aachen", "bonn"].enumerated().map { number, site in
            let shift = Float(number * 8)
            return try sites.parcel(
                site,
                [
                    "a": Tensor([1, 2, 3, -4].map { $0 + shift }, shape: [2, 2]), "b": Tensor([shift], shape: [1, 1]),
                ])
        }
        let merged = try sites.merged(paths, HandMadeParcels.base(["a": [2, 2], "b": [1, 1]]))
        #expect(Set(merged.keys) == ["a", "b"])
        #expect(merged["a"]?.shape == [2, 2] && merged["a"]?.elements == [5, 6, 7, 0])
        #expect(merged["b"]?.shape == [1, 1] && merged["b"]?.elements == [4])
    }

    @Test func `a median is that of each number, and of two in the middle their mean`() throws {
        let rows: [[Float]] = [[1, -1e30], [5, 3], [2, 1], [1e30, 2]]
        let large = HandMadeParcels.base(norm: 1e31)
        #expect(row(try sites.merged(try sites.rows(Array(rows[..<3])), large) { $0.rule = .median }) == [2, 1])
        #expect(row(try sites.merged(try sites.rows(rows), large) { $0.rule = .median }) == [3.5, 1.5])
        #expect(row(try sites.merged(try sites.rows([[1, 2], [5, 4]])) { $0.rule = .median }) == [3, 3])
        #expect(row(try sites.merged(try sites.rows([[1, 2]])) { $0.rule = .median }) == [1, 2])
    }

    @Test(arguments: [
        (5, 0.2, 1), (5, 0.39, 1), (5, 0.4, 2), (5, 0.01, 1), (5, 0, 0), (3, 0.1, 1), (2, 0.4, 0), (1, 0.4, 0),
        (4, 0.49, 1),
    ]) func `a trimmed mean drops as many at each end`(count: Int, trim: Double, dropped: Int) throws {
        // The second number falls where the first rises.
        let rows: [[Float]] = Array([[1, 64], [2, 32], [4, 16], [16, 4], [64, 1]].prefix(count))
        let kept = rows[dropped..<count - dropped], number = Float(count - 2 * dropped)
        let expected = [kept.reduce(0) { $0 + $1[0] } / number, kept.reduce(0) { $0 + $1[1] } / number]
        let found = try sites.merged(try sites.rows(rows)) { ($0.rule, $0.trim) = (.trimmedMean, trim) }
        expectClose(row(found), expected)
    }

    /// Norms 5, 5, 5 and 50: a clip of 2 brings the last one down to 10.
    private let rows: [[Float]] = [[3, 4], [0, 5], [-5, 0], [30, 40]]

    @Test func `an update that is too large is cut to so many times the median`() throws {
        let paths = try sites.rows(rows)
        expectClose(row(try sites.merged(paths)), [7, 12.25])
        expectClose(row(try sites.merged(paths) { $0.clip = 2 }), [1, 4.25])
        expectClose(row(try sites.merged(paths) { $0.clip = 1 }), [0.25, 3.25])
        // Nothing is larger than ten times the median.
        expectClose(row(try sites.merged(paths) { $0.clip = 10 }), [7, 12.25])
        // Sorted, cut to 6 and 8: -5, 0, 3, 6 and 0, 4, 5, 8.
        expectClose(row(try sites.merged(paths) { ($0.rule, $0.clip) = (.median, 2) }), [1.5, 4.5])
    }

    @Test func `whole weights are cut from the base's on`() throws {
        let reference = ["w": Tensor([100, -200], shape: [2])]
        let base = HandMadeParcels.base(kind: .snapshot, reference: reference, norm: 1000)
        let paths = try zip(sites.keys.keys.sorted(), rows).map { site, row in
            try sites.parcel(site, ["w": Tensor([100 + row[0], -200 + row[1]], shape: [2])], kind: .snapshot)
        }
        expectClose(row(try sites.merged(paths, base)), [107, -187.75])
        expectClose(row(try sites.merged(paths, base) { $0.clip = 2 }), [101, -195.75])
        expectClose(row(try sites.merged(paths, base) { ($0.rule, $0.clip) = (.median, 2) }), [101.5, -195.5])
    }

    @Test func `rows have shares of their own where they are given`() throws {
        let base = HandMadeParcels.base(["w": [2, 2], "v": [2]])
        let paths = try [("aachen", Float(1)), ("bonn", 5)].map { site, value in
            try sites.parcel(
                site,
                ["w": Tensor([value, value, -value, 2 * value], shape: [2, 2]), "v": Tensor([value, 0], shape: [2])])
        }
        let merged = try sites.merged(paths, base, rowShares: ["w": [[1, 0], [0.25, 0.75]]])
        #expect(row(merged) == [1, 1, -4, 8])
        #expect(merged["v"]?.elements == [3, 0])
    }

    /// Tensors are read 65,536 numbers at a time.
    @Test(arguments: [MergeRecord.Rule.mean, .median]) func `long tensors have no seams`(rule: MergeRecord.Rule) throws
    {
        let count = 2 * 65536 + 3, base = HandMadeParcels.base(["w": [count]], norm: 1e12)
        let paths = try ["aachen", "bonn", "celle"].enumerated().map { number, site in
            // 0, 4 and 8 times the place: the mean of all and the middle one are 4 times the place.
            try sites.parcel(site, (0..<count).map { Float($0 * 4 * number % 1_048_576) })
        }
        var settings = MergeRecord.Settings()
        (settings.rule, settings.weighting) = (rule, .equal)
        let found = row(try sites.merged(paths, base) { $0 = settings })
        try #require(found.count == count)
        let expected: [Float] = (0..<count).map { place in
            let values = (0..<3).map { Double($0 * 4 * place % 1_048_576) }
            return Float(rule == .mean ? values.reduce(0, +) / 3 : values.sorted()[1])
        }
        let different = found.indices.first { abs(found[$0] - expected[$0]) > 1e-6 * abs(expected[$0]) }
        #expect(different == nil)
    }

    @Test(.exclusivePool) func `neither the order of the parcels nor threads change a byte`() throws {
        let base = HandMadeParcels.base(["a": [700], "b": [900], "w": [70_000]])
        let paths = try sites.keys.keys.sorted().enumerated().map { number, site in
            try sites.parcel(
                site,
                [
                    "a": randomTensor([700], seed: UInt64(number)), "b": randomTensor([900], seed: UInt64(10 + number)),
                    "w": randomTensor([70_000], seed: UInt64(20 + number)),
                ])
        }
        for rule in [MergeRecord.Rule.mean, .median, .trimmedMean] {
            let results = try [(1, paths), (2, paths.reversed()), (3, [2, 0, 4, 1, 3].map { paths[$0] })].map {
                threads, order in
                ComputeEnvironment.threads = threads
                try #require(ComputeEnvironment.threads == threads)
                return try sites.merged(order, base) { ($0.rule, $0.clip) = (rule, 0.99) }
                    .sorted { $0.key < $1.key }.map { $0.value.elements.map(\.bitPattern) }
            }
            #expect(results[0].map(\.count) == [700, 900, 70_000])
            let isSame = results[1] == results[0] && results[2] == results[0]
            #expect(isSame, "\(rule)")
        }
    }

    @Test func `a parcel that changes after it was admitted is refused by the name of its tensor`() throws {
        let base = HandMadeParcels.base(), paths = try sites.rows([[1, 2], [3, 4]])
        let admission = try sites.admission(paths, base)
        let settings = MergeRecord.Settings()
        let merge = TensorMerge(admission, base: base, settings: settings, shares: try admission.shares(settings))
        #expect(row(try merge.merged()) == [2, 3])
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: paths[1]))
        try file.seek(toOffset: try file.seekToEnd() - 1)
        try file.write(contentsOf: Data([0x41]))
        try file.close()
        let failure = expectFailure(.notPermitted, "was changed while it was merged: w is not what was signed") {
            try merge.merged()
        }
        #expect(failure?.place == paths[1])
        #expect(truncate(paths[1], 100) == 0)
        expectFailure(.readOrWriteFailed, "ended while it was read") { try merge.merged() }
    }

    @Test func `nobody makes nothing`() throws {
        #expect(try sites.merged([]).isEmpty)
    }
}
