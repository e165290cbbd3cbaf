import Auditing
import Classification
import Datasets
import EvaluationPages
import Files
import Foundation
import Pictures
import Usefulness

extension EvaluationRecord {
    /// A record without figures.
    init(_ inputs: EvaluationInputs, _ data: EvaluationData) {
        func side(_ source: AuditSource, pictures: Int, patients: Int?, digest: Digest? = nil) -> Side {
            var site: String?
            if case .dataset(let file) = source.content { site = file.info.site }
            return Side(
                name: EvaluationData.name(source), site: site, pictures: pictures, patients: patients, digest: digest)
        }
        let tests = data.tests.map { test in
            side(test.source, pictures: test.set.count, patients: test.set.patientCount)
        }
        self.init(
            samples: side(
                inputs.samples, pictures: data.synthetic.count, patients: nil, digest: inputs.samples.digest),
            training: side(
                inputs.train, pictures: data.training.count,
                patients: Set(data.training.pictures.patients).count),
            tests: tests, date: Day.text(Date()))
    }
}
