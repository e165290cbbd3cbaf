import Dispatch
import Synchronization
import TensorCore
import Testing

@Suite("How the process starts")
struct StartTests {
    @Test(
        "what keeps OpenBLAS from starting threads does not keep other libraries from using all cores",
        .enabled(if: ComputeEnvironment.availableCores > 1, "this machine has a single core"))
    func cores() {
        let arrived = Atomic<Int>(0), met = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 2) { _ in
            arrived.wrappingAdd(1, ordering: .relaxed)
            let end = ContinuousClock.now + .seconds(20)
            while arrived.load(ordering: .relaxed) < 2, ContinuousClock.now < end {}
            if arrived.load(ordering: .relaxed) == 2 { met.wrappingAdd(1, ordering: .relaxed) }
        }
        // On a single thread, the first one waits in vain.
        #expect(met.load(ordering: .relaxed) == 2)
    }
}
