import SampleStore

extension SampleSetFile {
    /// The request and the noise of each sample.
    public var planned: [PlannedSample] { (0..<count).map { planned(row: $0) } }

    /// The request and the noise of one sample.
    public func planned(row: Int) -> PlannedSample {
        let positions = requests.compactMapValues { $0[row].isNaN ? nil : $0[row] }
        return PlannedSample(
            request: CohortRequest(cohort: cohort(row: row), positions: positions, asked: asked(row: row)),
            seed: seeds[row], index: indices[row])
    }
}
