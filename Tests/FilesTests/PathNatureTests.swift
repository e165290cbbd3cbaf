import Files
import Foundation
import Support
import Testing

@Suite struct PathNatureTests {
    /// A safetensors file with this header.
    private static func weights(_ header: String) -> [UInt8] {
        let bytes = Array(header.utf8)
        return (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) } + bytes
    }

    private static func manifest(_ fields: String) -> [UInt8] {
        let manifest = fields.replacingOccurrences(of: "\"", with: "\\\"")
        return weights("{\"__metadata__\":{\"fovea\":\"\(manifest)\"}}")
    }

    @Test func `files are told apart by their first bytes`() throws {
        let folder = try TemporaryFolder()
        let hdf5: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        let files: [(String, [UInt8], PathNature)] = [
            ("a.h5", hdf5 + [0], .dataset), ("s.h5", [UInt8](repeating: 0, count: 512) + hdf5, .sampleSet),
            ("cut.h5", Array("fovea.samples 1\n".utf8), .sampleSet),
            ("m", Self.manifest("{\"kind\":\"fovea.snapshot\"}"), .snapshot),
            ("c", Self.manifest("{\"kind\":\"fovea.checkpoint\"}"), .checkpoint),
            ("d", Self.manifest("{\"kind\":\"fovea.adapter\"}"), .adapter),
            ("e", Self.manifest("{\"kind\":\"fovea.adapter\",\"parcel\":{\"site\":\"a\"}}"), .parcel),
            ("other", Self.weights("{\"x\":{}}"), .weights),
            // The length of this header, 640, begins with the bytes of a pickle.
            ("long", Self.weights("{\"x\":{}}" + String(repeating: " ", count: 632)), .weights),
            ("k", Array("fovea-private-key-1\n".utf8), .privateKey),
            ("k.pub", Array("fovea-public-key-1\n".utf8), .publicKey),
            ("m.yaml", Array("# a map\nrelease: x\nfile: {column: name}\nattributes:\n  dme: {}\n".utf8), .labelMap),
            ("t.yaml", Array("version: 1\ncoordinator: x\nmembers:\n".utf8), .trustList),
            ("c.yaml", Array("steps: 3\n".utf8), .yaml), ("c", Array("# a, b\nsizes: [1, 2]\n".utf8), .yaml),
            ("colon.txt", Array("a;Camera: Type;b\n1;2;3\n".utf8), .table),
            ("t.csv", Array("one column\nx\n".utf8), .table),
            ("bmi.txt", Array("BMI;age\n20;40\n".utf8), .table), ("bom", Array("\u{FEFF}name,age\na,1\n".utf8), .table),
            ("x.import-report.json", Array("{\"kept\":1}".utf8), .importReport), ("x.json", Array("{}".utf8), .json),
            ("p.jpg", [0xFF, 0xD8, 0xFF, 0xE0], .picture), ("p.tif", [0x49, 0x49, 0x2A, 0, 0, 0], .picture),
            ("t.xlsx", [0x50, 0x4B, 3, 4, 0], .archive), ("r.html", Array("<!doctype html>".utf8), .page),
            ("p.pt", [0x80, 2, 0x7D, 0x71, 0], .pickle),
            ("z.bin", [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 26) + Array("archive/data.pkl".utf8), .pickle),
            ("l.h5", Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\n".utf8), .lfsPointer),
            ("note", Array("hello".utf8), .text), ("blob", [1, 0, 2], .other), ("nothing", [], .empty),
        ]
        for (name, bytes, nature) in files {
            #expect(PathNature(try folder.write(bytes, name)) == nature, "\(name)")
        }
        #expect(PathNature(folder.file("absent")) == .missing)
    }

    @Test func `folders are told apart by what they hold`() throws {
        let folder = try TemporaryFolder()
        for (file, name, nature) in [
            ("run/checkpoint.safetensors", "run", PathNature.runFolder),
            ("audit/public/audit.json", "audit", .auditFolder), ("audit/public/audit.json", "audit/public", .auditPart),
            ("audit/private/evidence.html", "audit/private", .auditPart), ("round/round.json", "round/", .roundFolder),
            ("x.h5.unfinished/lock", "x.h5.unfinished", .unfinishedFolder), ("ph/A.JPG", "ph", .photographFolder),
            ("plain/notes.txt", "plain", .folder), ("model/unet/config.json", "model", .modelFolder),
            ("export/export.json", "export", .exportFolder),
        ] {
            try folder.write([1], file)
            #expect(PathNature(folder.file(name)) == nature, "\(name)")
        }
    }
}
