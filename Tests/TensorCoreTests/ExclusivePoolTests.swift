import Synchronization
import TensorCore
import TestTensors
import Testing

/// What the tests rely on that set the number of threads.
@Suite struct ExclusivePoolTests {
    /// How many bodies are running, and the most that were at a time.
    private final class Counter: Sendable {
        private let counts = Mutex((now: 0, most: 0, all: 0))
        var most: Int { counts.withLock { $0.most } }
        var all: Int { counts.withLock { $0.all } }
        func enter() { counts.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.all + 1) } }
        func leave() { counts.withLock { $0.now -= 1 } }
    }

    private struct Stop: Error {}

    @Test func `bodies that set the number of threads run one at a time, and it is restored`() async throws {
        let counter = Counter(), numbers = Mutex<[Int]>([])
        try await ExclusivePool.run { numbers.withLock { $0.append(ComputeEnvironment.threads) } }
        // Whoever fails lets the next one in, too.
        let failed = await withTaskGroup(of: Bool.self) { group in
            for number in 1...8 {
                group.addTask {
                    do {
                        try await ExclusivePool.run {
                            counter.enter()
                            ComputeEnvironment.threads = number % 4 + 1
                            try await Task.sleep(for: .milliseconds(2))
                            #expect(ComputeEnvironment.threads == number % 4 + 1)
                            counter.leave()
                            throw Stop()
                        }
                        return false
                    } catch { return error is Stop }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        try await ExclusivePool.run { numbers.withLock { $0.append(ComputeEnvironment.threads) } }
        #expect(failed == 8 && counter.all == 8 && counter.most == 1)
        let found = numbers.withLock { $0 }
        #expect(found.count == 2 && found.first == found.last)
    }

    @Test(.exclusivePool) func `one within another does not wait for it`() async throws {
        let counter = Counter()
        try await ExclusivePool.run { counter.enter() }
        #expect(counter.all == 1)
    }
}
