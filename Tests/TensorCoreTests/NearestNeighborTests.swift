import Randomness
import TensorCore
import Testing

@Suite struct NearestNeighborTests {
    private func vectors(_ count: Int, parts: Int = 1, width: Int, index: UInt64) -> NeighborVectors {
        var random = Philox(seed: 9, stream: .tests, index: index)
        return NeighborVectors(
            (0..<count * parts * width).map { _ in Float(random.nextNormal()) }, count: count, parts: parts,
            width: width)
    }

    /// Every pair, in float64.
    private func direct(
        _ a: NeighborVectors, _ b: NeighborVectors, k: Int, exclude: (probes: [Int], gallery: [Int])? = nil
    ) -> [[Int]] {
        (0..<a.count).map { i in
            let all = (0..<b.count).filter { exclude == nil || exclude!.probes[i] != exclude!.gallery[$0] }.map { j in
                let distance =
                    (0..<a.parts).map { part in
                        (0..<a.width).reduce(0.0) { sum, c in
                            let d =
                                Double(a.elements[(i * a.parts + part) * a.width + c])
                                - Double(b.elements[(j * a.parts + part) * a.width + c])
                            return sum + d * d
                        }
                    }.max() ?? 0
                return (distance, j)
            }
            return all.sorted { $0 < $1 }.prefix(k).map(\.1)
        }
    }

    @Test(arguments: [1, 4]) func `the neighbours are those of all pairs, over several blocks`(_ parts: Int) {
        let a = vectors(300, parts: parts, width: 24, index: 1), b = vectors(1500, parts: parts, width: 24, index: 2)
        let found = nearestNeighbors(of: a, in: b, k: 7)
        let expected = direct(a, b, k: 7)
        for i in 0..<a.count { #expect(Array(found.indices[i * 7..<(i + 1) * 7]) == expected[i]) }
    }

    @Test func `rows of the same group are left out`() {
        let a = vectors(40, width: 8, index: 3)
        let groups = (0..<40).map { $0 / 2 }
        let found = nearestNeighbors(of: a, in: a, k: 3, exclude: (groups, groups))
        #expect(found.indices == direct(a, a, k: 3, exclude: (groups, groups)).flatMap { $0 })
        let all = nearestNeighbors(of: a, in: a, k: 1)
        #expect(all.indices == Array(0..<40) && all.distances.allSatisfy { $0 == 0 })
    }

    @Test func `distances far from the origin keep their digits`() {
        // |a|^2 + |b|^2 - 2ab in float32 is off by more than these distances.
        var elements = [Float](repeating: 1000, count: 30 * 64)
        for i in 0..<30 { elements[i * 64] += Float(i) * 0.25 }
        let gallery = NeighborVectors(elements, count: 30, width: 64)
        let found = nearestNeighbors(of: gallery, in: gallery, k: 2)
        for i in 0..<30 {
            #expect(found.nearest(i).index == i && found.nearest(i).distance == 0)
            #expect(found.distances[i * 2 + 1] == 0.0625)
        }
    }

    @Test func `a gallery smaller than k gives what there is`() {
        let a = vectors(5, width: 8, index: 4), b = vectors(3, width: 8, index: 5)
        let found = nearestNeighbors(of: a, in: b, k: 50)
        #expect(found.k == 3)
        #expect(found.indices == direct(a, b, k: 3).flatMap { $0 })
        let alone = nearestNeighbors(of: b, in: b, k: 1, exclude: ([1, 1, 1], [1, 1, 1]))
        #expect(alone.indices == [-1, -1, -1])
    }

    @Test(arguments: [1, 3]) func `chosen rows have the neighbours of vectors made of them, to the last bit`(
        _ parts: Int
    ) {
        let a = vectors(20, parts: parts, width: 27, index: 6), b = vectors(70, parts: parts, width: 27, index: 7),
            rows = [5, 69, 0, 5, 33, 34, 12]
        let made = NeighborVectors(
            rows.flatMap { b.elements[$0 * parts * 27..<($0 + 1) * parts * 27] }, count: 7, parts: parts, width: 27)
        let chosen = b.selecting(rows)
        #expect(chosen.elements == made.elements && chosen.count == 7 && chosen.parts == parts)
        let found = nearestNeighbors(of: a, in: chosen, k: 4), expected = nearestNeighbors(of: a, in: made, k: 4)
        #expect(found.indices == expected.indices && found.distances == expected.distances)
        let back = nearestNeighbors(of: chosen, in: a, k: 4), forth = nearestNeighbors(of: made, in: a, k: 4)
        #expect(back.indices == forth.indices && back.distances == forth.distances)
    }

    @Test func `more than 4096 probes, in larger blocks, find the same`() {
        let a = vectors(4100, width: 6, index: 8), b = vectors(90, width: 6, index: 9)
        let all = nearestNeighbors(of: a, in: b, k: 3),
            some = nearestNeighbors(of: a.selecting(Array(4000..<4100)), in: b, k: 3)
        #expect(Array(all.indices[12000...]) == some.indices)
        #expect(some.indices == direct(a.selecting(Array(4000..<4100)), b, k: 3).flatMap { $0 })
    }
}
