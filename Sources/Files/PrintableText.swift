extension String {
    /// The text without what could steer a terminal: control characters (escape sequences, line ends) and the
    /// characters that reverse the direction of writing become `?`. For names that come from outside.
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
