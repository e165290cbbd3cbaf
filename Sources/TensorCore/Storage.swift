import Foundation

/// A block of float32 memory, 64-byte aligned. It goes back to the allocator when the last tensor that holds it is
/// gone.
///
/// Only the operation that makes a block writes it (or the optimizer, which owns its parameters), and after that it is
/// only read. This is why it is safe to send.
final class Storage: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
    private let bytes: Int

    init(count: Int) {
        (pointer, bytes) = Allocator.shared.take(floats: count)
    }

    deinit {
        Allocator.shared.give(pointer, bytes: bytes)
    }
}

/// At most one value of each type.
final class DerivedValues: @unchecked Sendable {
    private let lock = NSLock()
    private var values: [ObjectIdentifier: any Sendable] = [:]

    func value<Value: Sendable>(_ make: () -> Value) -> Value {
        if let kept = lock.withLock({ values[ObjectIdentifier(Value.self)] }) as? Value { return kept }
        let made = make()
        lock.withLock { values[ObjectIdentifier(Value.self)] = made }
        return made
    }
}

/// Keeps freed memory, so that after the first steps no memory comes from the system. Small blocks are kept by size,
/// larger blocks in an arena.
public final class Allocator: @unchecked Sendable {
    static let shared = Allocator()

    private let lock = NSLock()
    private var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
    private var arena = Arena()
    private var bytesInUse = 0
    private var peakBytes = 0
    private var systemAllocations = 0
    private var bytesFromSystem = 0

    /// The bytes handed out now, their peak since the start, and how often memory came from the system.
    public static var statistics: (bytesInUse: Int, peakBytes: Int, systemAllocations: Int) {
        shared.lock.withLock { (shared.bytesInUse, shared.peakBytes, shared.systemAllocations) }
    }

    /// The bytes that `work` takes from the system when no freed memory is kept from before. The freed memory is given
    /// back afterwards.
    public static func systemBytes(_ work: () -> Void) -> Int { shared.systemBytes(work) }

    private func systemBytes(_ work: () -> Void) -> Int {
        releaseCached()
        let (before, inUse, peak) = lock.withLock {
            defer { peakBytes = bytesInUse }
            return (bytesFromSystem, bytesInUse, peakBytes)
        }
        work()
        defer { releaseCached() }
        return lock.withLock {
            defer { peakBytes = max(peak, peakBytes) }
            // The arena's gaps were given back, too. Using them again takes memory from the system without being
            // counted.
            return max(bytesFromSystem - before, peakBytes - inUse)
        }
    }

    /// Gives all kept memory back to the system.
    private func releaseCached() {
        let blocks = lock.withLock {
            arena?.release()
            defer { free = [:] }
            return free.values.flatMap(\.self)
        }
        for block in blocks { Foundation.free(block) }
    }

    /// Blocks of at least this many bytes are taken from the arena.
    private static let arenaFrom = 64 << 10

    /// Small sizes are rounded up to eighths of a power of two, so that similar shapes share blocks.
    private static func rounded(_ bytes: Int) -> Int {
        guard bytes > 512 else { return 512 }
        let step = max(64, 1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount - 3))
        let small = (bytes + step - 1) / step * step
        // A size that is rounded up to `arenaFrom` goes to the arena as well, and needs the extra page.
        guard small >= arenaFrom else { return small }
        // One page is added for the stagger. The number of pages is odd, so that blocks of one size begin in different
        // sets of the caches.
        return ((bytes + Arena.page - 1) / Arena.page + 1 | 1) * Arena.page
    }

    fileprivate func take(floats: Int) -> (UnsafeMutablePointer<Float>, Int) {
        let bytes = Allocator.rounded(floats * MemoryLayout<Float>.stride)
        let kept: UnsafeMutablePointer<Float>? = lock.withLock {
            bytesInUse += bytes
            peakBytes = max(peakBytes, bytesInUse)
            if bytes >= Allocator.arenaFrom, let block = takeFromArena(bytes) { return block }
            if let block = free[bytes]?.popLast() { return block }
            systemAllocations += 1
            bytesFromSystem += bytes
            return nil
        }
        if let kept { return (kept, bytes) }
        var raw: UnsafeMutableRawPointer?
        guard posix_memalign(&raw, 64, bytes) == 0, let raw else {
            fatalError("out of memory: \(bytes) bytes for a tensor, \(bytesInUse) in use")
        }
        return (raw.bindMemory(to: Float.self, capacity: bytes / MemoryLayout<Float>.stride), bytes)
    }

    /// The caller must hold the lock.
    private func takeFromArena(_ bytes: Int) -> UnsafeMutablePointer<Float>? {
        let before = arena?.mark ?? 0
        guard let block = arena?.take(bytes) else { return nil }
        let grown = (arena?.mark ?? 0) - before
        if grown > 0 { systemAllocations += 1 }
        bytesFromSystem += grown
        let elements = block + Allocator.stagger(block)
        return elements.bindMemory(to: Float.self, capacity: (bytes - Arena.page) / MemoryLayout<Float>.stride)
    }

    /// Where a block's elements begin in its first page. If all blocks began at the same place, loads from one block
    /// would wait for stores to another whose addresses have the same lower twelve bits.
    private static func stagger(_ block: UnsafeMutableRawPointer) -> Int {
        let number = UInt32(truncatingIfNeeded: UInt(bitPattern: block) / UInt(Arena.page))
        return Int((number &* 0x9e37_79b1) >> 26) * 64
    }

    fileprivate func give(_ pointer: UnsafeMutablePointer<Float>, bytes: Int) {
        lock.withLock {
            bytesInUse -= bytes
            if arena?.holds(pointer) ?? false {
                let start = UInt(bitPattern: pointer) / UInt(Arena.page) * UInt(Arena.page)
                if let block = UnsafeMutableRawPointer(bitPattern: start) { arena?.give(block, bytes: bytes) }
            } else {
                free[bytes, default: []].append(pointer)
            }
        }
    }
}
