import Randomness

/// Photographs' patients, divided at random: photographs of one patient are always on the same side.
struct PatientHalves {
    /// Rows of both halves, equally many.
    let first: [Int], second: [Int]
    /// As many rows of synthetic pictures.
    let synthetic: [Int]

    /// - Parameters:
    ///   - patients: the patient of each row of photographs.
    ///   - synthetic: the number of synthetic pictures.
    ///   - round: which of the divisions.
    init(patients: [Int], synthetic: Int, seed: UInt64, round: Int) {
        var random = Philox(seed: seed, stream: .evaluationHalves, index: UInt64(round))
        let order = Array(Set(patients)).sorted(), places = random.permutation(order.count)
        let chosen = Set(places.prefix(order.count / 2).map { order[$0] })
        let rows = random.permutation(patients.count)
        let first = rows.filter { chosen.contains(patients[$0]) },
            second = rows.filter { !chosen.contains(patients[$0]) }
        let count = min(first.count, second.count, synthetic)
        (self.first, self.second) = (Array(first.prefix(count)), Array(second.prefix(count)))
        self.synthetic = Array(random.permutation(synthetic).prefix(count))
    }
}
