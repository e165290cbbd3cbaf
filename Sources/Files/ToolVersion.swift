/// The version that files and reports name.
public enum ToolVersion {
    public static let current = "0.1.0"
}
