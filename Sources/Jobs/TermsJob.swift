import Datasets
import Files
import Foundation

/// States the licence and the source of a data set's photographs after the import. Models that are trained later take
/// them over; models that were trained before stay as they are.
public struct TermsJob: Job {
    /// A data set, which is changed.
    public var dataset: String
    /// The photographs' licence, and where they come from; nil leaves what is stated.
    public var licence, source: String?
    /// Whether terms that are stated already may be replaced.
    public var replaces = false

    public init(_ dataset: String) { self.dataset = dataset }

    public var inputs: [JobInput] { [JobInput(dataset, .dataset, setting: nil)] }

    public struct Outcome: JobOutcome {
        public let dataset, licence, source: String

        public var lines: [String] {
            [
                "\(dataset): licence \(licence); source \(source)",
                "models that were trained on it before still state the old terms",
            ]
        }
    }

    public func validate() throws {
        if licence == nil, source == nil {
            throw Failure(.usage, option: "licence", expected: "a licence, a source or both", found: "nothing")
        }
        for (name, value) in [("licence", licence), ("source", source)] {
            guard let value, value.isEmpty || value != value.printable else { continue }
            throw Failure(
                .usage, option: name, expected: "a text on one line", found: value.isEmpty ? "nothing" : "\"\(value)\"")
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        var terms = try await DatasetTerms(of: dataset)
        let before = terms
        terms.licence = licence ?? before.licence
        terms.source = source ?? before.source
        if !replaces {
            let unstated: Set = [ImportJob.unstated, "unspecified"]
            for (name, old, new) in [
                ("licence", before.licence, terms.licence), ("source", before.source, terms.source),
            ] where old != new && !unstated.contains(old) {
                throw Failure(
                    .cannotCreateOutput, dataset, "states the \(name) \"\(old.excerpt)\" already", remedy: .replace)
            }
        }
        try await terms.write(to: dataset, on: Day.text(Date()))
        return Outcome(dataset: dataset, licence: terms.licence, source: terms.source)
    }
}
