import SampleStore

extension SampleSetFile {
    /// What each sample was asked to be, and the noise that it came from.
    public var planned: [PlannedSample] { (0..<count).map { planned(row: $0) } }

    /// The same of one row.
    public func planned(row: Int) -> PlannedSample {
        let positions = requests.compactMapValues { $0[row].isNaN ? nil : $0[row] }
        return PlannedSample(
            request: CohortRequest(cohort: cohort(row: row), positions: positions), seed: seeds[row],
            index: indices[row])
    }
}
