/// The measures of an eye's anatomy; docs/anatomy.md has their methods and errors. The raw value is the name in JSON.
package enum AnatomyMeasure: String, CaseIterable, Codable, Sendable {
    case vesselDensity = "vessel_density"
    case vesselCalibre = "vessel_calibre"
    case vesselTortuosity = "vessel_tortuosity"
    case vesselFractalDimension = "vessel_fractal_dimension"
    case vesselLargestTree = "vessel_largest_tree"
    case vesselPeriphery = "vessel_periphery"
    case discCount = "disc_count"
    case discX = "disc_x"
    case discY = "disc_y"
    case discDiameter = "disc_diameter"
    case cupToDisc = "cup_to_disc"
    case maculaDistance = "macula_distance"
    case laterality = "laterality"
    case brightLesions = "bright_lesions"
    case darkLesions = "dark_lesions"

    /// The name on a page.
    package var title: String {
        switch self {
        case .vesselDensity: "Vessel density"
        case .vesselCalibre: "Mean vessel calibre"
        case .vesselTortuosity: "Vessel tortuosity"
        case .vesselFractalDimension: "Fractal dimension of the vessels"
        case .vesselLargestTree: "Largest connected vessel tree"
        case .vesselPeriphery: "Vessels in the periphery"
        case .discCount: "Optic discs found"
        case .discX: "Optic disc, from the left"
        case .discY: "Optic disc, from the top"
        case .discDiameter: "Optic disc diameter"
        case .cupToDisc: "Cup-to-disc ratio (vertical)"
        case .maculaDistance: "Distance from disc to macula"
        case .laterality: "Laterality"
        case .brightLesions: "Bright lesions"
        case .darkLesions: "Dark lesions"
        }
    }

    /// What 1 stands for.
    package var unit: String {
        switch self {
        case .vesselDensity, .brightLesions, .darkLesions: "share of the field of view"
        case .vesselCalibre, .discDiameter: "share of the field of view's diameter"
        case .vesselTortuosity: "arc / chord"
        case .vesselFractalDimension: "dimension"
        case .vesselLargestTree: "share of the vessels' length"
        case .vesselPeriphery: "diameters of the field of view"
        case .discCount: "discs"
        case .discX, .discY: "share of the picture's side"
        case .cupToDisc: "cup / disc"
        case .maculaDistance: "disc diameters"
        case .laterality: "1 right eye, -1 left eye"
        }
    }
}
