/// What is known about one photograph, or what is requested of one sample: names of codes by attribute.
///
/// A missing attribute is unknown in a data set, and left open in a request.
public struct Cohort: Hashable, Sendable, Codable {
    /// Attribute name to code name, such as `["dr_icdr": "3", "sex": "female"]`.
    public var values: [String: String]

    public init(_ values: [String: String] = [:]) {
        self.values = values
    }

    /// The name of an attribute's code; nil if the attribute is missing.
    public subscript(attribute: String) -> String? {
        get { values[attribute] }
        set { values[attribute] = newValue }
    }
}

/// One attribute for many photographs or samples, as a file stores it.
public struct CohortColumn: Hashable, Sendable {
    public let attribute: Attribute
    /// Names of the codes 0, 1, 2, ...: those of the schema, or for an open attribute those that the data declares.
    public let names: [String]
    /// One code for each row: an index into `names`, `Attribute.unknown`, or (in requests) `Attribute.unspecified`.
    public let codes: [Int16]

    public init(attribute: Attribute, names: [String], codes: [Int16]) {
        self.attribute = attribute
        self.names = names
        self.codes = codes
    }

    /// The column of `attribute` over `cohorts`. The names of an open attribute are those that occur, sorted.
    /// - Parameter absent: the code of a row that lacks the attribute (`unknown` in data sets, `unspecified` in
    ///   requests).
    public init(_ attribute: Attribute, of cohorts: [Cohort], absent: Int16 = Attribute.unknown) {
        self.attribute = attribute
        let found = cohorts.compactMap { $0[attribute.name] }.filter { $0 != "unknown" }
        names = attribute.isOpen ? Set(found).sorted() : attribute.names
        let codeOfName = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Int16($0)) })
        codes = cohorts.map { cohort in
            guard let name = cohort[attribute.name] else { return absent }
            return codeOfName[name] ?? Attribute.unknown
        }
    }

    /// The name of the code in `row`; nil if it is unknown or unspecified.
    public func name(row: Int) -> String? {
        let code = codes[row]
        return code >= 0 && Int(code) < names.count ? names[Int(code)] : nil
    }
}
