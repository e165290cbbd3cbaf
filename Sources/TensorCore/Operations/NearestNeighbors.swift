import CKernels

/// Rows of a matrix, [count, parts, width], between which distances are taken. The squared distance of two rows is the
/// largest squared euclidean distance of their parts; with one part it is the squared euclidean distance itself.
package struct NeighborVectors: Sendable {
    package let elements: [Float]
    package let count: Int, parts: Int, width: Int
    /// Squared lengths, [parts, count].
    fileprivate let squares: [Float]

    package init(_ elements: [Float], count: Int, parts: Int = 1, width: Int) {
        requireShape(elements.count == count * parts * width, "NeighborVectors", elements.count, [count, parts, width])
        self.elements = elements
        (self.count, self.parts, self.width) = (count, parts, width)
        squares = (0..<parts).flatMap { part in
            (0..<count).map { row in
                let start = (row * parts + part) * width
                return Float(
                    elements.withUnsafeBufferPointer {
                        squaredLength(UnsafeBufferPointer(rebasing: $0[start..<start + width]))
                    })
            }
        }
    }

    private init(_ elements: [Float], squares: [Float], count: Int, parts: Int, width: Int) {
        (self.elements, self.squares) = (elements, squares)
        (self.count, self.parts, self.width) = (count, parts, width)
    }

    /// Some of the rows, in the given order; a row may be taken more than once.
    package func selecting(_ rows: [Int]) -> NeighborVectors {
        let step = parts * width
        let chosen = [Float](unsafeUninitializedCapacity: rows.count * step) { buffer, written in
            elements.withUnsafeBufferPointer { own in
                for (place, row) in rows.enumerated() {
                    _ = UnsafeMutableBufferPointer(rebasing: buffer[place * step..<(place + 1) * step]).update(
                        fromContentsOf: own[row * step..<(row + 1) * step])
                }
            }
            written = rows.count * step
        }
        let squares = (0..<parts).flatMap { part in rows.map { self.squares[part * count + $0] } }
        return NeighborVectors(chosen, squares: squares, count: rows.count, parts: parts, width: width)
    }

    /// The mean of up to about a thousand evenly spread rows, where the rows lie close together and far from the
    /// origin. There |a|^2 + |b|^2 - 2ab would lose their distances to rounding. Nil otherwise.
    fileprivate var offset: [Float]? {
        let rows = Array(stride(from: 0, to: count, by: max(1, count / 1000))), length = parts * width,
            n = Double(max(1, rows.count))
        var sums = [Double](repeating: 0, count: length), squares = 0.0
        for row in rows {
            for k in 0..<length {
                let value = Double(elements[row * length + k])
                sums[k] += value
                squares += value * value
            }
        }
        let means = sums.map { $0 / n }, mean = means.reduce(0) { $0 + $1 * $1 }
        return mean > 0.9 * squares / n ? means.map { Float($0) } : nil
    }

    fileprivate func shifted(by offset: [Float]) -> NeighborVectors {
        NeighborVectors(
            elements.indices.map { elements[$0] - offset[$0 % offset.count] }, count: count, parts: parts, width: width)
    }

    /// The squared distance of row `i` and row `j` of `other`, summed in float64 in a fixed order.
    fileprivate func distance(_ i: Int, _ other: NeighborVectors, _ j: Int) -> Double {
        elements.withUnsafeBufferPointer { a in
            other.elements.withUnsafeBufferPointer { b in
                (0..<parts).reduce(0.0) { largest, part in
                    let x = (i * parts + part) * width, y = (j * parts + part) * width
                    var sums = SIMD4<Double>(), k = 0
                    let whole = width & ~3
                    let (p, q) = (
                        UnsafeRawPointer(a.baseAddress.unsafelyUnwrapped + x),
                        UnsafeRawPointer(b.baseAddress.unsafelyUnwrapped + y)
                    )
                    while k < whole {
                        let difference = SIMD4<Double>(
                            p.loadUnaligned(fromByteOffset: 4 * k, as: SIMD4<Float>.self)
                                - q.loadUnaligned(fromByteOffset: 4 * k, as: SIMD4<Float>.self))
                        sums += difference * difference
                        k += 4
                    }
                    while k < width {
                        let difference = Double(a[x + k] - b[y + k])
                        sums[k & 3] += difference * difference
                        k += 1
                    }
                    return max(largest, sums.sum())
                }
            }
        }
    }
}

private func squaredLength(_ values: UnsafeBufferPointer<Float>) -> Double {
    values.reduce(0.0) { $0 + Double($1) * Double($1) }
}

/// The nearest rows of a gallery to each probe, nearest first; equal distances are in the order of the gallery.
package struct Neighbors: Sendable {
    /// The number of neighbours of each probe: the number that was asked for, or the size of a smaller gallery.
    package let k: Int
    /// [probes, k]; -1 where fewer than k rows were not excluded.
    package let indices: [Int]
    /// [probes, k]: squared distances; infinite where the index is -1.
    package let distances: [Double]

    /// The nearest row of the gallery and its squared distance.
    package func nearest(_ probe: Int) -> (index: Int, distance: Double) { (indices[probe * k], distances[probe * k]) }
}

/// Exact nearest neighbours. A block of probes is multiplied with one block of the gallery at a time, and each probe
/// keeps its best rows and 16 more. These are then ordered by distances that are summed directly, because rounding in
/// the product loses the last digits of small distances. Memory depends on the blocks, not on the size of the gallery.
///
/// - Parameter exclude: the groups of the probes and of the gallery's rows; rows of equal groups are not counted as
///   neighbours.
package func nearestNeighbors(
    of probes: NeighborVectors, in gallery: NeighborVectors, k wanted: Int,
    exclude: (probes: [Int], gallery: [Int])? = nil
) -> Neighbors {
    requireShape(
        probes.parts == gallery.parts && probes.width == gallery.width, "nearestNeighbors",
        [probes.parts, probes.width], [gallery.parts, gallery.width])
    let k = min(wanted, gallery.count), kept = min(gallery.count, wanted + 16)
    // More rows share the packing of the gallery; fewer rows keep more threads busy. The choice does not depend on the
    // number of threads.
    let blockRows = probes.count >= 4096 ? 512 : 256
    // Moving both sides by the same offset leaves their distances as they are.
    let moved =
        gallery.offset.map { (probes: probes.shifted(by: $0), gallery: gallery.shifted(by: $0)) } ?? (
            probes: probes, gallery: gallery
        )
    var indices = [Int](repeating: -1, count: probes.count * k),
        distances = [Double](repeating: .infinity, count: probes.count * k)
    indices.withUnsafeMutableBufferPointer { indexBuffer in
        distances.withUnsafeMutableBufferPointer { distanceBuffer in
            nonisolated(unsafe) let (indexTarget, distanceTarget) = (indexBuffer, distanceBuffer)
            parallelFor((probes.count + blockRows - 1) / blockRows) { block in
                let rows = block * blockRows..<min(probes.count, (block + 1) * blockRows)
                let found = NeighborBlock(moved.probes, rows, moved.gallery, kept: kept, exclude: exclude).best()
                for (offset, row) in rows.enumerated() {
                    let exact = found[offset].map { (index: $0, distance: probes.distance(row, gallery, $0)) }
                        .sorted { ($0.distance, $0.index) < ($1.distance, $1.index) }
                    for (place, entry) in exact.prefix(k).enumerated() {
                        indexTarget[row * k + place] = entry.index
                        distanceTarget[row * k + place] = entry.distance
                    }
                }
            }
        }
    }
    return Neighbors(k: k, indices: indices, distances: distances)
}

/// One block of probes against the whole gallery.
private struct NeighborBlock {
    private let probes: NeighborVectors, gallery: NeighborVectors
    private let rows: Range<Int>
    private let kept: Int
    private let exclude: (probes: [Int], gallery: [Int])?
    /// The number of gallery rows that are multiplied together.
    private static let columns = 512

    init(
        _ probes: NeighborVectors, _ rows: Range<Int>, _ gallery: NeighborVectors, kept: Int,
        exclude: (probes: [Int], gallery: [Int])?
    ) {
        (self.probes, self.rows, self.gallery, self.kept, self.exclude) = (probes, rows, gallery, kept, exclude)
    }

    /// The gallery indices of the best rows for each probe; their order does not matter.
    func best() -> [[Int]] {
        var lists = rows.map { _ in RunningBest(kept) }
        let columns = min(NeighborBlock.columns, gallery.count)
        // [rows, columns]: `products` holds -2ab of one part; with several parts `largest` holds the largest distance
        // of the parts so far.
        let products = UnsafeMutablePointer<Float>.allocate(capacity: rows.count * columns)
        let largest = probes.parts == 1 ? nil : UnsafeMutablePointer<Float>.allocate(capacity: rows.count * columns)
        let zeros = [Float](repeating: 0, count: columns)
        defer {
            products.deallocate()
            largest?.deallocate()
        }
        for first in stride(from: 0, to: gallery.count, by: columns) {
            let count = min(columns, gallery.count - first)
            for part in 0..<probes.parts {
                multiply(products, part: part, first: first, count: count)
                if let largest { keepLargest(products, largest, part: part, first: first, count: count) }
            }
            if let largest {
                zeros.withUnsafeBufferPointer { zeros in
                    for row in 0..<rows.count {
                        scan(
                            largest + row * count, adding: zeros.baseAddress.unsafelyUnwrapped, 0, row: row,
                            first: first, count: count, &lists[row])
                    }
                }
            } else {
                gallery.squares.withUnsafeBufferPointer { squares in
                    for row in 0..<rows.count {
                        scan(
                            products + row * count, adding: squares.baseAddress.unsafelyUnwrapped + first,
                            probes.squares[rows.lowerBound + row], row: row, first: first, count: count, &lists[row])
                    }
                }
            }
        }
        return lists.map { $0.entries.map(\.index) }
    }

    /// Computes -2ab of one part.
    private func multiply(_ products: UnsafeMutablePointer<Float>, part: Int, first: Int, count: Int) {
        let step = probes.parts * probes.width
        probes.elements.withUnsafeBufferPointer { a in
            gallery.elements.withUnsafeBufferPointer { b in
                guard let a = a.baseAddress, let b = b.baseAddress else { return }
                fovea_sgemm(
                    0, 1, rows.count, count, probes.width, -2, a + rows.lowerBound * step + part * probes.width, step,
                    b + first * step + part * probes.width, step, 0, products, count)
            }
        }
    }

    private func keepLargest(
        _ products: UnsafeMutablePointer<Float>, _ largest: UnsafeMutablePointer<Float>, part: Int, first: Int,
        count: Int
    ) {
        probes.squares.withUnsafeBufferPointer { own in
            gallery.squares.withUnsafeBufferPointer { others in
                for row in 0..<rows.count {
                    let square = own[part * probes.count + rows.lowerBound + row]
                    let from = products + row * count, to = largest + row * count,
                        squares = others.baseAddress.unsafelyUnwrapped + part * gallery.count + first
                    if part == 0 {
                        for j in 0..<count { to[j] = from[j] + squares[j] + square }
                    } else {
                        for j in 0..<count { to[j] = max(to[j], from[j] + squares[j] + square) }
                    }
                }
            }
        }
    }

    /// Looks for near rows in one pass that writes no distances; a distance is `values` + `squares` + `square`.
    private func scan(
        _ values: UnsafePointer<Float>, adding squares: UnsafePointer<Float>, _ square: Float, row: Int, first: Int,
        count: Int, _ list: inout RunningBest
    ) {
        func look(_ j: Int) {
            let distance = values[j] + squares[j] + square
            guard distance < list.worst else { return }
            if let exclude, exclude.probes[rows.lowerBound + row] == exclude.gallery[first + j] { return }
            list.insert(first + j, distance)
        }
        let (p, q) = (UnsafeRawPointer(values), UnsafeRawPointer(squares))
        func sixteen(_ j: Int) -> SIMD16<Float> {
            p.loadUnaligned(fromByteOffset: 4 * j, as: SIMD16<Float>.self)
                + q.loadUnaligned(fromByteOffset: 4 * j, as: SIMD16<Float>.self)
        }
        var j = 0
        func smaller(_ a: SIMD16<Float>, _ b: SIMD16<Float>) -> SIMD16<Float> { a.replacing(with: b, where: b .< a) }
        while j + 128 <= count {
            var least = sixteen(j)
            for place in stride(from: j + 16, to: j + 128, by: 16) { least = smaller(least, sixteen(place)) }
            // Most runs of 128 hold no distance that is small enough.
            if any(least .< SIMD16(repeating: list.worst - square)) { for offset in 0..<128 { look(j + offset) } }
            j += 128
        }
        while j < count {
            look(j)
            j += 1
        }
    }
}

/// The smallest of many distances with their indices, sorted.
private struct RunningBest {
    private let capacity: Int
    private(set) var entries: [(index: Int, distance: Float)] = []
    /// A distance must be below this to be kept.
    private(set) var worst = Float.infinity

    init(_ capacity: Int) {
        self.capacity = capacity
        entries.reserveCapacity(capacity + 1)
    }

    mutating func insert(_ index: Int, _ distance: Float) {
        var place = entries.count
        entries.append((index, distance))
        while place > 0, entries[place - 1].distance > distance {
            entries[place] = entries[place - 1]
            place -= 1
        }
        entries[place] = (index, distance)
        if entries.count > capacity { entries.removeLast() }
        if entries.count == capacity { worst = entries[capacity - 1].distance }
    }
}
