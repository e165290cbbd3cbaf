import Pictures

/// Features of the kind that the Fréchet radiomic distance compares (Konz, Osuala et al. 2026): what pyradiomics finds
/// in the brightness of a picture and in the bands of its wavelet transform, inside the field of view. Nothing in them
/// is trained.
package enum RadiomicFeatures {
    /// The width of a step of grey. The picture has 32 steps where all 256 levels occur. The smooth band is twice as
    /// bright, and the values of the others are small.
    private static let binWidth = 8.0, smoothBinWidth = 16.0, roughBinWidth = 2.0

    /// What each feature is called: its band, its class in pyradiomics, and its name there.
    package static let names = features(of: Picture(width: 8, height: 8)).map(\.name)

    /// [count, names.count]
    package static func rows(_ pictures: PictureSet) -> FeatureRows {
        FeatureRows(pictures) { features(of: $0).map(\.value) }
    }

    private static func features(of picture: Picture) -> [NamedFeature] {
        let width = picture.width, inside = describedRegion(of: picture)
        let grey = (0..<width * picture.height).map { place -> Double in
            let red = Double(picture.pixels[3 * place]), green = Double(picture.pixels[3 * place + 1])
            return 0.299 * red + 0.587 * green + 0.114 * Double(picture.pixels[3 * place + 2])
        }
        let bands = StationaryWavelet.bands(grey, width: width).map { name, plane in
            (name, plane, name == "LL" ? smoothBinWidth : roughBinWidth)
        }
        return ([("original", grey, binWidth)] + bands).flatMap { band, plane, binWidth in
            texture(plane, isInside: inside, width: width, binWidth: binWidth).map { ("\(band) \($0.name)", $0.value) }
        }
    }

    /// All features of a plane inside a region.
    /// - Parameters:
    ///   - plane, isInside: [height, width].
    package static func texture(
        _ plane: [Double], isInside: [Bool], width: Int, binWidth: Double
    ) -> [(name: String, value: Double)] {
        let grey = GreyLevels(plane, isInside: isInside, width: width, binWidth: binWidth)
        return [
            ("firstorder", grey.firstOrderFeatures), ("glcm", grey.cooccurrenceFeatures),
            ("glrlm", grey.runFeatures), ("glszm", grey.zoneFeatures), ("ngtdm", grey.toneFeatures),
        ].flatMap { family, features in features.map { ("\(family) \($0.name)", $0.value) } }
    }
}
