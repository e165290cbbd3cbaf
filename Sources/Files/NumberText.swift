extension Int {
    /// The number with leading zeros, at least `digits` characters long, as names of files have it.
    public func padded(to digits: Int) -> String {
        String(repeating: "0", count: Swift.max(0, digits - "\(self)".count)) + "\(self)"
    }
}

extension String {
    /// The path without slashes at its end.
    public var withoutTrailingSlashes: String { String(reversed().drop { $0 == "/" }.reversed()) }
}
