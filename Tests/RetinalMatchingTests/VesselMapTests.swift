import Foundation
import Phantoms
import Pictures
import RetinalMatching
import Testing

@Suite struct VesselMapTests {
    @Test func `the map finds the phantoms' vessels`() throws {
        for phantom in try PhantomGenerator(patients: 4, size: 256, seed: 31).phantoms(0..<4, threads: 1) {
            let (map, inside) = vesselMap(Picture(width: 256, height: 256, pixels: phantom.pixels))
            try #require(map.count == 256 * 256 && inside.count == map.count)
            let area = areaUnderCurve(map, vessels: phantom.masks.vessels.map { $0 > 127 }, inside: inside)
            // Two of these four measured 0.860 and 0.893: phantoms have vessels thinner than a pixel, and lesions that
            // are none.
            #expect(area >= 0.84, "area under the curve \(area)")
        }
    }

    @Test func `the rim of an even disc does not answer, and the field of view is found where it lies`() {
        var picture = Picture(width: 200, height: 200)
        for y in 0..<200 {
            for x in 0..<200 {
                let dx = Double(x) - 115, dy = Double(y) - 90
                if dx * dx + dy * dy < 70 * 70 { picture[x, y] = SIMD3(180, 90, 40) }
            }
        }
        // A vessel, down the middle.
        for y in 40..<140 { for x in 114...116 { picture[x, y] = SIMD3(120, 50, 30) } }
        let (map, inside) = vesselMap(picture)
        let count = inside.count { $0 }
        #expect(abs(Double(count) / (.pi * 68 * 68) - 1) < 0.05, "\(count) pixels inside")
        #expect(!inside[90 * 200 + 40] && inside[90 * 200 + 55] && inside[90 * 200 + 175] && !inside[90 * 200 + 190])
        let vessel = map[90 * 200 + 115]
        var rim: Float = 0
        for y in 0..<200 {
            for x in 0..<200 where abs(x - 115) > 12 && inside[y * 200 + x] { rim = max(rim, map[y * 200 + x]) }
        }
        #expect(vessel > 0 && rim < 0.35 * vessel, "rim \(rim), vessel \(vessel)")
    }

    @Test func `a black picture has no field of view and no vessels`() {
        let (map, inside) = vesselMap(Picture(width: 64, height: 64))
        #expect(map.allSatisfy { $0 == 0 } && !inside.contains(true))
    }

    /// FOVEA_FUNDUS names a folder with CHASE_DB1 in chase/images and chase/vessels; photographs are not part of the
    /// repository.
    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["FOVEA_FUNDUS"] != nil,
            "FOVEA_FUNDUS does not name a folder with CHASE_DB1"),
        arguments: [256, 512, 999]
    ) func `the map agrees with a human observer on CHASE_DB1`(side: Int) throws {
        let folder = URL(filePath: ProcessInfo.processInfo.environment["FOVEA_FUNDUS"] ?? "").appending(path: "chase")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "images").path).filter {
            $0.hasSuffix(".jpg")
        }.sorted()
        try #require(names.count == 28)
        var areas: [Double] = []
        for name in names {
            func picture(_ file: URL) throws -> Picture {
                let picture = try Picture(decoding: Array(Data(contentsOf: file)), name: file.lastPathComponent)
                return side >= picture.width
                    ? picture
                    : picture.resized(width: side, height: (picture.height * side + picture.width / 2) / picture.width)
            }
            let photograph = try picture(folder.appending(path: "images/\(name)"))
            let mask = try picture(folder.appending(path: "vessels/\(name.dropLast(4)).png"))
            let (map, inside) = vesselMap(photograph)
            areas.append(areaUnderCurve(map, vessels: map.indices.map { mask.pixels[3 * $0] > 127 }, inside: inside))
        }
        let mean = areas.reduce(0, +) / Double(areas.count)
        print("CHASE_DB1 at \(side) px: mean area under the ROC curve \(mean), lowest \(areas.min() ?? 0)")
        #expect(mean >= 0.93, "mean area under the curve \(mean) at \(side) px")
    }
}

/// Area under the ROC curve inside the field of view (Mann-Whitney; ties by their mean rank).
private func areaUnderCurve(_ map: [Float], vessels: [Bool], inside: [Bool]) -> Double {
    let order = map.indices.filter { inside[$0] }.sorted { map[$0] < map[$1] }
    var sum = 0.0, positives = 0.0, start = 0
    while start < order.count {
        var end = start
        while end < order.count, map[order[end]] == map[order[start]] { end += 1 }
        let tied = Double(order[start..<end].count { vessels[$0] })
        sum += tied * Double(start + end + 1) / 2
        positives += tied
        start = end
    }
    return (sum - positives * (positives + 1) / 2) / (positives * (Double(order.count) - positives))
}
