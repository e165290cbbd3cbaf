import Files
import Foundation
import HDF5Files
import Support
import Testing

@HDF5Actor
@Suite struct RoundTripTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test func aLinkLeadsToTheWholeFile() throws {
        let path = folder.file("long-enough-a-name.h5"), link = folder.file("l.h5")
        let file = try HDF5File.create(path)
        try file.root.write("many", [UInt8](repeating: 7, count: 10_000), shape: [10_000])
        try file.close()
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        let opened = try HDF5File.open(link)
        #expect(opened.byteCount > 10_000)
        #expect(try opened.root.dataset("many").readAll(UInt8.self).count == 10_000)
    }

    @Test func anAttributeOfAWrongFileIsNotPrintedWhole() throws {
        let path = folder.file("a.h5")
        let table = (0..<500).map { "P\($0),1950,female" }.joined(separator: "\n")
        let file = try HDF5File.create(path)
        try file.root.setAttribute("kind", table)
        try file.root.setAttribute("flag", table)
        try file.close()
        let root = try HDF5File.open(path).root
        for failure in [
            expectFailure(.badData, "expected fovea.dataset, found P0,1950,female?P1") {
                try root.requireKind("fovea.dataset", version: 1)
            }, expectFailure(.badData, "expected YES or NO, found P0") { try root.attributeFlag("flag") },
        ] {
            #expect(failure?.sentence.contains("P8,") == false)
        }
    }

    @Test func anAttributeIsReplacedInPlace() throws {
        let path = folder.file("a.h5")
        let file = try HDF5File.create(path)
        try file.root.setAttribute("licence", "a")
        try file.root.write("u8", [UInt8](0..<6), shape: [6])
        try file.close()
        let changed = try HDF5File.change(path, shownAs: "shown.h5")
        try changed.root.replaceAttribute("licence", "a longer text than before")
        try changed.root.replaceAttribute("new", "b")
        try changed.close()
        let root = try HDF5File.open(path).root
        #expect(try root.attributeString("licence") == "a longer text than before")
        #expect(try root.attributeString("new") == "b" && root.attributeNames.count == 2)
        #expect(try root.dataset("u8").readAll(UInt8.self) == [UInt8](0..<6))
        expectFailure(.noSuchInput, "there is no such file") { try HDF5File.change(folder.file("none"), shownAs: "x") }
    }

    @Test func numbersComeBackInTheirTypes() throws {
        let path = folder.file("numbers.h5")
        let file = try HDF5File.create(path)
        try file.root.write("u8", [UInt8](0..<6), shape: [3, 2])
        try file.root.write("i8", [Int8.min, 0, .max], shape: [3])
        try file.root.write("i16", [Int16.min, 7], shape: [2])
        try file.root.write("i32", [Int32.min, 7], shape: [2])
        try file.root.write("i64", [Int64.min, 7], shape: [2])
        try file.root.write("u64", [UInt64.max, 7], shape: [1, 2])
        try file.root.write("f32", [Float.pi, -.infinity, 1.5e-38], shape: [3])
        try file.root.write("scalar", [Float(2.5)], shape: [])
        try file.close()

        let root = try HDF5File.open(path).root
        #expect(try root.names == ["f32", "i16", "i32", "i64", "i8", "scalar", "u64", "u8"])
        #expect(try root.dataset("u8").read(UInt8.self, rows: 1..<3) == [2, 3, 4, 5])
        #expect(try root.dataset("u8").shape == [3, 2])
        #expect(try root.dataset("i8").readAll(Int8.self) == [.min, 0, .max])
        #expect(try root.dataset("i16").readAll(Int16.self) == [.min, 7])
        #expect(try root.dataset("i32").readAll(Int32.self) == [.min, 7])
        #expect(try root.dataset("i64").readAll(Int64.self) == [.min, 7])
        #expect(try root.dataset("u64").readAll(UInt64.self) == [.max, 7])
        #expect(try root.dataset("f32").readAll(Float.self) == [.pi, -.infinity, 1.5e-38])
        #expect(try root.dataset("scalar").readAll(Float.self) == [2.5])
        #expect(try root.dataset("scalar").shape == [])
        #expect(try root.dataset("u64").type == .integer(bytes: 8, signed: false))
        #expect(try root.dataset("i16").type == .integer(bytes: 2, signed: true))
        #expect(try root.dataset("f32").type == .float(bytes: 4))
    }

    @Test func anotherTypeIsRefusedByName() throws {
        let path = folder.file("types.h5")
        let file = try HDF5File.create(path)
        try file.root.write("floats", [Float(1)], shape: [1])
        try file.close()
        let root = try HDF5File.open(path).root
        #expect(throws: Failure(.badData, path, field: "/floats", expected: "uint8", found: "float32")) {
            try root.dataset("floats").readAll(UInt8.self)
        }
        #expect(throws: Failure(.badData, path, field: "/floats shape", expected: "[any, 2]", found: "[1]")) {
            try root.dataset("floats").require(Float.self, shape: [nil, 2])
        }
        #expect(throws: Failure(.badData, path, "/absent is missing")) { try root.dataset("absent") }
        expectFailure(.badData, "/floats is not a group") { try root.group("floats") }
    }

    @Test func namedCodesKeepNamesAndNegativeValues() throws {
        let path = folder.file("codes.h5")
        let file = try HDF5File.create(path)
        try file.root.write(
            "sex", codes: [Int16(-2), -1, 0, 300],
            members: [
                ("unspecified", -2), ("unknown", -1), ("female", 0), ("åland", 300),
            ])
        try file.root.write("split", codes: [Int8(2), 0], members: [("train", 0), ("holdout", 2)])
        try file.close()
        let root = try HDF5File.open(path).root
        #expect(
            try root.dataset("sex").type
                == .enumeration(
                    bytes: 2, signed: true, members: ["unspecified": -2, "unknown": -1, "female": 0, "åland": 300]))
        #expect(try root.dataset("sex").readAll(Int16.self) == [-2, -1, 0, 300])
        #expect(
            try root.dataset("split").type == .enumeration(bytes: 1, signed: true, members: ["train": 0, "holdout": 2]))
        #expect(try root.dataset("split").readAll(Int8.self) == [2, 0])
    }

    @Test func namesThatHDF5CannotHoldAreRefused() throws {
        let file = try HDF5File.create(folder.file("names.h5"))
        expectFailure(.badData, "/a: a code has no name") {
            try file.root.write("a", codes: [Int8(0)], members: [("", 0)])
        }
        expectFailure(.badData, "/b: ") { try file.root.write("b", codes: [Int8(0)], members: [("x\0y", 0)]) }
        let many = (0..<5000).map { (name: "camera \($0)", code: Int16($0)) }
        let failure = #expect(throws: Failure.self) { try file.root.write("c", codes: [Int16(0)], members: many) }
        #expect(failure?.sentence.contains("5000 names") == true)
        let some = (0..<2200).map { (name: "camera \($0)", code: Int16($0)) }
        try file.root.write("d", codes: [Int16(2199)], members: some)
        try file.close()
    }

    @Test func stringsAndAttributesComeBack() throws {
        let path = folder.file("strings.h5")
        let file = try HDF5File.create(path)
        try file.root.write("names", strings: ["a", "", "Zürich – 東京"])
        try file.root.write("none", strings: [])
        try file.root.write("text", strings: [String(repeating: "x", count: 200_000)], shape: [])
        try file.root.setAttribute("kind", "fovea.test")
        try file.root.setAttribute("empty", "")
        try file.root.setAttribute("version", -3)
        try file.root.dataset("names").setDimensionLabels(["row"])
        try file.close()

        let root = try HDF5File.open(path).root
        #expect(try root.dataset("names").readStrings() == ["a", "", "Zürich – 東京"])
        #expect(try root.dataset("names").type == .fixedString(bytes: 18))
        #expect(try root.dataset("none").readStrings() == [])
        #expect(try root.dataset("text").readStrings() == [String(repeating: "x", count: 200_000)])
        #expect(try root.attributeNames == ["empty", "kind", "version"])
        #expect(try root.attributeString("kind") == "fovea.test")
        #expect(try root.attributeString("empty") == "")
        #expect(try root.attributeType("kind") == .variableString)
        #expect(try root.attributeInt("version") == -3)
        #expect(try root.dataset("names").attributeStrings("DIMENSION_LABELS") == ["row"])
        expectFailure(.badData, "attribute kind of /: expected one integer, found 1 of ") {
            try root.attributeInt("kind")
        }
        expectFailure(.badData, "attribute version of /: expected strings, found ") {
            try root.attributeString("version")
        }
        #expect(throws: Failure(.badData, path, "attribute absent of / is missing")) {
            try root.attributeString("absent")
        }
    }

    @Test func rowsGrowInChunksWithFilters() throws {
        let path = folder.file("rows.h5")
        let file = try HDF5File.create(path)
        let storage = HDF5Storage(chunkRows: 1, deflate: 1, fletcher32: true, isExtendible: true)
        let images = try file.root.create("images", UInt8.self, shape: [0, 4, 4, 3], storage: storage)
        for row in 0..<5 {
            try images.extend(rows: row + 1)
            try images.write([UInt8](repeating: UInt8(row), count: 48), rows: row..<row + 1)
        }
        #expect(try images.read(UInt8.self, rows: 2..<3) == [UInt8](repeating: 2, count: 48))
        try file.close()
        let stored = try HDF5File.open(path).root.dataset("images")
        #expect(stored.storage == storage)
        #expect(stored.shape == [5, 4, 4, 3])
        #expect(
            try stored.read(UInt8.self, rows: 3..<5) == [UInt8](repeating: 3, count: 48)
                + [UInt8](repeating: 4, count: 48))
        #expect(try stored.read(UInt8.self, rows: 2..<2) == [])
    }

    @Test func groupsNest() throws {
        let path = folder.file("groups.h5")
        let file = try HDF5File.create(path)
        let inner = try file.root.createGroup("models").createGroup("abc")
        try inner.write("manifest", strings: ["{}"], shape: [])
        #expect(inner.path == "/models/abc")
        try file.close()
        let root = try HDF5File.open(path).root
        #expect(try root.isGroup("models"))
        #expect(try !root.group("models").group("abc").isGroup("manifest"))
        #expect(try root.group("models").group("abc").dataset("manifest").shape == [])
        #expect(try root.contains("models"))
        #expect(try !root.contains("runs"))
    }
}

/// Chunks that were filtered outside the library are what the library would have written.
@HDF5Actor
@Suite struct ChunkEncodingTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: [0, 1, 9], [1, 2, 719, 720, 721, 5003])
    func bytesAreThoseOfTheLibrary(deflate: Int, count: Int) throws {
        let storage = HDF5Storage(chunkRows: 1, deflate: deflate, fletcher32: true)
        // High bytes make the checksum's sums overflow.
        let rows = (0..<3).map { row in
            (0..<count).map { UInt8(truncatingIfNeeded: row == 0 ? 255 : $0 &* 7 &+ $0 / 100 &+ row) }
        }
        func write(_ name: String, _ write: (HDF5Dataset, Int) throws -> Void) throws -> Data {
            let file = try HDF5File.create(folder.file(name))
            let dataset = try file.root.create("x", UInt8.self, shape: [3, count], storage: storage)
            for row in 0..<3 { try write(dataset, row) }
            try file.close()
            return try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
        }
        let theirs = try write("theirs.h5") { try $0.write(rows[$1], rows: $1..<$1 + 1) }
        let ours = try write("ours.h5") { try $0.write(chunk: storage.encoded(rows[$1]), row: $1) }
        #expect(ours == theirs)
        #expect(try HDF5File.open(folder.file("ours.h5")).root.dataset("x").readAll(UInt8.self) == rows.flatMap { $0 })
    }
}
