import Anatomy
import Foundation
import Phantoms
import Pictures
import TensorCore
import TestPictures
import Testing

/// Writes what Tools/reference/pixel_classifier.py fits the classifier of pixels to. It is no test, and runs only where
/// FOVEA_PIXEL_FEATURES names a folder.
@Suite struct PixelTrainingData {
    private static let count = 1100, pixels = 1500, size = 256, seed: UInt64 = 4004

    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["FOVEA_PIXEL_FEATURES"] != nil,
            "FOVEA_PIXEL_FEATURES does not name a folder"))
    func `features of phantoms, and what their pixels show`() throws {
        let folder = URL(filePath: ProcessInfo.processInfo.environment["FOVEA_PIXEL_FEATURES"] ?? "")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var rows: [Float] = [], pictures: [Float] = [], labels: [UInt8] = []
        for start in stride(from: 0, to: Self.count, by: 16) {
            let numbers = Array(start..<min(start + 16, Self.count))
            var parts = [Part?](repeating: nil, count: numbers.count)
            parts.withUnsafeMutableBufferPointer { parts in
                nonisolated(unsafe) let parts = parts
                parallelFor(numbers.count) { parts[$0] = Part(numbers[$0]) }
            }
            for part in parts.compactMap(\.self) {
                rows += part.rows
                pictures += part.picture
                labels += part.labels
            }
        }
        #expect(labels.count == Self.count * Self.pixels && rows.count == labels.count * PixelFeatures.count)
        #expect(Set(labels) == [0, 1, 2, 3])
        try rows.withUnsafeBytes { try Data($0).write(to: folder.appending(path: "rows.f32")) }
        try pictures.withUnsafeBytes { try Data($0).write(to: folder.appending(path: "pictures.f32")) }
        try Data(labels).write(to: folder.appending(path: "labels.u8"))
    }

    private struct Part {
        /// [pixels, features], [pictureCount] and [pixels].
        var rows: [Float] = []
        let picture: [Float]
        var labels: [UInt8] = []

        init(_ number: Int) {
            var draws = Draws(state: UInt64(number + 1))
            let (view, shown) = PixelTrainingData.view(number, &draws)
            let features = PixelFeatures(EyeScene(view))
            picture = features.picture
            for _ in 0..<PixelTrainingData.pixels {
                let k = Int(draws.unit() * Double(features.places.count))
                rows += features.planes.map { $0[k] }
                labels.append(shown[features.places[k]])
            }
        }
    }

    /// A phantom, or a part of a larger one that other light and noise show, and at times blurred: photographs have
    /// wider vessels and other contrasts than phantoms.
    private static func view(_ number: Int, _ draws: inout Draws) -> (Picture, labels: [UInt8]) {
        let isWhole = draws.unit() < 0.6, zoom = isWhole ? 1 : 1 + 0.9 * draws.unit()
        let side = Int(Double(size) * zoom)
        guard let generator = try? PhantomGenerator(patients: count, size: side, seed: seed) else {
            fatalError("phantoms")
        }
        let phantom = generator.phantom(number), all = labels(phantom)
        if isWhole { return (Picture(width: size, height: size, pixels: phantom.pixels), all) }
        let field = phantom.fieldOfView, room = max(0, Double(field.radius) * 0.85 - 114)
        let angle = draws.unit() * 2 * .pi, away = room * draws.unit().squareRoot()
        let left = Int(Double(field.centerX) + away * cos(angle)) - size / 2
        let top = Int(Double(field.centerY) + away * sin(angle)) - size / 2
        let gain = 0.75 + 0.4 * draws.unit(), noise = 6 * draws.unit()
        var picture = Picture(width: size, height: size), shown = [UInt8](repeating: 0, count: size * size)
        for y in 0..<size {
            for x in 0..<size {
                let dx = Double(x) + 0.5 - 128, dy = Double(y) + 0.5 - 128, u = x + left, v = y + top
                guard dx * dx + dy * dy < 127 * 127, (0..<side).contains(u), (0..<side).contains(v) else { continue }
                for channel in 0..<3 {
                    let level = Double(phantom.pixels[(v * side + u) * 3 + channel])
                    let grain = noise * (draws.unit() - 0.5)
                    picture.pixels[(y * size + x) * 3 + channel] =
                        level == 0 ? 0 : UInt8(min(255, max(1, level * gain + grain)))
                }
                shown[y * size + x] = all[v * side + u]
            }
        }
        if draws.unit() < 0.4 {
            let blurred = max(64, Int(256 / (1.18 + 0.72 * draws.unit())))
            picture = picture.resized(width: blurred, height: blurred).resized(width: size, height: size)
        }
        return (picture, shown)
    }

    /// `PixelClassifier.Kind` of each pixel. The nearest lesion says whether a pixel of the mask is bright or dark.
    private static func labels(_ phantom: Phantom) -> [UInt8] {
        phantom.masks.lesions.indices.map { i -> UInt8 in
            if phantom.masks.vessels[i] > 0 { return 1 }
            guard phantom.masks.lesions[i] > 0 else { return 0 }
            let place = PhantomPoint(Float(i % phantom.size) + 0.5, Float(i / phantom.size) + 0.5)
            let point = phantom.transform.eye(place)
            func distance(_ lesion: PhantomLesion) -> Float {
                if lesion.paths.isEmpty { return length(point - lesion.center) / lesion.radius }
                return (lesion.paths.flatMap(\.points).map { length(point - $0) }.min() ?? .infinity) / 0.06
            }
            let nearest = phantom.eye.lesions.min { distance($0) < distance($1) }
            return nearest?.kind == .hardExudate || nearest?.kind == .cottonWoolSpot ? 2 : 3
        }
    }
}
