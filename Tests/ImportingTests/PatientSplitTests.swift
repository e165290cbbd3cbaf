import Cryptography
import Datasets
import Importing
import Testing

@Suite("Split by patient")
struct PatientSplitTests {
    @Test("the shares are 0.8, 0.1, 0.1 over many patients")
    func shares() {
        let splits = PatientSplit().splits(of: (0..<4000).map { "patient \($0)" }, site: "a")
        #expect(splits.count == 4000)
        #expect(abs(splits.values.count { $0 == .train } - 3200) <= 100)
        #expect(abs(splits.values.count { $0 == .validation } - 400) <= 80)
        #expect(abs(splits.values.count { $0 == .holdout } - 400) <= 80)
    }

    @Test("with three patients or more no split is empty", arguments: 3...40)
    func noneEmpty(count: Int) {
        for site in ["a", "b", "c"] {
            let splits = PatientSplit().splits(of: (0..<count).map { "\(site)\($0)" }, site: site)
            for split in Split.allCases {
                #expect(splits.values.contains(split), "\(count) patients of \(site): no \(split)")
            }
        }
    }

    @Test("more patients move nobody, and another site splits otherwise")
    func stable() {
        let few = PatientSplit().splits(of: (0..<300).map { "p\($0)" }, site: "a")
        let many = PatientSplit().splits(of: (0..<900).map { "p\($0)" }, site: "a")
        #expect(few.allSatisfy { many[$0.key] == $0.value })
        #expect(PatientSplit().splits(of: (0..<300).map { "p\($0)" }, site: "b") != few)
    }

    @Test("keys: the same with one secret, others with another, and never the name")
    func keys() {
        let a = PatientKeys(secret: SecretBytes([UInt8](repeating: 1, count: 16))),
            b = PatientKeys(secret: SecretBytes([UInt8](repeating: 2, count: 16)))
        #expect(a.key(of: "Ann") == PatientKeys(secret: SecretBytes([UInt8](repeating: 1, count: 16))).key(of: "Ann"))
        #expect(a.key(of: "Ann") != b.key(of: "Ann") && a.key(of: "Ann") != a.key(of: "Bob"))
        #expect(a.key(of: "Ann").count == 32 && !a.key(of: "Ann").contains("Ann"))
        #expect(PatientKeys(secret: nil).key(of: "Ann") != PatientKeys(secret: nil).key(of: "Ann"))
    }

    /// As version 0.1.0 had them, when another library computed the digests.
    @Test("keys and splits are those of 0.1.0")
    func kept() {
        #expect(PatientKeys(secret: SecretBytes([UInt8](1...16))).key(of: "Ann") == "089cc4676ff695913fa374d4022c8f1d")
        let splits = PatientSplit().splits(of: (0..<60).map { "patient \($0)" }, site: "aachen")
        let digits = (0..<60).compactMap { splits["patient \($0)"] }.map { "\($0.rawValue)" }.joined()
        #expect(digits == "001000021000010000200110010000020012001020020002000000000002")
    }
}
