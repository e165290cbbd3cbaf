import CKernels

/// Runs `body(0 ..< count)` on the pool, in any order; returns when all have run.
///
/// `count` must follow from the problem's shape, never from the number of threads, so that results do not depend on it.
@inline(__always)
func parallelFor(_ count: Int, _ body: (Int) -> Void) {
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
