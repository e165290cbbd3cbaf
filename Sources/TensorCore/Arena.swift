import Foundation

/// One long range of addresses, of which pieces are handed out and taken back: neighbours that are free become one, so
/// that memory which held some shapes holds others next. Not safe by itself; `Allocator` locks.
///
/// A request takes the smallest free piece that holds it (Knuth 1997, section 2.5, best fit), of equal ones the first.
/// The same requests in the same order end in the same places: a step takes what the step before it took.
package struct Arena {
    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    /// Free pieces below `mark`, by their places; no two touch.
    private var free: [Piece] = []
    /// Everything from here was never touched, or was given back to the system.
    package private(set) var mark = 0

    private struct Piece {
        var start: Int, length: Int
        var end: Int { start + length }
    }

    /// Places and lengths are multiples of this.
    package static let page = 4096
    /// Huge pages are given back whole.
    private static let hugePage = 2 << 20

    /// Addresses for as much as the machine has of memory, which costs none; nil where the system refuses.
    package init?() {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        capacity = max(1 << 30, pages * sysconf(Int32(_SC_PAGESIZE))) / Arena.hugePage * Arena.hugePage
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let length = capacity + Arena.hugePage
        guard let range = mmap(nil, length, PROT_READ | PROT_WRITE, flags, -1, 0), range != MAP_FAILED else {
            return nil
        }
        base = range.alignedUp(toMultipleOf: Arena.hugePage)
        // Fewer and larger pages: fewer faults on first use, fewer misses later.
        madvise(base, capacity, MADV_HUGEPAGE)
    }

    package func holds(_ pointer: UnsafeMutableRawPointer) -> Bool { pointer >= base && pointer < base + capacity }

    /// - Parameter bytes: a multiple of `page`.
    /// - Returns: nil where no such range is left.
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
        // A free piece at the end grows.
        let last = free.last.flatMap { $0.end == mark ? $0 : nil }
        let start = last?.start ?? mark
        guard start + bytes <= capacity else { return nil }
        if last != nil { free.removeLast() }
        mark = start + bytes
        return base + start
    }

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

    /// Gives what is free back to the system; the addresses stay.
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
