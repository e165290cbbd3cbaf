extension String {
    /// The text with `?` in place of everything that could steer a terminal: control characters (escape sequences, line
    /// ends), and invisible characters such as those that reverse the direction of writing. For names that come from
    /// outside.
    public var printable: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .lineSeparator, .paragraphSeparator, .surrogate: "?"
                    case .format: scalar == "\u{200D}" ? scalar : "?"
                    default: scalar
                    }
                }))
    }
}
