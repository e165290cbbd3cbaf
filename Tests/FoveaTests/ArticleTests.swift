import Foundation
import Testing

// begin of the article
import Diffusion
import Networks
import Training

/// Discs of random places on black: [count, 16, 16, 3], RGB, 0 to 255.
func discs(_ count: Int) -> [UInt8] {
    (0..<count).flatMap { _ in
        let x = Int.random(in: 4..<12), y = Int.random(in: 4..<12)
        return (0..<16 * 16).flatMap { place in
            let (dx, dy) = (place % 16 - x, place / 16 - y)
            return [UInt8](repeating: dx * dx + dy * dy < 12 ? 220 : 20, count: 3)
        }
    }
}

func trainOnDiscs(images: Int) throws -> [UInt8] {
    var settings = TrainingConfiguration()
    settings.network = Preset.tiny.configuration
    settings.size = 16
    settings.batchSize = 8
    settings.images = images
    let pictures = TrainingSet(pixels: discs(64), size: 16)
    let model = try MemoryTraining.run(settings, on: pictures) { step in
        if step.imagesSeen % 200 == 0 { print(step.imagesSeen, step.loss) }
        return true  // false ends the training here
    }
    return model.samples(count: 4, steps: 12)  // [4, 16, 16, 3]
}
// end of the article

@Suite struct ArticleTests {
    @Test func `the article on arrays holds the code that this file runs`() throws {
        let file = URL(fileURLWithPath: #filePath), root = file.appendingPathComponent("../../..").standardizedFileURL
        let article = try String(
            contentsOf: root.appendingPathComponent("Sources/Jobs/Fovea.docc/TrainOnYourOwnArrays.md"), encoding: .utf8)
        let own = try String(contentsOf: file, encoding: .utf8)
        func part(_ text: String, _ begin: String, _ end: String) throws -> String {
            let start = try #require(text.range(of: begin)), rest = text[start.upperBound...]
            return String(rest[..<(try #require(rest.range(of: end))).lowerBound])
        }
        let shown = try part(article, "```swift\n", "```"),
            run = try part(own, "// begin of the article\n", "// end of")
        #expect(shown == run)
        #expect(shown.split(separator: "\n").count < 32)
    }

    #if !DEBUG
        @Test func `the article's training draws pictures like its own`() throws {
            let drawn = try trainOnDiscs(images: 1600)
            #expect(drawn.count == 4 * 16 * 16 * 3)
            // Discs cover 32 to 45 of 256 pixels; noise of any kind covers half.
            for picture in 0..<4 {
                let bright = drawn[picture * 768..<(picture + 1) * 768].count { $0 > 120 } / 3
                #expect((10...110).contains(bright), "\(bright) bright pixels")
            }
        }
    #endif
}
