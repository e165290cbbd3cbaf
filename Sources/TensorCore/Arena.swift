import Foundation

/// One long range of addresses. Pieces of it are handed out and taken back, and free neighbours are joined, so that
/// memory that held some shapes can hold others next. It has no lock of its own: `Allocator` locks.
///
/// A request takes the smallest free piece that is large enough (best fit, Knuth 1997, section 2.5), and the first of
/// equal pieces. The same requests in the same order get the same places, so a training step takes the memory that the
/// step before it took.
package struct Arena {
    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    /// Free pieces below `mark`, sorted by address; no two touch.
    private var free: [Piece] = []
    /// The addresses from here on were never used, or were given back to the system.
    package private(set) var mark = 0

    private struct Piece {
        var start: Int, length: Int
        var end: Int { start + length }
    }

    /// Places and lengths are multiples of this.
    package static let page = 4096
    /// A huge page is given back to the system only as a whole.
    private static let hugePage = 2 << 20

    /// Reserves as many addresses as the machine has memory; reserving them takes no memory. Nil where the system
    /// refuses.
    package init?() {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        capacity = max(1 << 30, pages * sysconf(Int32(_SC_PAGESIZE))) / Arena.hugePage * Arena.hugePage
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let length = capacity + Arena.hugePage
        guard let range = mmap(nil, length, PROT_READ | PROT_WRITE, flags, -1, 0), range != MAP_FAILED else {
            return nil
        }
        base = range.alignedUp(toMultipleOf: Arena.hugePage)
        // Huge pages mean fewer faults on first use and fewer TLB misses later.
        madvise(base, capacity, MADV_HUGEPAGE)
    }

    /// Whether `pointer` lies in the arena.
    package func holds(_ pointer: UnsafeMutableRawPointer) -> Bool { pointer >= base && pointer < base + capacity }

    /// Hands out a range of `bytes` bytes.
    ///
    /// - Parameter bytes: a multiple of `page`.
    /// - Returns: the range's first address; nil where no free range is large enough.
    package mutating func take(_ bytes: Int) -> UnsafeMutableRawPointer? {
        var best: Int?
        for (index, piece) in free.enumerated() where piece.length >= bytes {
            if best.map({ piece.length < free[$0].length }) ?? true { best = index }
        }
        if let best {
            let start = free[best].start
            free[best].start += bytes
            free[best].length -= bytes
            if free[best].length == 0 { free.remove(at: best) }
            return base + start
        }
        // No free piece is large enough. A free piece that ends at `mark` grows; otherwise the new range begins at
        // `mark`.
        let last = free.last.flatMap { $0.end == mark ? $0 : nil }
        let start = last?.start ?? mark
        guard start + bytes <= capacity else { return nil }
        if last != nil { free.removeLast() }
        mark = start + bytes
        return base + start
    }

    /// Takes back what `take` returned for the same number of bytes.
    package mutating func give(_ pointer: UnsafeMutableRawPointer, bytes: Int) {
        var piece = Piece(start: pointer - base, length: bytes)
        var low = 0, high = free.count
        while low < high {
            let middle = (low + high) / 2
            if free[middle].start < piece.start { low = middle + 1 } else { high = middle }
        }
        if low < free.count, free[low].start == piece.end {
            piece.length += free[low].length
            free.remove(at: low)
        }
        if low > 0, free[low - 1].end == piece.start {
            free[low - 1].length += piece.length
        } else {
            free.insert(piece, at: low)
        }
    }

    /// Gives the free memory back to the system; the addresses stay reserved.
    package mutating func release() {
        for piece in free {
            let first = (piece.start + Arena.hugePage - 1) / Arena.hugePage * Arena.hugePage
            let end = piece.end == mark ? piece.end : piece.end / Arena.hugePage * Arena.hugePage
            if end > first { madvise(base + first, end - first, MADV_DONTNEED) }
        }
        if let last = free.last, last.end == mark {
            mark = last.start
            free.removeLast()
        }
    }
}
