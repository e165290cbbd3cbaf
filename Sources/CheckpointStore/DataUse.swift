import Files

/// A code of the Data Use Ontology, with which a site says what its weights may be used for.
///
/// Codes and labels are those of the ontology's release 2021-02-23 (https://github.com/EBISPOT/DUO, CC BY 4.0), but for
/// its two headings (`DUO:0000001`, data use permission, and `DUO:0000017`, data use modifier) and the codes that it
/// gave up.
public struct DataUse: Hashable, Sendable {
    /// The code, such as `DUO:0000042`.
    public let code: String
    /// The ontology's own name of the code, such as `general research use`.
    public let label: String

    private init(_ number: Int, _ label: String) {
        let digits = String(number)
        code = "DUO:" + String(repeating: "0", count: 7 - digits.count) + digits
        self.label = label
    }

    /// What the data may be used for.
    public static let permissions = [
        DataUse(42, "general research use"),
        DataUse(6, "health or medical or biomedical research"),
        DataUse(7, "disease specific research"),
        DataUse(11, "population origins or ancestry research only"),
        DataUse(4, "no restriction"),
    ]

    /// Conditions on the use.
    public static let modifiers = [
        DataUse(12, "research specific restrictions"),
        DataUse(15, "no general methods research"),
        DataUse(16, "genetic studies only"),
        DataUse(18, "not for profit, non commercial use only"),
        DataUse(19, "publication required"),
        DataUse(20, "collaboration required"),
        DataUse(21, "ethics approval required"),
        DataUse(22, "geographical restriction"),
        DataUse(24, "publication moratorium"),
        DataUse(25, "time limit on use"),
        DataUse(26, "user specific restriction"),
        DataUse(27, "project specific restriction"),
        DataUse(28, "institution specific restriction"),
        DataUse(29, "return to database or resource"),
        DataUse(43, "clinical care use"),
        DataUse(44, "population origins or ancestry research prohibited"),
        DataUse(45, "not for profit organisation use only"),
        DataUse(46, "non-commercial use only"),
    ]

    /// All codes, permissions first.
    public static let all = permissions + modifiers

    /// All codes with their labels, on one line.
    public static var list: String { all.map(\.text).joined(separator: "; ") }

    /// The code with its label, such as `DUO:0000042 (general research use)`.
    public var text: String { "\(code) (\(label))" }

    /// The code with its label; the code alone where the ontology has no such code, as in a file of before.
    public static func text(_ code: String) -> String { all.first { $0.code == code }?.text ?? code }

    /// Checks that the ontology has a code.
    /// - Parameter option: the setting that holds the code.
    /// - Throws: `Failure(.usage)` with the list of all codes.
    public static func require(_ code: String, option: String) throws {
        guard all.contains(where: { $0.code == code }) else {
            throw Failure(
                .usage, option: option,
                "expected a code of the Data Use Ontology, found \(code.printable.debugDescription.excerpt); the codes "
                    + "are \(list)")
        }
    }
}
