import CCrypto
import Cryptography
import Foundation
import Testing

/// Bytes of keys: where they come from, and that they do not stay.
@Suite struct SecretBytesTests {
    @Test func copiesHoldWhatTheyWereGiven() {
        for count in [0, 1, 32, 1000] {
            let original = (0..<count).map { UInt8(truncatingIfNeeded: $0) }, copy = SecretBytes(original)
            #expect(copy.count == count)
            #expect(copy.withUnsafeBytes { Array($0) } == original)
        }
    }

    @Test func randomBytesDiffer() {
        let found = (0..<100).map { _ in SecretBytes(randomCount: 32).withUnsafeBytes { Array($0) } }
        #expect(Set(found).count == 100)
        // 25,600 fair bits: the count of ones has a standard deviation of 80.
        let ones = found.joined().reduce(0) { $0 + $1.nonzeroBitCount }
        #expect(abs(ones - 12_800) < 6 * 80)
    }

    @Test func wipedDataIsEmptyAndItsMemoryZero() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0xa5, count: 64)
        var data = Data(bytesNoCopy: memory, count: 64, deallocator: .none)
        data.wipe()
        #expect(data.isEmpty)
        #expect(UnsafeRawBufferPointer(start: memory, count: 64).allSatisfy { $0 == 0 })
        data.wipe()
        #expect(data.isEmpty)
    }

    /// A generator that does not exist stands for a system that gives none.
    @Test func withoutRandomnessTheProcessEnds() async throws {
        let result = try #require(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                guard RAND_set_DRBG_type(OpenSSL.context, "NO-SUCH-GENERATOR", nil, nil, nil) == 1 else { return }
                _ = SecretBytes(randomCount: 32)
            })
        #expect(String(decoding: result.standardErrorContent, as: UTF8.self).contains("The system gives no randomness"))
    }
}
