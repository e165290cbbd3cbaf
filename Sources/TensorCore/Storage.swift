import Foundation

/// A block of float32 memory, 64-byte aligned, given back to the allocator when its last tensor goes.
///
/// Written once, by the operation that makes it (or by the optimizer, which owns its parameters), and read after that;
/// that discipline is what makes it safe to send.
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

/// Values by their type: one of each.
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

/// Keeps freed blocks by size, so that after the first steps no new memory comes from the system.
public final class Allocator: @unchecked Sendable {
    static let shared = Allocator()

    private let lock = NSLock()
    private var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
    private var bytesInUse = 0
    private var peakBytes = 0
    private var systemAllocations = 0
    private var bytesFromSystem = 0

    /// Bytes handed out now, their peak since the start, and how often memory came from the system.
    public static var statistics: (bytesInUse: Int, peakBytes: Int, systemAllocations: Int) {
        shared.lock.withLock { (shared.bytesInUse, shared.peakBytes, shared.systemAllocations) }
    }

    /// Bytes that `work` takes from the system when nothing is kept from before; nothing of it is kept afterwards. What blocks
    /// are rounded up by does not count: it is never touched.
    public static func systemBytes(_ work: () -> Void) -> Int {
        shared.releaseCached()
        let before = shared.lock.withLock { shared.bytesFromSystem }
        work()
        defer { shared.releaseCached() }
        return shared.lock.withLock { shared.bytesFromSystem } - before
    }

    private func releaseCached() {
        let blocks = lock.withLock {
            defer { free = [:] }
            return free.values.flatMap(\.self)
        }
        for block in blocks { Foundation.free(block) }
    }

    /// Blocks of at least so many bytes begin at a huge page.
    private static let hugeFrom = 4 << 20

    /// Sizes are rounded up to eighths of a power of two, so that similar shapes share blocks: at most 12.5 % lost.
    private static func rounded(_ bytes: Int) -> Int {
        guard bytes > 512 else { return 512 }
        let step = max(64, 1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount - 3))
        return (bytes + step - 1) / step * step
    }

    fileprivate func take(floats: Int) -> (UnsafeMutablePointer<Float>, Int) {
        let bytes = Allocator.rounded(floats * MemoryLayout<Float>.stride)
        let cached: UnsafeMutablePointer<Float>? = lock.withLock {
            bytesInUse += bytes
            peakBytes = max(peakBytes, bytesInUse)
            if let block = free[bytes]?.popLast() { return block }
            systemAllocations += 1
            bytesFromSystem += floats * MemoryLayout<Float>.stride
            return nil
        }
        if let cached { return (cached, bytes) }
        var raw: UnsafeMutableRawPointer?
        let alignment = bytes >= Allocator.hugeFrom ? 1 << 21 : 64
        guard posix_memalign(&raw, alignment, bytes) == 0, let raw else {
            fatalError("out of memory: \(bytes) bytes for a tensor, \(bytesInUse) in use")
        }
        // Fewer and larger pages: fewer faults on first use, fewer misses later.
        if bytes >= Allocator.hugeFrom { madvise(raw, bytes, MADV_HUGEPAGE) }
        return (raw.bindMemory(to: Float.self, capacity: bytes / MemoryLayout<Float>.stride), bytes)
    }

    fileprivate func give(_ pointer: UnsafeMutablePointer<Float>, bytes: Int) {
        lock.withLock {
            bytesInUse -= bytes
            free[bytes, default: []].append(pointer)
        }
    }
}
