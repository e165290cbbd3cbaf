import Randomness
import TensorCore
import Testing

@Suite struct ArenaTests {
    private static let page = Arena.page

    private func take(_ pages: Int, of arena: inout Arena) throws -> UnsafeMutableRawPointer {
        let piece = arena.take(pages * Arena.page)
        return try #require(piece)
    }

    /// Memory that held two shapes holds a third, larger one; neighbours are found on either side.
    @Test func neighboursBecomeOne() throws {
        var arena = try #require(Arena())
        let pieces = try (0..<4).map { _ in try take(10, of: &arena) }
        for order in [[1, 2], [2, 1]] {
            for index in order { arena.give(pieces[index], bytes: 10 * ArenaTests.page) }
            let wide = try take(20, of: &arena)
            #expect(wide == pieces[1])
            arena.give(wide, bytes: 20 * ArenaTests.page)
            for index in [1, 2] {
                let again = try take(10, of: &arena)
                #expect(again == pieces[index])
            }
        }
        #expect(arena.mark == 40 * ArenaTests.page)
    }

    /// Tensors that are alive at once do not share memory, whatever their size: also where a small size is rounded up
    /// to the smallest block of the arena (64 KiB, 16,384 floats).
    @Test(arguments: [15_360, 15_361, 16_256, 16_257, 16_320, 16_383, 16_384, 16_385, 20_000])
    func tensorsDoNotOverlap(_ count: Int) {
        let tensors = (0..<24).map { Tensor(repeating: Float($0), shape: [count]) }
        for (number, tensor) in tensors.enumerated() {
            let isOwn = tensor.withUnsafeBuffer { $0.allSatisfy { $0 == Float(number) } }
            #expect(isOwn, "tensor \(number) of \(count)")
        }
    }

    /// Of the gaps that are wide enough the narrowest is taken, and the last one grows.
    @Test func bestFit() throws {
        var arena = try #require(Arena())
        let lengths = [8, 1, 4, 1, 6, 1]
        let pieces = try lengths.map { try take($0, of: &arena) }
        for index in [0, 2, 4] { arena.give(pieces[index], bytes: lengths[index] * ArenaTests.page) }
        let narrow = try take(5, of: &arena)
        #expect(narrow == pieces[4])
        let exact = try take(4, of: &arena)
        #expect(exact == pieces[2])
        arena.give(pieces[5], bytes: ArenaTests.page)
        let grown = try take(9, of: &arena)
        #expect(grown == pieces[4] + 5 * ArenaTests.page)
        #expect(arena.mark == 28 * ArenaTests.page)
    }

    /// No two pieces that are in use overlap, and the same requests end in the same places.
    @Test func randomRequests() throws {
        var arena = try #require(Arena())
        var random = Philox(seed: 3, stream: .tests, index: 0)
        var held: [(start: UnsafeMutableRawPointer, bytes: Int)] = []
        for _ in 0..<3000 {
            if held.count > 40 || (!held.isEmpty && random.nextUniform() < 0.45) {
                let piece = held.remove(at: random.nextInteger(below: held.count))
                arena.give(piece.start, bytes: piece.bytes)
            } else {
                let pages = 1 + random.nextInteger(below: 50), bytes = pages * ArenaTests.page
                let start = try take(pages, of: &arena)
                #expect(
                    arena.holds(start) && held.allSatisfy { $0.start + $0.bytes <= start || start + bytes <= $0.start })
                held.append((start, bytes))
            }
        }
        for piece in held { arena.give(piece.start, bytes: piece.bytes) }
        let mark = arena.mark
        arena.release()
        #expect(mark > 0 && arena.mark == 0)
    }

    /// What was given back to the system is there again, and is 0.
    @Test func releasedMemoryIsUsable() throws {
        var arena = try #require(Arena())
        let bytes = 8 << 20
        let first = try take(bytes / ArenaTests.page, of: &arena)
        first.initializeMemory(as: UInt8.self, repeating: 7, count: bytes)
        let second = try take(1, of: &arena)
        arena.give(first, bytes: bytes)
        arena.release()
        let again = try take(bytes / ArenaTests.page, of: &arena)
        #expect(again == first && again.load(fromByteOffset: bytes / 2, as: UInt8.self) == 0)
        again.storeBytes(of: 5, toByteOffset: bytes - 1, as: UInt8.self)
        #expect(again.load(fromByteOffset: bytes - 1, as: UInt8.self) == 5)
        _ = second
    }
}
