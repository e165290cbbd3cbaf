import DICOMFiles
import Files
import Foundation
import Support
import Testing

/// Small random numbers that are the same in every run.
private struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 33
    }
}

@Suite("Damaged and hostile DICOM files")
struct DamageTests {
    /// Reads all frames; a failure has to be one of bad data.
    private func read(_ bytes: [UInt8]) {
        do {
            let file = try DICOMFile(bytes, name: "damaged.dcm")
            for frame in 0..<file.frameCount { _ = try file.picture(frame: frame) }
        } catch let failure as Failure {
            #expect(failure.kind == .badData)
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test("a file that was cut off or changed is read or refused", arguments: DICOMFixtures.all.files.keys.sorted())
    func changed(_ name: String) throws {
        let bytes = try DICOMFixtures.bytes("\(name).dcm")
        var dice = Dice(state: UInt64(bytes.count))
        let rounds = Int(ProcessInfo.processInfo.environment["FOVEA_FUZZ_ROUNDS"] ?? "") ?? 40
        for _ in 0..<rounds {
            read(Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &dice))))
            var changed = bytes
            for _ in 0..<Int.random(in: 1...8, using: &dice) {
                changed[Int.random(in: 132..<bytes.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
            }
            read(changed)
        }
    }

    @Test(
        "pixels that end too early are called that",
        arguments: ["explicit", "frames", "implicit", "jpeg_422", "j2k_rct", "rle", "jpeg_ls", "jpeg_lossless"])
    func cut(_ name: String) throws {
        let bytes = try DICOMFixtures.bytes("\(name).dcm")
        #expect {
            let file = try DICOMFile(Array(bytes.dropLast(60)), name: name)
            _ = try file.picture(frame: file.frameCount - 1)
        } throws: {
            let text = "\($0)"
            return ($0 as? Failure)?.kind == .badData && (text.contains("truncated") || text.contains("damaged"))
        }
    }

    @Test("items inside items, without end")
    func nested() throws {
        var bytes = [UInt8](repeating: 0, count: 128) + "DICM".utf8
        // A file of implicit little endian that says nothing but sequences.
        bytes += [8, 0, 0x16, 0, 26, 0, 0, 0] + "1.2.840.10008.5.1.4.1.1.7\0".utf8
        let level: [UInt8] = [8, 0, 0x40, 0x11, 255, 255, 255, 255, 0xFE, 0xFF, 0, 0xE0, 255, 255, 255, 255]
        for levels in [300, 5000, 60_000] {
            read(bytes + (0..<levels).flatMap { _ in level })
        }
    }
}
