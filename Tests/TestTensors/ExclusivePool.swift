import TensorCore
import Testing

/// For tests that set the number of threads, which is the whole process's: one of them runs at a time, in whatever
/// suite it stands, and the number is what it was when it ends.
public struct ExclusivePool: TestTrait, SuiteTrait, TestScoping {
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await ExclusivePool.run(function)
    }

    /// Runs `body` while no other such body runs. One within another does not wait for it.
    public static func run(_ body: @Sendable () async throws -> Void) async throws {
        if isHeld { return try await body() }
        await line.enter()
        let before = ComputeEnvironment.threads
        do {
            try await $isHeld.withValue(true) { try await body() }
        } catch {
            ComputeEnvironment.threads = before
            await line.leave()
            throw error
        }
        ComputeEnvironment.threads = before
        await line.leave()
    }

    @TaskLocal private static var isHeld = false
    private static let line = Line()

    /// Who waits, first come first served.
    private actor Line {
        private var isTaken = false
        private var waiting: [CheckedContinuation<Void, Never>] = []

        func enter() async {
            if isTaken { return await withCheckedContinuation { waiting.append($0) } }
            isTaken = true
        }

        /// Whoever has waited longest is next: it stays taken.
        func leave() {
            if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
        }
    }
}

extension Trait where Self == ExclusivePool {
    /// One test at a time of those that set `ComputeEnvironment.threads`, which is restored.
    public static var exclusivePool: ExclusivePool { ExclusivePool() }
}
