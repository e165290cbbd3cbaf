import Datasets
import Diffusion
import Training

/// One side of a membership test: photographs of patients at a model's size, with their cohorts in the model's
/// encoding.
package struct AuditPhotographs: Sendable {
    package let photographs: TrainingSet
    /// The patient of each photograph, as a number from 0 on. Patients are numbered in the order in which they appear.
    package let patients: [Int]
    package let patientCount: Int

    package var count: Int { photographs.count }

    /// - Parameter parts: rows of data sets. The same key in two data sets stands for two patients.
    /// - Throws: `Failure(.badData)` where a data set is smaller than the model's pictures.
    package init(_ parts: [(dataset: DatasetFile, rows: [Int])], of description: ModelDescription) async throws {
        var photographs = try await TrainingSet(parts, size: description.width, encoding: description.cohort)
        photographs.measure(description.space.maps)
        self.photographs = photographs
        var known: [String: Int] = [:], numbers: [Int] = []
        for (place, part) in parts.enumerated() {
            for row in part.rows {
                let key = "\(place)/\(part.dataset.patients[row])", next = known.count
                let number = known[key] ?? next
                known[key] = number
                numbers.append(number)
            }
        }
        patients = numbers
        patientCount = known.count
    }

    /// The mean of `values` over each patient's photographs.
    package func byPatient(_ values: [Double]) -> [Double] {
        var sums = [Double](repeating: 0, count: patientCount), counts = sums
        for (patient, value) in zip(patients, values) {
            sums[patient] += value
            counts[patient] += 1
        }
        return zip(sums, counts).map { $0 / $1 }
    }
}
