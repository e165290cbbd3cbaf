/// Chooses the rows that a page shows where it cannot show all.
package enum Selection {
    /// Rows spread evenly over groups, and over each group's rows.
    ///
    /// Every group gives the same number of rows. A group that has fewer rows gives all of them, and the others share
    /// the places that are left. Where there are more groups than places, groups are taken at even distances.
    /// - Parameter groups: the group of each row.
    /// - Returns: at most `most` rows, ascending. The same arguments give the same rows.
    package static func rows(groups: [some Hashable], most: Int) -> [Int] {
        guard groups.count > most else { return Array(groups.indices) }
        let members = Dictionary(grouping: groups.indices) { groups[$0] }.values.sorted { $0[0] < $1[0] }
        var taken = [Int](repeating: 0, count: members.count)
        var left = most
        while left > 0 {
            let hungry = members.indices.filter { taken[$0] < members[$0].count }
            let share = left / hungry.count
            for group in share > 0 ? hungry : spread(hungry, count: left) {
                let more = min(max(share, 1), members[group].count - taken[group])
                taken[group] += more
                left -= more
            }
        }
        return zip(members, taken).flatMap { spread($0, count: $1) }.sorted()
    }

    /// Takes `count` of `elements` at even distances.
    static func spread<Element>(_ elements: [Element], count: Int) -> [Element] {
        guard count < elements.count else { return elements }
        return (0..<count).map { elements[(2 * $0 + 1) * elements.count / (2 * count)] }
    }
}
