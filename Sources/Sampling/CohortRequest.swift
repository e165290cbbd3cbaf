import Cohorts
import Diffusion
import Files

/// The values that some samples are asked to have.
///
/// A request may name several values of an attribute, such as `age_band=70-79|80+`. Such a request is joined: each
/// sample is drawn for one of its members, which have one value of each attribute.
public struct CohortRequest: Hashable, Sendable {
    /// The names of codes by attribute, as the sample set stores them.
    public let cohort: Cohort
    /// Positions on the lines of ordinal attributes, such as 2.5, where values were asked for as numbers.
    public let positions: [String: Float]
    /// The names of the codes of which one is asked for, by attribute; empty in a request that is not joined.
    public let alternatives: [String: [String]]
    /// The text of the joined request that this request is a member of; nil for a request that stands for itself.
    public let asked: String?

    /// A request that leaves every attribute open.
    public static let open = CohortRequest(cohort: Cohort(), positions: [:])

    init(
        cohort: Cohort, positions: [String: Float], alternatives: [String: [String]] = [:], asked: String? = nil
    ) {
        self.cohort = cohort
        self.positions = positions
        self.alternatives = alternatives
        self.asked = asked
    }

    /// A request for exactly these values. Names of open attributes, such as cameras, may hold any character.
    public init(_ cohort: Cohort) {
        let positions = cohort.values.compactMap { name, value in
            CohortSchema.attribute(name).flatMap { RequestedValue.position(of: value, $0) }.map { (name, $0) }
        }
        self.init(cohort: cohort, positions: Dictionary(uniqueKeysWithValues: positions))
    }

    /// Reads a text such as `dr_icdr=3,sex=female`, `age_band=70-79|80+` or `dr_icdr=2..4`.
    /// - Throws: `Failure(.usage)` for another format, an unknown attribute, an attribute that is named twice, or a
    ///   value that the attribute does not have.
    public init(_ text: String) throws {
        var values: [(String, String)] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty else {
                throw Failure(
                    .usage, option: "cohort",
                    expected: "attribute=value,... with | between several values of one attribute", found: text)
            }
            values.append((sides[0], sides[1]))
        }
        try self.init(values, place: "cohort \(text)")
    }

    /// - Parameter place: where the values come from, for errors.
    init(_ values: [(attribute: String, value: String)], place: String) throws {
        var cohort = Cohort(), positions: [String: Float] = [:], alternatives: [String: [String]] = [:]
        for (name, value) in values {
            guard let attribute = CohortSchema.attribute(name) else {
                let known = CohortSchema.attributes.map(\.name).joined(separator: ", ")
                throw Failure(.usage, place, "\(name) is not an attribute of the schema (\(known))")
            }
            guard cohort[name] == nil, positions[name] == nil, alternatives[name] == nil else {
                throw Failure(.usage, place, "\(name) occurs twice")
            }
            switch try RequestedValue(value, of: attribute, place: place) {
            case .name(let value, let position):
                cohort[name] = value
                positions[name] = position
            case .position(let position): positions[name] = position
            case .oneOf(let names): alternatives[name] = names
            }
        }
        self.init(cohort: cohort, positions: positions, alternatives: alternatives)
    }

    /// The attributes of which a value is asked for.
    public var attributes: Set<String> {
        Set(cohort.values.keys).union(positions.keys).union(alternatives.keys)
    }

    /// Whether several values of an attribute are asked for.
    public var isJoined: Bool { !alternatives.isEmpty }

    /// The requests with one value of each attribute that a joined request stands for; the request itself where it is
    /// not joined.
    public var members: [CohortRequest] {
        guard isJoined else { return [self] }
        let text = text
        let combinations = alternatives.sorted { $0.key < $1.key }.reduce([[:]]) {
            (found: [[String: String]], each) in
            found.flatMap { member in each.value.map { member.merging([each.key: $0]) { $1 } } }
        }
        return combinations.map { values in
            var positions = positions
            for (name, value) in values {
                guard let attribute = CohortSchema.attribute(name) else { continue }
                positions[name] = RequestedValue.position(of: value, attribute)
            }
            return CohortRequest(
                cohort: Cohort(cohort.values.merging(values) { $1 }), positions: positions, asked: text)
        }
    }

    /// The request in the order of the attributes' names, such as `age_band=70-79|80+, sex=female`.
    public var text: String {
        var values = cohort.values
        for (name, position) in positions where values[name] == nil { values[name] = "\(position)" }
        for (name, names) in alternatives { values[name] = names.joined(separator: "|") }
        return values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }

    /// The request as values of a model's encoding. A joined request has none; its members have.
    /// - Throws: `Failure(.usage)` for an attribute that the model is not conditioned on, for a value that it does not
    ///   know, or where the model always needs a class and the request has none.
    public func values(for encoding: CohortEncoding, model: String) throws -> [CohortEncoding.Value] {
        if isJoined {
            throw Failure(.usage, model, "\(text) names several values; a sample is drawn for one of them")
        }
        for name in Set(cohort.values.keys).union(positions.keys).sorted() where !encoding.attributes.contains(name) {
            let known = encoding.attributes.isEmpty ? "none" : encoding.attributes.joined(separator: ", ")
            throw Failure(.usage, model, "the model is not conditioned on \(name); it knows \(known)")
        }
        if let classes = encoding.classes, !classes.values.contains("null"), cohort.values.isEmpty, positions.isEmpty {
            throw Failure(.usage, model, encoding.needsClass, remedy: encoding.attributes.isEmpty ? .classes : nil)
        }
        return try encoding.attributes.map { name in
            guard let value = cohort[name] else {
                guard let position = positions[name] else { return .null }
                let all = encoding.names(of: name)
                for code in [position.rounded(.down), position.rounded(.up)]
                where !encoding.knows(all[Int(code)], of: name) {
                    throw Failure(.usage, model, "the model knows no \(name) \"\(all[Int(code)])\"")
                }
                return .position(position)
            }
            if value == "unknown", encoding.classes == nil || encoding.knows(value, of: name) { return .unknown }
            let names = encoding.names(of: name).filter { encoding.knows($0, of: name) }
            guard names.contains(value), let code = encoding.names(of: name).firstIndex(of: value) else {
                throw Failure(
                    .usage, model, "the model knows no \(name) \"\(value)\"; it knows \(names.joined(separator: ", "))")
            }
            return .code(Int16(code))
        }
    }
}

extension CohortEncoding {
    /// The reason why a model of classes cannot draw a sample without a class.
    var needsClass: String {
        guard let name = attributes.first else {
            return "its \(rowCount) classes have no names; name them when the model is imported"
        }
        return
            """
            expected \(name) in the request \
            (\(names(of: name).filter { knows($0, of: name) }.joined(separator: ", "))): 
            """
                + "the model always has a class"
    }
}
