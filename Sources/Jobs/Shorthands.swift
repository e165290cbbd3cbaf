import Datasets
import Figures

extension DatasetFile {
    /// Opens several data sets, in order.
    /// - Throws: the failures of `open`.
    static func open(all paths: [String]) async throws -> [DatasetFile] {
        var files: [DatasetFile] = []
        for path in paths { files.append(try await open(path)) }
        return files
    }
}

extension Int {
    /// The number with a noun, such as `1 file` and `2 files`.
    func of(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}

extension Double {
    /// At most four significant digits, for people.
    var short: String { NumberText.number(self) }
}

extension Optional {
    /// `map` with an asynchronous body.
    func asyncMap<Result>(_ body: (Wrapped) async throws -> Result) async rethrows -> Result? {
        guard let self else { return nil }
        return try await body(self)
    }
}
