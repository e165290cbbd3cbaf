extension Int {
    /// The number with zeros before it, `digits` long at least, as names of files have it.
    public func padded(to digits: Int) -> String {
        String(repeating: "0", count: Swift.max(0, digits - "\(self)".count)) + "\(self)"
    }
}

extension String {
    /// A path without slashes at its end.
    public var withoutTrailingSlashes: String { String(reversed().drop { $0 == "/" }.reversed()) }
}
