import Pictures
import TensorCore

/// The anatomy of the eye in a picture, as far as it can be measured.
package struct EyeAnatomy: Sendable, Equatable {
    /// A value for each measure that was possible.
    package private(set) var values: [AnatomyMeasure: Double] = [:]

    /// nil where the measure was not possible.
    package subscript(measure: AnatomyMeasure) -> Double? { values[measure] }

    /// Below this side in pixels, vessels and lesions are not measured: the thinnest vessels vanish. Discs are.
    package static let leastSideForVessels = 128
    /// Below this side, nothing is measured.
    package static let leastSide = 64

    /// - Parameter picture: square, [size, size, 3]; black outside the field of view.
    package init(_ picture: Picture) {
        self.init(picture, findings: EyeFindings(picture))
    }

    package init(_ picture: Picture, findings: EyeFindings?) {
        guard let findings, picture.width >= Self.leastSide else { return }
        let side = Double(EyeScene.side), diameter = Double(2 * findings.scene.radius)
        values[.discCount] = Double(findings.discs.count)
        if let disc = findings.discs.first {
            values[.discX] = Double(disc.center.x) / side
            values[.discY] = Double(disc.center.y) / side
            values[.discDiameter] = Double(disc.diameter) / diameter
            values[.cupToDisc] = findings.cupToDisc
            if let macula = findings.macula {
                let d = macula - disc.center
                values[.maculaDistance] = Double((d * d).sum().squareRoot() / disc.diameter)
            }
            values[.laterality] = findings.laterality
        }
        guard picture.width >= Self.leastSideForVessels else { return }
        let area = Double(findings.scene.area)
        values[.vesselDensity] = findings.vesselDensity
        values[.brightLesions] = Double(findings.brightLesions.count { $0 }) / area
        values[.darkLesions] = Double(findings.darkLesions.count { $0 }) / area
        let mask = findings.vessels, tree = VesselTree(mask, side: EyeScene.side), length = tree.length
        if length > 0 { values[.vesselCalibre] = Double(mask.count { $0 }) / length / diameter }
        values[.vesselTortuosity] = tree.tortuosity
        values[.vesselFractalDimension] = tree.fractalDimension
        values[.vesselLargestTree] = tree.largestShare
        if let reach = findings.peripheryRadius, let disc = findings.discs.first {
            let far = tree.pieces.map { piece in
                piece.filter {
                    let d = SIMD2(Float($0 % EyeScene.side), Float($0 / EyeScene.side)) + 0.5 - disc.center
                    return (d * d).sum() > reach * reach
                }
            }
            values[.vesselPeriphery] = far.reduce(0) { $0 + tree.length(of: $1) } / diameter
        }
    }

    /// The anatomies of all pictures, in their order. The work runs on the pool, a picture at a time.
    package static func of(_ pictures: PictureSet) -> [EyeAnatomy] {
        [EyeAnatomy](unsafeUninitializedCapacity: pictures.count) { buffer, count in
            nonisolated(unsafe) let slots = buffer.baseAddress
            parallelFor(pictures.count) { slots?.advanced(by: $0).initialize(to: EyeAnatomy(pictures[$0])) }
            count = pictures.count
        }
    }
}
