import Datasets
import Files
import Foundation
import ImportPages
import Importing
import Phantoms
import Pictures
import RetinalMatching
import Support
import TestPictures
import Testing

@Suite("Quality of photographs")
struct QualityTests {
    private static let phantoms: [Phantom] = {
        guard let generator = try? PhantomGenerator(patients: 6, size: 256, seed: 31) else { fatalError("phantoms") }
        return generator.phantoms(0..<6, threads: 2)
    }()
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A photograph for each grade: two good ones, and bad ones whose names say why.
    private func importer() throws -> Importer {
        let changes: [(String, (Picture, FieldOfView) -> Picture)] = [
            ("a-good", { picture, _ in picture }), ("b-good", { picture, _ in picture }),
            ("black", { picture, _ in picture.lit(0.12) }), ("blurred", { $0.blurred(sigma: 4, inside: $1) }),
            ("burnt", { picture, _ in picture.lit(3) }), ("dim", { picture, _ in picture.lit(0.3) }),
        ]
        for (phantom, (name, change)) in zip(Self.phantoms, changes) {
            let picture = change(Picture(width: 256, height: 256, pixels: phantom.pixels), phantom.fieldOfView)
            try folder.write(picture.pngData(), "photos/\(name).png")
        }
        try folder.write(
            SyntheticDisc(width: 320, height: 320, centerX: 160, centerY: 160, radius: 150).picture.pngData(),
            "photos/vessel-less.png")
        var importer = Importer(folder: folder.file("photos"), site: "a", size: 64)
        importer.onePatientPerPhoto = true
        return importer
    }

    private static let grades: [String: QualityGrade] = [
        "a-good.png": .good, "b-good.png": .good, "black.png": .reject, "blurred.png": .reject, "burnt.png": .reject,
        "dim.png": .usable, "vessel-less.png": .reject,
    ]

    @Test("bad photographs are graded and named, and the grade fills the attribute that no table states")
    func graded() async throws {
        let importer = try importer()
        let imported = try importer.run(), quality = imported.report.quality
        #expect(imported.report.kept == 7 && imported.report.refused.isEmpty)
        let found = Dictionary(uniqueKeysWithValues: quality.photographs.map { ($0.file, $0.grade) })
        #expect(found == Self.grades, "\(quality.poor)")
        #expect(quality.measured == ["good": 2, "usable": 1, "reject": 4] && quality.source == .measured)
        let poor = quality.poor
        #expect(Set(poor.map(\.file)) == ["black.png", "blurred.png", "burnt.png", "vessel-less.png", "dim.png"])
        #expect(poor.last?.file == "dim.png" && Set(poor.dropLast().map(\.reasons.count)).count > 1, "\(poor)")
        #expect(zip(poor, poor.dropFirst().dropLast()).allSatisfy { $0.reasons.count >= $1.reasons.count }, "\(poor)")
        for (file, reason) in [
            ("black.png", "is almost black: median brightness"), ("blurred.png", "is blurred: sharpness"),
            ("burnt.png", "is burnt out:"), ("dim.png", "is dark: median brightness"),
            ("vessel-less.png", "hardly a vessel is visible: 0.0 widths"),
        ] {
            let reasons = try #require(quality.photographs.first { $0.file == file }?.reasons)
            #expect(reasons.contains { $0.hasPrefix(reason) }, "\(file): \(reasons)")
        }
        #expect(imported.report.summary.quality.photographs == quality.poor)
        let out = folder.file("site.h5"), page = try ImportPage(imported, dataset: "site.h5").html()
        try await imported.write(to: out, .init(source: "test", licence: "CC0"), page: page, force: false)
        let file = try await DatasetFile.open(out)
        #expect(file.info.qualitySource == .measured && file.description.qualitySource == .measured)
        let names = try #require(imported.report.photographs).map(\.file)
        for (row, name) in names.enumerated() {
            #expect(file.cohort(row: row)["quality"] == Self.grades[name]?.rawValue, "\(name)")
        }
        let pageFile = folder.file("site.import.html")
        #expect(try String(contentsOfFile: pageFile, encoding: .utf8) == page)
        let mode = try FileManager.default.attributesOfItem(atPath: pageFile)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        for words in ["black.png", "reject: is almost black", "Median brightness", "Private: shows patients"] {
            #expect(page.contains(words), "\(words)")
        }
        #expect(page.components(separatedBy: "data:image/jpeg").count - 1 == 5, "a picture of each poor photograph")
    }

    @Test("vessels that are brighter than what is around them are called no darker")
    func brightVessels() throws {
        let text = """
            {"brightness": 100, "dark": 0, "burnt": 0, "lit": 1, "sharpness": 0.6, "vesselLength": 5, \
            "vesselContrast": -0.05}
            """
        let quality = PhotographQuality(try JSONDecoder().decode(PhotographFigures.self, from: Data(text.utf8)))
        #expect(quality.reasons == ["its vessels are faint: no darker than what is around them"])
    }

    @Test("poorer photographs are left out where the import asks for it, with the reason")
    func least() throws {
        var importer = try importer()
        importer.leastQuality = .usable
        let report = try importer.run().report
        #expect(report.kept == 3 && report.quality.least == .usable)
        #expect(report.refused.map(\.file) == ["black.png", "blurred.png", "burnt.png", "vessel-less.png"])
        #expect(report.refused.first?.reason.hasPrefix("is almost black: median brightness ") == true)
        // They are in the list of what was measured, and the counts are of what was kept.
        #expect(report.quality.photographs.count == 7)
        #expect(report.quality.measured == ["good": 2, "usable": 1, "reject": 0])
        importer.leastQuality = .good
        let best = try importer.run()
        #expect(best.report.kept == 2)
        let page = try ImportPage(best, dataset: "site.h5").html()
        #expect(page.contains("usable, left out: is dark") && page.contains("Refused photographs"))
    }

    @Test("an import of which every photograph is too poor fails, and says why")
    func nothingLeft() throws {
        let picture = Picture(width: 256, height: 256, pixels: Self.phantoms[2].pixels).lit(0.12)
        try folder.write(picture.pngData(), "photos/black.png")
        var importer = Importer(folder: folder.file("photos"), site: "a", size: 64)
        (importer.onePatientPerPhoto, importer.leastQuality) = (true, .usable)
        #expect { try importer.run() } throws: {
            let failure = $0 as? Failure
            return failure?.kind == .badData && failure?.sentence.contains("is almost black") == true
        }
    }

    @Test("the table's quality wins, and the report compares it with what was measured")
    func stated() throws {
        var importer = try importer()
        let rows = "a-good.png,1\nb-good.png,3\nblack.png,3\nburnt.png,1\ndim.png,2\n"
        importer.labels = try folder.write(Array(("name,grade\n" + rows).utf8), "labels.csv")
        let map = """
            file: {column: name}
            attributes: {quality: {column: grade, codes: {"1": good, "2": usable, "3": reject}}}
            """
        importer.map = try folder.write(Array(map.utf8), "map.yaml")
        let imported = try importer.run(), quality = imported.report.quality
        #expect(quality.source == .stated && quality.photographs.first?.stated == "good")
        let names = try #require(imported.report.photographs).map(\.file), records = try imported.records()
        let values = Dictionary(uniqueKeysWithValues: zip(names, records.map { $0.cohort["quality"] }))
        #expect(values["b-good.png"] == "reject" && values["burnt.png"] == "good")
        // A photograph of which the table says nothing stays unknown, because one column has one source.
        #expect(values["blurred.png"] == .some(nil))
        func count(_ stated: String, _ measured: QualityGrade) -> Int? {
            quality.agreement.first { $0.stated == stated && $0.measured == measured }?.photographs
        }
        #expect(count("good", .good) == 1 && count("good", .reject) == 1 && count("usable", .usable) == 1)
        #expect(count("reject", .good) == 1 && count("reject", .reject) == 1 && count("reject", .usable) == 0)
        let page = try ImportPage(imported, dataset: "site.h5").html()
        #expect(page.contains("The two agree on 3 of 5 photographs (60 %)"))
        importer.leastQuality = .usable
        let refused = try importer.run().report.refused
        #expect(refused.map(\.file) == ["b-good.png", "black.png", "blurred.png", "vessel-less.png"])
        #expect(refused.first?.reason == "the table calls its quality reject")
    }

    @Test("photographs that are added keep what the data set says of the source")
    func added() async throws {
        var first = try importer()
        first.folder = folder.file("first")
        try FileManager.default.createDirectory(atPath: first.folder, withIntermediateDirectories: true)
        for name in ["a-good.png", "black.png"] {
            try FileManager.default.moveItem(
                atPath: folder.file("photos/" + name), toPath: folder.file("first/" + name))
        }
        let out = folder.file("site.h5")
        func base() async throws -> BaseDataset {
            try await first.run().write(to: out, .init(source: "test", licence: "CC0"), force: true)
            return try await BaseDataset(out, scratch: folder.path)
        }
        for name in ["blurred.png", "burnt.png", "vessel-less.png"] {
            try FileManager.default.removeItem(atPath: folder.file("photos/" + name))
        }
        var second = Importer(folder: folder.file("photos"), site: "a", size: 64)
        second.onePatientPerPhoto = true
        second.base = try await base()
        var imported = try second.run()
        #expect(imported.report.quality.source == .measured && imported.report.quality.photographs.count == 2)
        #expect(try imported.records().map { $0.cohort["quality"] } == ["good", "reject", "good", "usable"])
        // A table graded the first ones: what is measured of the others does not mix with that.
        first.map = try folder.write(Array("attributes: {quality: {constant: good}}".utf8), "map.yaml")
        second.base = try await base()
        imported = try second.run()
        #expect(imported.report.quality.source == .stated)
        #expect(try imported.records().map { $0.cohort["quality"] } == ["good", "good", nil, nil])
        // A table grades the new ones, and the first ones were measured.
        (first.map, second.map) = (nil, first.map)
        second.base = try await base()
        imported = try second.run()
        #expect(imported.report.quality.source == .mixed)
        #expect(try imported.records().map { $0.cohort["quality"] } == ["good", "reject", "good", "good"])
    }

    @Test("figures depend neither on the size of the import nor on threads")
    func sizes() throws {
        let disc = SyntheticDisc(width: 1200, height: 1100, centerX: 600, centerY: 550, radius: 500, eye: 3)
        try folder.write(disc.picture.jpegData(quality: 85), "photos/large.jpg")
        let phantom = Self.phantoms[0]
        try folder.write(Picture(width: 256, height: 256, pixels: phantom.pixels).pngData(), "photos/p.png")
        let all = try [(64, 1), (256, 2), (600, 1)].map { size, threads in
            var importer = Importer(folder: folder.file("photos"), site: "a", size: size)
            (importer.onePatientPerPhoto, importer.threads) = (true, threads)
            return try importer.run().report.quality.photographs
        }
        #expect(all[0].count == 2 && all[0] == all[1] && all[1] == all[2], "\(all)")
    }

    @Test("each figure is good at its limit, and worse beyond it")
    func limits() throws {
        let good = [
            "brightness": 90, "dark": 0, "burnt": 0, "lit": 1, "sharpness": 0.6, "vesselLength": 6,
            "vesselContrast": 0.15,
        ]
        func quality(_ figure: QualityLimit, _ value: Double) throws -> PhotographQuality {
            var figures = good
            figures[figure.rawValue] = value
            let text = try JSONEncoder().encode(figures)
            return PhotographQuality(try JSONDecoder().decode(PhotographFigures.self, from: text))
        }
        for limit in QualityLimit.allCases {
            let (usable, reject) = limit.limits, step = reject > usable ? 0.001 : -0.001
            #expect(try quality(limit, usable).grade == .good && quality(limit, usable).reasons.isEmpty, "\(limit)")
            #expect(try quality(limit, usable + step).grade == .usable, "\(limit)")
            #expect(try quality(limit, reject).grade == .usable, "\(limit)")
            let worst = try quality(limit, reject + step)
            #expect(worst.grade == .reject && worst.reasons.count == 1, "\(limit)")
        }
    }
}
