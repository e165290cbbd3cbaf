import CheckpointStore
import Cohorts
import Datasets
import Diffusion
import Files
import Foundation
import Pictures
import TensorCore

/// The photographs of one split of one or more data sets, in memory, at the size of the model.
public struct TrainingSet: Sendable {
    public let size: Int
    /// [count, size, size, 3]
    let pixels: [UInt8]
    /// Structure maps, [maps.count, count, size, size]; see `measure`.
    private(set) var mapValues: [UInt8] = []
    private(set) var maps: [StructureMap] = []
    /// The field of view of each photograph, in pixels of `size`; outside it the photograph is black.
    package let views: [FieldOfView]
    /// One row of values for each photograph, in the order of the encoding's attributes.
    package private(set) var values: [[CohortEncoding.Value]]
    /// The name of each photograph in errors: the data set's file and the row.
    let names: [String]

    public var count: Int { names.count }

    /// - Throws: `Failure(.badData)` where a data set is smaller than `size`; errors of reading.
    public init(_ datasets: [DatasetFile], split: Split, size: Int, encoding: CohortEncoding) async throws {
        try await self.init(datasets.map { ($0, $0.rows(of: split)) }, size: size, encoding: encoding)
    }

    /// Photographs of any rows; a row that is named twice is included twice.
    /// - Throws: `Failure(.badData)` where a data set is smaller than `size`; errors of reading.
    package init(_ parts: [(dataset: DatasetFile, rows: [Int])], size: Int, encoding: CohortEncoding) async throws {
        self.size = size
        var pixels: [UInt8] = [], views: [FieldOfView] = [], values: [[CohortEncoding.Value]] = [], names: [String] = []
        let needed = parts.reduce(0) { $0 + $1.rows.count } * size * size * 3
        try MemoryFigures.requireRoom(
            needed, for: "the photographs of \(parts.map(\.dataset.path).joined(separator: ", "))", place: nil,
            advice: "train at a smaller size or on fewer photographs")
        pixels.reserveCapacity(needed)
        for (dataset, rows) in parts {
            guard dataset.size >= size else {
                throw Failure(
                    .badData, dataset.path, field: "size", expected: "at least \(size) pixels, the model's",
                    found: "\(dataset.size)")
            }
            let columns = encoding.attributes.map { ($0, dataset.cohorts[$0]) }
            // A few rows are read at a time, because a data set at its own size may be larger than the memory.
            for start in stride(from: 0, to: rows.count, by: 64) {
                let part = Array(rows[start..<min(start + 64, rows.count)])
                let whole = try await dataset.images(rows: part)
                let bytes = dataset.size * dataset.size * 3
                for (i, row) in part.enumerated() {
                    let picture = Picture(
                        width: dataset.size, height: dataset.size, pixels: Array(whole[i * bytes..<(i + 1) * bytes]))
                    pixels += picture.resized(width: size, height: size).pixels
                    views.append(dataset.fieldsOfView[row].scaled(by: Float(size) / Float(dataset.size)))
                    values.append(columns.map { encoding.value($0.0, $0.1, row: row) })
                    names.append("\(dataset.path) row \(row)")
                }
            }
        }
        self.pixels = pixels
        self.views = views
        self.values = values
        self.names = names
    }

    /// Pictures without attributes.
    /// - Parameter pixels: [count, size, size, 3], RGB, 0 to 255.
    public init(pixels: [UInt8], size: Int) {
        self.size = size
        self.pixels = pixels
        let count = pixels.count / (size * size * 3)
        views = [FieldOfView](repeating: .everything(size), count: count)
        values = [[CohortEncoding.Value]](repeating: [], count: count)
        names = (0..<count).map { "picture \($0)" }
    }

    /// The photographs of several sets of one size.
    package init(joining sets: [TrainingSet], size: Int) {
        self.size = size
        pixels = sets.flatMap(\.pixels)
        views = sets.flatMap(\.views)
        values = sets.flatMap(\.values)
        names = sets.flatMap(\.names)
        measure(sets.first?.maps ?? [])
    }

    /// The first `count` photographs, or all if there are fewer.
    package func first(_ count: Int) -> TrainingSet { TrainingSet(self, Array(0..<min(count, self.count))) }

    /// The same photographs with all cohorts left open.
    package var withoutCohorts: TrainingSet {
        var result = self
        result.values = values.map { [CohortEncoding.Value](repeating: .null, count: $0.count) }
        return result
    }

    /// The photographs of a set with these indices.
    package init(_ set: TrainingSet, _ indices: [Int]) {
        let bytes = set.size * set.size * 3
        size = set.size
        pixels = indices.flatMap { set.pixels[$0 * bytes..<($0 + 1) * bytes] }
        views = indices.map { set.views[$0] }
        values = indices.map { set.values[$0] }
        names = indices.map { set.names[$0] }
        maps = set.maps
        let area = set.size * set.size, total = set.count
        mapValues = maps.indices.flatMap { map in
            indices.flatMap { index in
                let start = (map * total + index) * area
                return set.mapValues[start..<start + area]
            }
        }
    }

    /// Pictures in [-1, 1], [indices.count, size, size, 3 + maps], mirrored left to right where `mirrored` is true.
    package func pictures(_ indices: [Int], mirrored: [Bool]) -> Tensor {
        let area = size * size, depth = 3 + maps.count, total = count, unit = StructureMap.contrast / 255
        return Tensor(shape: [indices.count, size, size, depth]) { target in
            for (i, index) in indices.enumerated() {
                for y in 0..<size {
                    for x in 0..<size {
                        let place = y * size + (mirrored[i] ? size - 1 - x : x)
                        let from = (index * area + place) * 3, to = (i * area + y * size + x) * depth
                        for c in 0..<3 { target[to + c] = PixelValues.encoded(pixels[from + c]) }
                        for m in maps.indices {
                            target[to + 3 + m] = Float(mapValues[(m * total + index) * area + place]) * unit
                        }
                    }
                }
            }
        }
    }

    /// Finds the structures that `maps` names in all photographs.
    package mutating func measure(_ maps: [StructureMap]) {
        guard maps != self.maps else { return }
        self.maps = maps
        let area = size * size, size = size, count = count, pixels = pixels
        mapValues = maps.flatMap { map in
            [UInt8](unsafeUninitializedCapacity: count * area) { target, filled in
                nonisolated(unsafe) let target = target
                parallelFor(count) { index in
                    let picture = Picture(
                        width: size, height: size, pixels: Array(pixels[3 * index * area..<3 * (index + 1) * area]))
                    for (i, value) in map.values(of: picture).enumerated() { target[index * area + i] = value }
                }
                filled = count * area
            }
        }
    }
}

extension TrainingSet {
    /// The principal components of the colours of all pixels that are not black, about their mean; measured on at most
    /// about a thousand pictures, evenly spread.
    package func colourAxes() -> ColourAxes {
        var sum = [Double](repeating: 0, count: 3), products = [Double](repeating: 0, count: 9), count = 0.0
        let bytes = size * size * 3
        for index in stride(from: 0, to: self.count, by: max(1, self.count / 1000)) {
            for pixel in stride(from: index * bytes, to: (index + 1) * bytes, by: 3) {
                let colour = pixels[pixel..<pixel + 3].map { Double(PixelValues.encoded($0)) }
                guard colour.reduce(0, +) > -3 else { continue }
                count += 1
                for a in 0..<3 {
                    sum[a] += colour[a]
                    for b in 0..<3 { products[3 * a + b] += colour[a] * colour[b] }
                }
            }
        }
        guard count > 0 else { return .identity }
        return ColourAxes(covariance: (0..<9).map { products[$0] / count - sum[$0 / 3] / count * sum[$0 % 3] / count })
    }

    /// The deviation about 0 of each channel of the latents; measured on at most about a thousand pictures, evenly
    /// spread.
    package func channelDeviations(_ space: LatentSpace) -> [Float] {
        var sums = [Double](repeating: 0, count: space.channels), pixels = 0
        for index in stride(from: 0, to: count, by: max(1, count / 1000)) {
            let latent = space.encoded(pictures([index], mirrored: [false])).elements
            for (i, value) in latent.enumerated() { sums[i % space.channels] += Double(value) * Double(value) }
            pixels += latent.count / space.channels
        }
        // A band that is always 0 (as with a camera without blue) still needs a scale.
        return sums.map { Float(Swift.max(1e-4, ($0 / Double(pixels)).squareRoot())) }
    }
}

extension CohortEncoding {
    /// The values of a mirrored photograph: left and right eye are exchanged.
    package func mirrored(_ values: [Value]) -> [Value] {
        zip(attributes, values).map { name, value in
            guard name == "laterality", case .code(let code) = value else { return value }
            return .code(1 - code)
        }
    }
}

extension TrainingData {
    /// What a model that is conditioned on `attributes` states about the training split of `dataset`.
    public init(_ dataset: DatasetFile, attributes: [String]) {
        let rows = dataset.rows(of: .train)
        var counts: [String: [String: Int]] = [:]
        for (name, column) in dataset.cohorts {
            var byName: [String: Set<String>] = [:]
            for row in rows {
                byName[column.name(row: row) ?? "unknown", default: []].insert(dataset.patients[row])
            }
            // Counts are of patients, not of photographs, and they are rounded, so that a small count reveals nobody.
            counts[name] = byName.mapValues { TrainingData.rounded($0.count) }
        }
        let support = CohortSupport([dataset], attributes: attributes)
        self.init(
            digest: dataset.trainingSetDigest.description, site: dataset.info.site, licence: dataset.info.licence,
            source: dataset.info.source, cohortCounts: counts,
            patients: TrainingData.rounded(Set(rows.map { dataset.patients[$0] }).count),
            combinations: support.combinations(), jointCounts: support.jointCounts(),
            synthetic: dataset.info.isDrawn, sampled: dataset.info.sampled)
    }
}
