import Datasets
import Files
import Figures

extension DatasetFile {
    /// Opens several data sets, in order.
    /// - Throws: the failures of `open`.
    /// A file that is named twice, also through a link, is opened once, and `report` warns.
    static func open(all paths: [String], _ report: JobReporter) async throws -> [DatasetFile] {
        var files: [DatasetFile] = [], known: [RegularFile.Identity: String] = [:]
        for path in paths {
            if let identity = RegularFile.Identity(path) {
                if let first = known[identity] {
                    let sameName = first == path ? "" : ", as \(first) and as \(path)"
                    report.warn("\(path): this data set was given twice\(sameName); it is used once")
                    continue
                }
                known[identity] = path
            }
            files.append(try await open(path))
        }
        return files
    }
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
