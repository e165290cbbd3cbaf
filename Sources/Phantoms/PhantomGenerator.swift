import Dispatch
import Files

/// The photographs of a data set of phantoms: `patients` patients, each photographed `visits` times, in the order of
/// patients and then visits.
///
/// Phantom i follows from the seed, the number of visits, the size and i alone. It does not depend on `patients`, on
/// threads or on the order of rendering.
public struct PhantomGenerator: Sendable {
    public let seed: UInt64
    /// The number of patients; one eye of each is photographed.
    public let patients: Int
    /// The number of photographs of each eye.
    public let visits: Int
    /// Width and height in pixels.
    public let size: Int

    /// - Throws: `Failure(.usage)` where a number is out of range.
    public init(patients: Int, size: Int, visits: Int = 1, seed: UInt64) throws {
        func require(_ value: Int, in range: ClosedRange<Int>, _ option: String) throws {
            guard range.contains(value) else {
                throw Failure(
                    .usage, option: option, expected: "\(range.lowerBound) to \(range.upperBound)", found: "\(value)")
            }
        }
        try require(patients, in: 1...10_000_000, "count")
        try require(visits, in: 1...1000, "visits")
        try require(size, in: 32...4096, "size")
        self.seed = seed
        self.patients = patients
        self.visits = visits
        self.size = size
    }

    /// The number of photographs.
    public var count: Int { patients * visits }

    /// Makes the photograph with this index.
    public func phantom(_ index: Int) -> Phantom {
        guard (0..<count).contains(index) else { fatalError("phantom \(index) of \(count)") }
        let eye = PhantomEye(PhantomPatient(seed: seed, number: index / visits))
        return Phantom(eye, PhantomVisit(eye, number: index % visits), size: size)
    }

    /// Makes the photographs of `range`, in parallel.
    public func phantoms(_ range: Range<Int>, threads: Int) -> [Phantom] {
        guard range.lowerBound >= 0, range.upperBound <= count else { fatalError("phantoms \(range) of \(count)") }
        guard threads > 1, range.count > 1 else { return range.map(phantom) }
        return [Phantom](unsafeUninitializedCapacity: range.count) { buffer, initialized in
            nonisolated(unsafe) let slots = buffer.baseAddress
            let workers = min(threads, range.count)
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                for offset in stride(from: worker, to: range.count, by: workers) {
                    slots?.advanced(by: offset).initialize(to: phantom(range.lowerBound + offset))
                }
            }
            initialized = range.count
        }
    }
}
