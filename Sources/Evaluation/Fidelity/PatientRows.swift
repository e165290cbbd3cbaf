import Randomness

/// Features of pictures and whose they are, in an order that follows from the features and patients alone.
struct PatientRows {
    let rows: FeatureRows
    let patients: [Int]

    /// - Parameter isOrderedByRows: whether the patients are mere numbers of rows, which do not count for the order.
    init(_ rows: FeatureRows, _ patients: [Int], isOrderedByRows: Bool = false) {
        let order = patients.indices.sorted { a, b in
            if !isOrderedByRows, patients[a] != patients[b] { return patients[a] < patients[b] }
            return rows[a].lexicographicallyPrecedes(rows[b])
        }
        self.rows = rows.selecting(order)
        self.patients = isOrderedByRows ? patients : order.map { patients[$0] }
    }

    private init(rows: FeatureRows, patients: [Int]) { (self.rows, self.patients) = (rows, patients) }

    /// At most `FeatureFigures.mostPictures` of the rows, drawn at random by patient.
    func limited(seed: UInt64, round: Int) -> PatientRows {
        if rows.count <= FeatureFigures.mostPictures { return self }
        var random = Philox(seed: seed, stream: .evaluationHalves, index: UInt64(round))
        let byPatient = Dictionary(grouping: patients.indices) { patients[$0] }.sorted { $0.key < $1.key }.map(\.value)
        var chosen: [Int] = []
        for place in random.permutation(byPatient.count) where chosen.count < FeatureFigures.mostPictures {
            chosen += byPatient[place]
        }
        return PatientRows(rows: rows.selecting(chosen.sorted()), patients: chosen.sorted().map { patients[$0] })
    }
}
