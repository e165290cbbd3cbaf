import Statistics

/// The classes of pictures: what was asked, or what photographs show, and what a classifier reads.
package struct ReadLabels: Sendable {
    let asked, read: [Int]
    /// The rows of each patient; of synthetic pictures, each row by itself.
    let groups: [[Int]]
    /// The shares of what is read, [asked][read]. A row is empty where nothing was asked, and where photographs are of
    /// fewer than ten patients, whom one could count.
    let shares: [[Double]]
    private let classes: Int

    /// - Parameters:
    ///   - labels: what was asked, or what photographs show.
    ///   - probabilities: what is read, [row][class].
    ///   - patients: the patient of each row; nil for synthetic pictures.
    package init(labels: [Int], probabilities: [[Double]], patients: [Int]?, classes: Int) {
        (asked, self.classes) = (labels, classes)
        let read = probabilities.map(\.indexOfLargest)
        self.read = read
        groups = Dictionary(grouping: labels.indices) { patients?[$0] ?? $0 }.sorted { $0.key < $1.key }.map(\.value)
        shares = (0..<classes).map { asked in
            let own = labels.indices.filter { labels[$0] == asked }
            if let patients, Set(own.map { patients[$0] }).count < CellAreas.leastPatients { return [] }
            if own.isEmpty { return [] }
            return (0..<classes).map { number in Double(own.count { read[$0] == number }) / Double(own.count) }
        }
    }

    /// The mean over the classes of the share that is read rightly.
    var balancedAccuracy: Double { balancedAccuracy(groups: Array(groups.indices)) }

    /// The same for the rows of some groups. A group that is named twice counts twice.
    func balancedAccuracy(groups numbers: [Int]) -> Double {
        var (all, right) = ([Double](repeating: 0, count: classes), [Double](repeating: 0, count: classes))
        for row in numbers.lazy.flatMap({ groups[$0] }) {
            all[asked[row]] += 1
            if read[row] == asked[row] { right[asked[row]] += 1 }
        }
        let shares = (0..<classes).filter { all[$0] > 0 }.map { right[$0] / all[$0] }
        return shares.reduce(0, +) / Double(shares.count)
    }
}
