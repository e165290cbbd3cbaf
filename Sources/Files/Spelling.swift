/// Finds the name that was probably meant.
public enum Spelling {
    /// The name with the fewest edits; nil where every name needs more than a third of its letters changed.
    public static func nearest(to word: String, among names: [String]) -> String? {
        let letters = Array(word.lowercased())
        let best = names.map { (name: $0, edits: edits(letters, Array($0))) }.min { $0.edits < $1.edits }
        guard let best, best.edits * 3 <= max(word.count, best.name.count) else { return nil }
        return best.name
    }

    /// The fewest insertions, deletions, substitutions and exchanges of neighbours that turn `a` into `b` (Damerau
    /// 1964, with each letter edited once).
    private static func edits(_ a: [Character], _ b: [Character]) -> Int {
        var rows = [Array(0...b.count)]
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var least = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
