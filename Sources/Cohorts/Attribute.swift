/// One attribute of the cohort schema.
public struct Attribute: Hashable, Sendable {
    /// Whether the codes of an attribute have an order.
    public enum Scale: Hashable, Sendable {
        /// Codes without an order.
        case nominal
        /// Codes `0...highest` have an order. Codes above it (ungradable) stand outside that order.
        case ordinal(highest: Int16)
    }

    public let name: String
    public let scale: Scale
    /// Names of the codes 0, 1, 2, ...; empty for an open attribute (camera, ethnicity, site).
    public let names: [String]

    /// The code of a label that is missing in the data.
    public static let unknown: Int16 = -1
    /// The code of an attribute that a request leaves open ("null" in the model's terms).
    public static let unspecified: Int16 = -2

    /// Whether each data set declares its own names.
    public var isOpen: Bool { names.isEmpty }
}

/// The cohort schema. A new attribute is one entry here.
public enum CohortSchema {
    public static let version = 1

    public static let attributes: [Attribute] = [
        // International Clinical Diabetic Retinopathy scale (Wilkinson et al. 2003).
        Attribute(name: "dr_icdr", scale: .ordinal(highest: 4), names: ["0", "1", "2", "3", "4", "ungradable"]),
        // Risk of diabetic macular oedema.
        Attribute(name: "dme", scale: .ordinal(highest: 2), names: ["0", "1", "2"]),
        Attribute(
            name: "disease", scale: .nominal,
            names: ["healthy", "dr", "glaucoma", "amd", "cataract", "hypertension", "myopia", "other"]),
        Attribute(
            name: "age_band", scale: .ordinal(highest: 8),
            names: ["0-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+"]),
        Attribute(name: "sex", scale: .nominal, names: ["female", "male", "other"]),
        // The site's own scheme, with a declared crosswalk. It is never inferred from an image.
        Attribute(name: "ethnicity", scale: .nominal, names: []),
        Attribute(name: "laterality", scale: .nominal, names: ["left", "right"]),
        Attribute(name: "field", scale: .nominal, names: ["macula", "disc", "other"]),
        Attribute(name: "camera", scale: .nominal, names: []),
        Attribute(name: "quality", scale: .ordinal(highest: 2), names: ["good", "usable", "reject"]),
        Attribute(name: "site", scale: .nominal, names: []),
    ]

    /// The attribute of that name; nil if the schema has no such attribute.
    public static func attribute(_ name: String) -> Attribute? {
        attributes.first { $0.name == name }
    }
}
