import Auditing
import Datasets
import Testing

@Suite struct AuditOutlookTests {
    /// The sentence for patients of one photograph each.
    private func sentence(train: Int, validation: Int, holdout: Int) -> String {
        let splits =
            [Split](repeating: .train, count: train) + [Split](repeating: .validation, count: validation)
            + [Split](repeating: .holdout, count: holdout)
        return AuditOutlook(patients: splits.indices.map(String.init), splits: splits).sentence
    }

    @Test func `too few photographs or held-back patients cannot be audited at all`() {
        for (train, validation, holdout) in [(7, 10, 20), (100, 0, 0), (100, 0, 1), (0, 0, 0)] {
            let sentence = sentence(train: train, validation: validation, holdout: holdout)
            #expect(sentence.hasPrefix("privacy audit: cannot run with \(train) training patients"), "\(sentence)")
            #expect(sentence.contains("at least 8 photographs"))
        }
        #expect(!sentence(train: 8, validation: 0, holdout: 2).contains("cannot run"))
    }

    @Test func `what to expect follows from what was measured`() {
        for (train, part, hasAdvice) in [
            (12, "expect no pass", true), (33, "expect no pass", true), (34, "a pass is possible but not sure", true),
            (325, "a pass is possible but not sure", true), (326, "expect enough power for a pass", false),
        ] {
            let sentence = sentence(train: train, validation: 10, holdout: 20)
            #expect(sentence.contains("\(train) training patients (\(train) photographs) and 10 and 10 held back"))
            #expect(sentence.contains(part), "\(train): \(sentence)")
            #expect(sentence.contains("federation") == hasAdvice)
            #expect(sentence.contains("80 % of the copies"))
        }
    }

    @Test func `patients count, not photographs`() {
        let patients = (0..<400).map { "\($0 % 20)" }
        let splits = patients.map { Int($0)! < 16 ? Split.train : .holdout }
        let sentence = AuditOutlook(patients: patients, splits: splits).sentence
        #expect(sentence.contains("16 training patients (320 photographs)"))
        #expect(sentence.contains("expect no pass"))
    }
}
