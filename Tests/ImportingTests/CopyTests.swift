import Datasets
import Files
import Importing
import Pictures
import TestPictures
import Testing

@Suite("Copies")
struct CopyTests {
    private func signature(_ picture: Picture) throws -> (Digest, DetailSignature) {
        let view = try FieldOfView.detected(in: picture, name: "p")
        return (
            Digest(of: picture.pixels),
            DetailSignature(FundusCrop(picture, fieldOfView: view, size: DetailSignature.side))
        )
    }

    @Test(
        "re-encoded, resized, brightened and cut copies correlate above 0.98; other eyes and other poses stay below 0.9"
    )
    func correlations() throws {
        let disc = SyntheticDisc(eye: 11)
        let original = disc.picture
        let mine = try signature(original).1
        let copies: [(String, Picture)] = [
            ("re-encoded", try Picture(decoding: Array(original.jpegData(quality: 60)), name: "p")),
            ("smaller", original.resized(width: 512, height: 384)),
            ("cut", original.cropped(x: 60, y: 15, width: 500, height: 455)),
            ("brighter", SyntheticDisc(eye: 11, shift: 20).picture),
        ]
        for (name, copy) in copies {
            let other = try signature(copy).1
            #expect(mine.correlation(with: other) >= CopyFinder.minimumCorrelation, "\(name)")
            #expect(mine.hashDistance(to: other) <= 8, "\(name)")
        }
        for eye in UInt64(12)..<20 {
            #expect(
                mine.correlation(with: try signature(SyntheticDisc(eye: eye).picture).1)
                    < CopyFinder.minimumCorrelationOfOneEye)
        }
        // The same eye, moved by a tenth of the radius under the camera.
        var moved = disc
        moved.radius = 220
        var pose = moved.picture
        let frame = disc.picture
        for y in 0..<pose.height {
            for x in 0..<pose.width where frame[x, y].x < 10 { pose[x, y] = frame[x, y] }
        }
        #expect(mine.correlation(with: try signature(pose).1) < CopyFinder.minimumCorrelation)
    }

    @Test("the first of its kind stays; what equals a copy is a copy of the same original")
    func search() throws {
        let a = SyntheticDisc(eye: 1).picture, b = SyntheticDisc(eye: 2).picture
        let aAgain = try Picture(decoding: Array(a.jpegData(quality: 70)), name: "p")
        let read = try [a, b, aAgain, b, aAgain].map(signature)
        let findings = try CopyFinder.search(
            read.map { CopyFinder.Entry(digest: $0.0, pixelCount: 1) }, signature: { read[$0].1 })
        #expect(
            findings.copies == [
                .init(index: 2, original: 0, kind: .near), .init(index: 3, original: 1, kind: .exact),
                .init(index: 4, original: 0, kind: .exact),
            ])
        #expect(findings.sameEye.isEmpty)
    }

    @Test("the largest copy stays, whatever its name")
    func largest() throws {
        let a = SyntheticDisc(eye: 1).picture
        let read = try [a.resized(width: 160, height: 120), a, SyntheticDisc(eye: 2).picture].map(signature)
        let findings = try CopyFinder.search(
            zip(read, [160 * 120, 640 * 480, 640 * 480]).map { CopyFinder.Entry(digest: $0.0, pixelCount: $1) },
            signature: { read[$0].1 })
        #expect(findings.copies == [.init(index: 0, original: 1, kind: .near)])
        // Of equally large ones, the one in colour.
        let colours = try CopyFinder.search(
            read.map { CopyFinder.Entry(digest: $0.0, pixelCount: 1, isColour: $0.0 != read[0].0) },
            signature: { read[$0].1 })
        #expect(colours.copies == findings.copies)
        #expect(a.isColour && !Picture(width: 2, height: 2, red: 7, green: 7, blue: 7).isColour)
    }

    @Test("in a large set, the nearest outlooks find the same copies")
    func large() throws {
        var pictures = (1...12).map { SyntheticDisc(eye: UInt64($0)).picture }
        for eye in 0..<6 {
            pictures.append(try Picture(decoding: Array(pictures[eye].jpegData(quality: 60)), name: "p"))
            pictures.append(pictures[eye].cropped(x: 60, y: 15, width: 500, height: 455))
        }
        let read = try pictures.map(signature)
        func search(_ limit: Int) throws -> CopyFinder.Findings {
            try CopyFinder.search(
                read.map { CopyFinder.Entry(digest: $0.0, pixelCount: 1) }, exhaustiveUpTo: limit, comparing: 3,
                signature: { read[$0].1 })
        }
        let all = try search(100), near = try search(2)
        #expect(all.copies.count == 12 && near.copies == all.copies && near.sameEye.isEmpty)
    }
}
