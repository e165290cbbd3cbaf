import Foundation
import Phantoms
import Pictures
import RetinalMatching
import TensorCore
import TestTensors
import Testing

@Suite struct RetinalMatchTests {
    private static let size = 128

    /// First and second visits of eight eyes.
    private static let visits: (first: PictureSet, second: PictureSet) = {
        guard let generator = try? PhantomGenerator(patients: 8, size: size, visits: 2, seed: 12) else {
            fatalError("phantoms")
        }
        let all = generator.phantoms(0..<16, threads: 2)
        func pictures(_ visit: Int) -> PictureSet {
            let own = all.enumerated().filter { $0.offset % 2 == visit }.map {
                Picture(width: size, height: size, pixels: $0.element.pixels)
            }
            return PictureSet(own, size: size, patients: Array(0..<8))
        }
        return (pictures(0), pictures(1))
    }()
    private static let gallery = RetinalGallery(visits.first)

    private func probes(_ pictures: [Picture]) -> RetinalGallery {
        RetinalGallery(PictureSet(pictures, size: Self.size, patients: Array(0..<pictures.count)))
    }

    @Test func `a photograph that was turned, shrunk and shifted is found, and its pose with it`() throws {
        let hidden = Similarity(rotation: 0.3, scale: 1.08, shiftX: 0.05, shiftY: -0.03)
        let pictures = (0..<3).map { Self.visits.first[$0].warped(hidden) }
        let matches = try Self.gallery.best(probes(pictures))
        try #require(matches.count == 3)
        // A point g of the gallery lies in the probe at p with g = hidden(p).
        let c = cos(-hidden.rotation) / hidden.scale, s = sin(-hidden.rotation) / hidden.scale
        let shiftX = -(c * hidden.shiftX - s * hidden.shiftY), shiftY = -(s * hidden.shiftX + c * hidden.shiftY)
        for (i, match) in matches.enumerated() {
            #expect(match.index == i && !match.mirrored && match.score > 0.6, "\(match)")
            #expect(abs(match.pose.rotation.remainder(dividingBy: 2 * .pi) + hidden.rotation) < 0.03, "\(match.pose)")
            #expect(abs(match.pose.scale * hidden.scale - 1) < 0.03, "\(match.pose)")
            #expect(
                abs(match.pose.shiftX - shiftX) < 0.015 && abs(match.pose.shiftY - shiftY) < 0.015,
                "\(match.pose), not \(shiftX) \(shiftY)")
        }
    }

    @Test func `a mirror image is found as one`() throws {
        let pictures = (0..<3).map { Self.visits.first[$0].mirrored.warped(Similarity(rotation: 2)) }
        let matches = try Self.gallery.best(probes(pictures))
        try #require(matches.count == 3)
        for (i, match) in matches.enumerated() {
            #expect(match.index == i && match.mirrored && match.score > 0.6, "\(match)")
            // The probe's mirror image turns the other way: M R(2) M = R(-2), and the pose is its inverse.
            #expect(abs((match.pose.rotation - 2).remainder(dividingBy: 2 * .pi)) < 0.03, "\(match.pose)")
        }
    }

    @Test func `another visit of the same eye scores above every stranger`() throws {
        let probes = RetinalGallery(Self.visits.second)
        let matches = try Self.gallery.best(probes)
        let strangers = try Self.gallery.best(probes, excludingOwnPatient: true)
        try #require(matches.count == 8 && strangers.count == 8)
        let highest = strangers.map(\.score).max() ?? 1
        let found = matches.enumerated().filter { $0.element.index == $0.offset && $0.element.score > highest }.count
        #expect(found >= 7, "\(found) of 8; own \(matches.map(\.score)), strangers \(strangers.map(\.score))")
    }

    @Test func `a patient's own photographs are left out where asked`() throws {
        let own = try Self.gallery.best(Self.gallery)
        let others = try Self.gallery.best(Self.gallery, excludingOwnPatient: true)
        try #require(own.count == 8 && others.count == 8)
        for i in 0..<8 {
            #expect(own[i].index == i && own[i].score > 0.95, "\(own[i])")
            #expect(
                others[i].index != i && others[i].index >= 0 && others[i].score < own[i].score - 0.3, "\(others[i])")
        }
        let single = RetinalGallery(Self.visits.first.selecting([2]))
        let nobody = try single.best(single, excludingOwnPatient: true)
        #expect(nobody.count == 1 && nobody[0].index == -1 && nobody[0].score == -1)
    }

    @Test func `all photographs of an eye are found among strangers, its own patient's left out`() throws {
        // Every eye three times: first visit, second visit, first visit turned.
        let turned = (0..<8).map { Self.visits.first[$0].warped(Similarity(rotation: 0.2)) }
        let pictures = (0..<8).flatMap { [Self.visits.first[$0], Self.visits.second[$0], turned[$0]] }
        let apart = RetinalGallery(PictureSet(pictures, size: Self.size, patients: Array(0..<24)))
        let search = try RetinalSearch(apart)
        let found = try search.matches(of: 0..<24, from: 0.4)
        try #require(found.count == 24)
        for (probe, matches) in found.enumerated() {
            #expect(
                matches.allSatisfy { $0.index / 3 == probe / 3 && $0.index != probe && $0.score >= 0.4 },
                "\(probe): \(matches)")
        }
        #expect(found.reduce(0) { $0 + $1.count } >= 42, "of 48")
        let some = try search.matches(of: 6..<9, from: 0.4)
        #expect(some == Array(found[6..<9]))
        let together = RetinalGallery(PictureSet(pictures, size: Self.size, patients: (0..<24).map { $0 / 3 }))
        let others = try RetinalSearch(together).matches(of: 0..<24, from: 0.4)
        #expect(others.allSatisfy { $0.isEmpty })
    }

    @Test func `in a large gallery, the spectra find the same eyes, turned, shifted, shrunk and mirrored`() throws {
        let poses = [
            Similarity(), Similarity(rotation: 0.2, scale: 1.1),
            Similarity(rotation: -0.15, shiftX: 0.12, shiftY: 0.08),
            Similarity(scale: 0.9, shiftY: -0.1),
        ]
        let seen = poses.flatMap { pose in (0..<8).map { Self.visits.first[$0].warped(pose) } }
        let mirrored = (0..<8).map { Self.visits.first[$0].mirrored.warped(poses[1]) }
        let gallery = RetinalGallery(
            PictureSet(seen + mirrored, size: Self.size, patients: Array(0..<40)))
        let found = try RetinalSearch(gallery, exhaustiveUpTo: 8, comparing: 6).matches(of: 0..<40, from: 0.4)
        for (probe, matches) in found.enumerated() {
            #expect(matches.map(\.index) == Array(stride(from: probe % 8, to: probe, by: 8)), "\(probe): \(matches)")
        }
        // Any rotation, of probes that are not in the gallery.
        let turned = try RetinalSearch(Self.gallery, exhaustiveUpTo: 4, comparing: 3).bestMatches(
            of: probes((0..<8).map { Self.visits.first[$0].warped(Similarity(rotation: 2.2)) }))
        #expect(turned.map(\.index) == Array(0..<8) && turned.allSatisfy { $0.score > 0.5 }, "\(turned)")
    }

    @Test func `pairs of which one is mixed with another eye are found, too`() throws {
        let blended = (0..<4).map { eye -> Picture in
            var picture = Self.visits.second[eye]
            let other = Self.visits.first[eye + 4]
            for i in picture.pixels.indices {
                picture.pixels[i] = UInt8((3 * Int(picture.pixels[i]) + Int(other.pixels[i])) / 4)
            }
            return picture
        }
        let pictures = (0..<4).map { Self.visits.first[$0] } + blended
        let gallery = RetinalGallery(PictureSet(pictures, size: Self.size, patients: Array(0..<8)))
        for limit in [2, 100] {
            let found = try RetinalSearch(gallery, exhaustiveUpTo: limit).matches(of: 4..<8, from: 0.4)
            #expect(found.map { $0.map(\.index) } == [[0], [1], [2], [3]], "\(found)")
            // Weak enough that a bolder choice at half resolution would lose some.
            #expect(found.joined().contains { $0.score < 0.7 }, "\(found)")
        }
    }

    @Test func `a field is the same after it was stored`() {
        let field = VesselField(Self.visits.first[0]), stored = VesselField(bytes: field.bytes)
        #expect(
            field.bytes.count == VesselField.byteCount && stored.bytes == field.bytes && Set(field.bytes).count > 50)
    }

    @Test(.exclusivePool) func `matches are the same on any number of threads, alone and in a batch`() throws {
        let set = Self.visits.second.selecting([0, 1, 2, 3])
        let results = try [1, 2, 3].map { threads in
            ComputeEnvironment.threads = threads
            try #require(ComputeEnvironment.threads == threads)
            return try RetinalGallery(Self.visits.first).best(RetinalGallery(set))
        }
        try #require(results[0].count == 4)
        #expect(results[0] == results[1] && results[0] == results[2])
        for i in 0..<4 { #expect(try Self.gallery.best(RetinalGallery(set.selecting([i]))) == [results[0][i]]) }
    }

    @Test func `progress rises to the number of probes and may stop the search`() throws {
        struct Stop: Error {}
        var counts: [Int] = []
        let search = try RetinalSearch(Self.gallery)
        _ = try search.bestMatches(of: RetinalGallery(Self.visits.second)) { counts.append($0) }
        #expect(counts.last == Self.visits.second.count && counts == counts.sorted())
        #expect(throws: Stop.self) {
            try search.bestMatches(of: RetinalGallery(Self.visits.second)) { _ in throw Stop() }
        }
    }
}

extension RetinalGallery {
    fileprivate func best(_ probes: RetinalGallery, excludingOwnPatient: Bool = false) throws -> [RetinalMatch] {
        try RetinalSearch(self).bestMatches(of: probes, excludingOwnPatient: excludingOwnPatient)
    }
}
