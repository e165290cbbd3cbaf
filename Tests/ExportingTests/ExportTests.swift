import Cohorts
import Exporting
import Files
import Foundation
import Pictures
import SampleStore
import Support
import Testing

/// Sample sets in other forms: what is written reads back, and what loses its label is found.
@Suite struct ExportTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func set(_ count: Int = 5, camera: String = "Topcon, \"one\"") async throws -> SampleSetFile {
        let digest = Digest(of: Array("model".utf8)), started = Date(timeIntervalSince1970: 1_800_000_000)
        let lineage = Lineage(
            model: digest.description, imagesSeen: 640, parents: [], sites: ["aachen"], parcels: [],
            trainingSets: [.init(digest: "ab", site: "aachen", licence: "CC0", patients: 10)])
        let manifest = """
            {"kind":"fovea.snapshot","version":1,"model":{},"cohortSchemaVersion":1,"imagesSeen":640,\
            "parents":[],"licence":"CC0",\
            "attributions":[],"permittedUses":[],"configuration":"","toolVersion":"0.1.0","trainingData":[]}
            """
        let writer = try SampleSetWriter(
            path: folder.file("s.h5"), width: 6, height: 4,
            run: RunRecord(
                modelDigest: digest, sampler: "heun",
                schedule: #"{"kind":"karras","steps":18,"sigma_min":0.002,"sigma_max":80,"rho":7}"#,
                steps: 18, guidance: 1, openBLASVersion: "0.3.21", blasCore: "Zen", kernelISA: "v4", started: started),
            model: ModelRecord(
                digest: digest, manifestJSON: manifest, lineageJSON: try lineage.json(), provJSON: try lineage.prov()),
            terms: Terms(licence: "CC0", attribution: "nobody", permittedUses: "research", contact: "me"),
            siteNames: ["aachen"],
            created: started)
        let samples = (0..<count).map { index in
            let pixels = (0..<72).map { UInt8(truncatingIfNeeded: $0 * 31 + index * 7) }
            let cohort = index == 0 ? Cohort() : Cohort(["camera": camera, "dr_icdr": "\(index % 5)"])
            let grade: Float = index == 0 ? 2.5 : Float(index % 5)
            return SampleRecord(
                pixels: pixels, cohort: cohort, requests: ["dr_icdr": grade], seed: .max, index: UInt64(index),
                siteWeights: [1])
        }
        try await writer.append(samples, finished: started + 60)
        try await writer.finish()
        return try await SampleSetFile.open(folder.file("s.h5"))
    }

    private func export(_ format: SampleExport.Format, to name: String = "out", force: Bool = false, shardRows: Int = 2)
        async throws -> String
    {
        let set =
            FileManager.default.fileExists(atPath: folder.file("s.h5"))
            ? try await SampleSetFile.open(folder.file("s.h5")) : try await set()
        _ = try await SampleExport(set, format: format, shardRows: shardRows, threads: 2)
            .write(to: folder.file(name), content: Digest(of: []), force: force)
        return folder.file(name)
    }

    private func contents(_ path: String) throws -> [String: Data] {
        try FileManager.default.subpathsOfDirectory(atPath: path).reduce(into: [:]) {
            $0[$1] = FileManager.default.contents(atPath: "\(path)/\($1)")
        }
    }

    /// Writes other bytes under a name, and their digest into export.json.
    private func replace(_ name: String, in export: String, with data: Data) throws {
        let manifest = URL(fileURLWithPath: "\(export)/export.json")
        try data.write(to: URL(fileURLWithPath: "\(export)/\(name)"))
        var content = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: manifest)) as? [String: Any])
        content["files"] = (content["files"] as? [[String: Any]])?.map { file in
            file["name"] as? String == name
                ? ["name": name, "bytes": data.count, "sha256": Digest(of: data).description] : file
        }
        try JSONSerialization.data(withJSONObject: content).write(to: manifest)
    }

    /// Pictures are passed on without their cards, so a file of its own says that nobody audited them.
    @Test(arguments: SampleExport.Format.allCases)
    func aSetWithoutAnAuditSaysSo(format: SampleExport.Format) async throws {
        let path = try await export(format), notice = "\(path)/NOT-FOR-RELEASE.txt"
        #expect(try String(contentsOfFile: notice, encoding: .utf8).hasPrefix("NOT FOR RELEASE.\n"))
        let card = try String(contentsOfFile: "\(path)/README.md", encoding: .utf8)
        #expect(card.contains("\n# out (not for release)\n"))
        #expect(try ExportVerification.findings(path).isEmpty)
        var content = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: "\(path)/export.json")))
                as? [String: Any])
        #expect(content["releasable"] as? Bool == false)
        // Whoever removes the notice from the folder and from the list is found out.
        try FileManager.default.removeItem(atPath: notice)
        content["files"] = (content["files"] as? [[String: Any]])?.filter {
            $0["name"] as? String != "NOT-FOR-RELEASE.txt"
        }
        try JSONSerialization.data(withJSONObject: content).write(to: URL(fileURLWithPath: "\(path)/export.json"))
        #expect(try ExportVerification.findings(path).contains { $0.problem.contains("NOT-FOR-RELEASE.txt") })
    }

    @Test(arguments: SampleExport.Format.allCases)
    func everyFormReadsBack(format: SampleExport.Format) async throws {
        let first = try await export(format)
        #expect(try ExportVerification.findings(first) == [])
        let before = try contents(first)
        #expect(Set(before.keys).isSuperset(of: ["README.md", "croissant.json", "prov.json", "export.json"]))
        // The same set gives the same bytes.
        _ = try await export(format, force: true)
        #expect(try contents(first) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["out", "s.h5"])
    }

    @Test(arguments: SampleExport.Format.allCases)
    func aChangedByteIsFound(format: SampleExport.Format) async throws {
        let export = try await export(format)
        for name in try contents(export).keys.sorted() where name != "export.json" && name != "images" {
            let path = URL(fileURLWithPath: "\(export)/\(name)"), bytes = try Data(contentsOf: path)
            guard !bytes.isEmpty else { continue }
            var changed = bytes
            changed[bytes.count / 2] ^= 1
            try changed.write(to: path)
            #expect(try ExportVerification.findings(export).map(\.place) == [name])
            try bytes.write(to: path)
        }
        try FileManager.default.removeItem(atPath: "\(export)/README.md")
        #expect(try ExportVerification.findings(export).map(\.place) == ["README.md"])
    }

    /// As a picture editor would save it.
    @Test func aPictureWithoutItsLabelIsFound() async throws {
        let export = try await export(.png), name = "images/000003.png"
        let picture = try Picture(contentsOf: "\(export)/\(name)")
        let original = try Data(contentsOf: URL(fileURLWithPath: "\(export)/\(name)"))
        try replace(name, in: export, with: try picture.pngData())
        #expect(
            try ExportVerification.findings(export) == [
                Finding(name, "XMP DigitalSourceType: expected that of the sample, found none")
            ])
        // Another sample's picture under this one's label, checksums and all.
        let other = try Data(contentsOf: URL(fileURLWithPath: "\(export)/images/000002.png"))
        let mixed =
            original.prefix(original.firstRange(of: Data("IDAT".utf8))!.lowerBound - 4)
            + other.suffix(from: other.firstRange(of: Data("IDAT".utf8))!.lowerBound - 4)
        try replace(name, in: export, with: mixed)
        #expect(
            try ExportVerification.findings(export).first?.problem.hasPrefix("Provenance digest: expected ") == true)
        let photograph = original.replacing("trainedAlgorithmicMedia", with: "digitalCapture          ")
        try replace(name, in: export, with: photograph)
        #expect(try ExportVerification.findings(export).map(\.place) == [name])
    }

    @Test func arraysAndShardsWithoutTheLabelAreFound() async throws {
        let arrays = try await export(.npz)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(arrays)/out.npz"))
        try replace("out.npz", in: arrays, with: bytes.replacing("synthetic.npy", with: "synthetic.xxx"))
        #expect(
            try ExportVerification.findings(arrays).map(\.problem) == [
                "has lost the label that says its pictures are synthetic"
            ])
        let shards = try await export(.webdataset, to: "shards")
        let tar = try Data(contentsOf: URL(fileURLWithPath: "\(shards)/shards-000001.tar"))
        try replace(
            "shards-000001.tar", in: shards, with: tar.replacing("\"synthetic\":true", with: "\"synthetic\":null"))
        #expect(try ExportVerification.findings(shards).map(\.place) == ["shards-000001.tar"])
    }

    /// Lists that are true and say too little, and sizes that nobody has.
    @Test func whatAnExportHidesIsFound() async throws {
        let export = try await export(.png)
        let manifest = URL(fileURLWithPath: "\(export)/export.json"),
            text = try String(contentsOf: manifest, encoding: .utf8)
        try Data("x".utf8).write(to: URL(fileURLWithPath: "\(export)/images/extra.png"))
        #expect(try ExportVerification.findings(export).map(\.place) == ["images/extra.png"])
        try FileManager.default.removeItem(atPath: "\(export)/images/extra.png")
        let table = try String(contentsOfFile: "\(export)/metadata.csv", encoding: .utf8)
        try replace("metadata.csv", in: export, with: Data(table.replacingOccurrences(of: ",YES,", with: ",NOT,").utf8))
        #expect(try ExportVerification.findings(export).map(\.place) == ["metadata.csv"])
        try replace("metadata.csv", in: export, with: Data(table.utf8))
        #expect(try ExportVerification.findings(export) == [])
        try #"""
        {"kind":"fovea.export","version":1,"format":"png","samples":0,"synthetic":true,
        "digital_source_type":"\#(SampleSet.digitalSourceType)","content":"","files":[]}
        """#
        .write(to: manifest, atomically: true, encoding: .utf8)
        #expect(try ExportVerification.findings(export).count > 5)
        try text.write(to: manifest, atomically: true, encoding: .utf8)
        let arrays = try await self.export(.npz, to: "arrays"),
            bytes = try Data(contentsOf: URL(fileURLWithPath: "\(arrays)/arrays.npz"))
        for (head, other) in [
            ("'shape': (5, 4, 6, 3)", "'shape': (-5, 4,6, 3)"), ("'shape': (5, 4, 6, 3)", "'shape': (9, 9, 9, 9)"),
            ("'shape': (5, 32)", "'shape': (9e99)"),
        ] {
            try replace("arrays.npz", in: arrays, with: bytes.replacing(head, with: other))
            #expect(try ExportVerification.findings(arrays).map(\.place) == ["arrays.npz"], "\(other)")
        }
    }

    /// Loaders that make columns of all JSON files take the type of a column from the first few.
    @Test func numbersBesidePicturesHaveOneType() async throws {
        _ = try await set(3)
        let shards = try await export(.webdataset, to: "shards")
        for (shard, grades) in [(0, ["2.5", "1.0"]), (1, ["2.0"])] {
            let tar = String(
                decoding: try Data(contentsOf: URL(fileURLWithPath: "\(shards)/shards-00000\(shard).tar")),
                as: UTF8.self)
            for grade in grades { #expect(tar.contains("\"requests\":{\"dr_icdr\":\(grade)}")) }
            #expect(
                tar.matches(of: #/"seed":"0xffffffffffffffff","site_weights":{"aachen":1\.0}/#).count == grades.count)
        }
        let card = try String(contentsOfFile: "\(shards)/README.md", encoding: .utf8)
        #expect(card.contains("\nconfigs:\n- config_name: default\n  data_files: \"*.tar\"\n---\n"))
    }

    @Test func tablesAreSafeInSpreadsheets() async throws {
        _ = try await set(3, camera: "=HYPERLINK(\"http://x\")")
        let table = try String(contentsOfFile: try await export(.png) + "/metadata.csv", encoding: .utf8).split(
            separator: "\n")
        #expect(
            table[0] == "file_name,file,row,dr_icdr,camera,seed,index,run,model,digest,synthetic,digital_source_type")
        #expect(table[1].hasPrefix("images/000000.png,000000.png,0,2.5,,0xffffffffffffffff,0,0,"))
        #expect(
            table[2].hasPrefix(
                "images/000001.png,000001.png,1,1,\"'=HYPERLINK(\"\"http://x\"\")\",0xffffffffffffffff,1,0,"))
    }

    @Test func foldersOfOthersStay() async throws {
        let out = folder.file("mine")
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: false)
        try Data("kept".utf8).write(to: URL(fileURLWithPath: out + "/thesis.txt"))
        for force in [false, true] {
            let failure = await #expect(throws: Failure.self) { try await export(.png, to: "mine", force: force) }
            #expect(failure?.kind == .cannotCreateOutput)
        }
        #expect(try contents(out) == ["thesis.txt": Data("kept".utf8)])
        let holder = try UnfinishedFolder(for: folder.file("held"))
        let failure = await #expect(throws: Failure.self) { try await export(.png, to: "held") }
        #expect(failure?.sentence.hasPrefix("is being made by process") == true)
        #expect(holder.path == folder.file("held.unfinished"))
    }

    @Test func labelsAreAttributesOfTheSchema() async throws {
        let set = try await set()
        let failure = #expect(throws: Failure.self) { try SampleExport(set, format: .npz, label: "colour") }
        #expect(failure?.kind == .usage)
    }
}

extension Data {
    /// The same with a text replaced by another of its length.
    fileprivate func replacing(_ text: String, with other: String) -> Data {
        var result = self
        while let range = result.firstRange(of: Data(text.utf8)) {
            result.replaceSubrange(range, with: Data(other.utf8.prefix(range.count)))
        }
        return result
    }
}
