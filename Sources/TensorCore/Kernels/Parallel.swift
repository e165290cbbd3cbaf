import CKernels

/// Runs `body(0 ..< count)` on the pool, in any order, and returns when all calls have ended.
///
/// `count` must follow from the problem's shape and never from the number of threads, so that results do not depend on
/// the number of threads.
@inline(__always)
package func parallelFor(_ count: Int, _ body: (Int) -> Void) {
    if count == 1 { return body(0) }
    withoutActuallyEscaping(body) { escapable in
        var closure = escapable
        withUnsafeMutablePointer(to: &closure) { pointer in
            fovea_parallel_for(
                count,
                { context, index in
                    context.unsafelyUnwrapped.assumingMemoryBound(to: ((Int) -> Void).self).pointee(index)
                }, pointer)
        }
    }
}

/// Cuts `count` elements into runs of `grain` and calls `body(start, length)` for each, on the pool.
func parallelRuns(_ count: Int, grain: Int = 32768, _ body: (Int, Int) -> Void) {
    let runs = (count + grain - 1) / grain
    parallelFor(runs) { run in
        let start = run * grain
        body(start, min(grain, count - start))
    }
}

/// Scratch memory of the calling thread, handed out piece by piece. It is valid until the same thread makes another
/// `Scratch`.
struct Scratch {
    private var next: UnsafeMutablePointer<Float>

    /// - Parameter floats: the sum over all pieces.
    init(floats: Int) {
        // Pieces begin at multiples of 64 bytes.
        next = fovea_thread_scratch(0, floats + 16 * 16).unsafelyUnwrapped
    }

    mutating func take(_ floats: Int) -> UnsafeMutablePointer<Float> {
        defer { next += (floats + 15) / 16 * 16 }
        return next
    }
}
