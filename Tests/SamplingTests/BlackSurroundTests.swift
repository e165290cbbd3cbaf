import Files
import Foundation
import Pictures
import Randomness
import SampleStore
import Sampling
import TensorCore
import Testing

@Suite struct BlackSurroundTests {
    /// A disc cut off at the top, on a surround with a little noise; `inside` is where it is lit.
    private func disc() -> (pixels: [UInt8], inside: [Bool]) {
        var pixels: [UInt8] = [], inside: [Bool] = []
        var random = Philox(seed: 4, stream: .tests, index: 0)
        for y in 0..<128 {
            for x in 0..<128 {
                let (dx, dy) = (Double(x) - 63.5, Double(y) - 63.5)
                let isInside = dx * dx + dy * dy < 60 * 60 && y >= 20
                inside.append(isInside)
                let light = isInside ? 120 : 0, noise = random.nextUniform() * 6
                pixels += [
                    UInt8(Double(light) + noise), UInt8(Double(light / 2) + noise), UInt8(Double(light / 4) + noise),
                ]
            }
        }
        return (pixels, inside)
    }

    @Test func whatLiesOutsideBecomesBlack() {
        let (before, inside) = disc()
        #expect(inside.indices.contains { !inside[$0] && before[3 * $0] > 0 })
        var pixels = before + before
        BlackSurround.apply(&pixels, width: 128, height: 128)
        #expect(Array(pixels[..<before.count]) == Array(pixels[before.count...]))
        var lit = 0, changed = 0
        for place in inside.indices {
            if !inside[place], pixels[3 * place] != 0 { lit += 1 }
            if inside[place], Array(pixels[3 * place..<3 * place + 3]) != Array(before[3 * place..<3 * place + 3]) {
                changed += 1
            }
        }
        // The fitted circle may be half a pixel off: a share of the rim's 370 pixels.
        #expect(lit <= 120, "\(lit) pixels outside stay lit")
        #expect(changed <= 120, "\(changed) pixels inside were made black")
    }

    /// What the import refuses of photographs, samples keep: a second disc and few shades change nothing, because a set
    /// of an older version is replayed to the same bytes.
    @Test func twoDiscsAndFewShadesAreNoReason() {
        var pixels = [UInt8](repeating: 3, count: 160 * 96 * 3)
        for y in 0..<96 {
            for x in 0..<160 {
                let large = (x - 50) * (x - 50) + (y - 48) * (y - 48) < 44 * 44
                let small = (x - 130) * (x - 130) + (y - 48) * (y - 48) < 26 * 26
                if large || small {
                    pixels.replaceSubrange((y * 160 + x) * 3..<(y * 160 + x + 1) * 3, with: [120, 60, 30])
                }
            }
        }
        BlackSurround.apply(&pixels, width: 160, height: 96)
        #expect(pixels[(48 * 160 + 50) * 3] == 120 && pixels[(48 * 160 + 130) * 3] == 0 && pixels[0] == 0)
    }

    /// A picture without a field of view stays as it is.
    @Test func whatIsNoEyeStays() {
        var random = Philox(seed: 5, stream: .tests, index: 0)
        let before = (0..<64 * 64 * 3).map { _ in UInt8(random.nextUniform() * 255) }
        var pixels = before
        BlackSurround.apply(&pixels, width: 64, height: 64)
        #expect(pixels == before)
    }

    /// The schedule of a run says so, and one of version 0.1 says nothing.
    @Test func theRecordSaysSo() throws {
        for (surround, start) in [(nil, nil), (RecordedSchedule.blackSurround, Float(40))] {
            let schedule = RecordedSchedule(
                steps: 4, sigmaMin: 0.002, sigmaMax: 10, rho: 7, evaluations: 4, guidanceInterval: nil,
                guidedAttributes: nil,
                surround: surround, sigmaStart: start, noiseGain: start.map { [1.01, $0 / 8] })
            let json = try JSONText.encoded(schedule)
            #expect(json.contains("\"sigma_start\":40") == (start != nil))
            #expect(json.contains("\"noise_gain\":[1.01,5]") == (start != nil))
            #expect(json.contains("\"surround\":\"black\"") == (surround != nil))
            #expect(try JSONText.decode(RecordedSchedule.self, Data(json.utf8), place: "test") == schedule)
            #expect(schedule.problem == nil)
        }
        let json = #"{"kind":"karras","steps":4,"sigma_min":0.002,"sigma_max":80,"rho":7,"surround":"white"}"#
        let read = try JSONText.decode(RecordedSchedule.self, Data(json.utf8), place: "test")
        #expect(read.problem?.hasPrefix("surround: expected black") == true)
    }
}
