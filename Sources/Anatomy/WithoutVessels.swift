import RetinalMatching

/// The light of a picture in which vessels are filled with the light beside them. [side, side]
struct WithoutVessels {
    let green: [Float]
    /// (red + 2 green + blue) / 4: discs are brighter than the retina in all channels, and most in green and blue.
    let bright: [Float]

    /// The deviation of the Gaussian that fills vessels; and the square that closes what is left of them.
    private static let sigma = 3.5, reach = 2

    init(_ scene: EyeScene, _ kinds: PixelClassifier) {
        let side = EyeScene.side, blur = BoxBlur(width: side, height: side, sigma: Self.sigma)
        let weight = scene.lit.indices.map { scene.lit[$0] ? max(0, 1 - 2 * kinds.vessel[$0]) : 0 }
        let cover = blur.applied(to: weight)
        func filled(_ plane: [Float]) -> [Float] {
            let sum = blur.applied(to: zip(plane, weight).map { $0 * $1 })
            let result = plane.indices.map { i -> Float in
                guard weight[i] < 1, cover[i] > 0.01 else { return plane[i] }
                // Vessels are dark: nothing becomes darker.
                return max(plane[i], weight[i] * plane[i] + (1 - weight[i]) * sum[i] / cover[i])
            }
            return closed(result, side: side, reach: Self.reach, lit: scene.lit)
        }
        green = filled(scene.green)
        bright = filled(scene.red.indices.map { (scene.red[$0] + 2 * scene.green[$0] + scene.blue[$0]) / 4 })
    }
}
