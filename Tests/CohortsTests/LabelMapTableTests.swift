import Cohorts
import Files
import Foundation
import Support
import Testing

@Suite("Label tables")
struct LabelMapTableTests {
    @Test("quotes, doubled quotes, separators and line ends in quotes, CRLF, a byte order mark")
    func rfc4180() throws {
        let table = try LabelMapTable(
            "\u{FEFF}a,\"b \"\"x\"\"\",c\r\n1,\"two, three\",\"four\r\nfive\"\r\n6,,\" 7 \"\r\n", name: "t.csv")
        #expect(table.columns == ["a", "b \"x\"", "c"])
        #expect(table.rows.map(\.cells) == [["1", "two, three", "four\r\nfive"], ["6", "", "7"]])
        #expect(table.rows.map(\.line) == [2, 4])
    }

    @Test("semicolons and tabs are told from the header; a given separator wins")
    func separators() throws {
        #expect(try LabelMapTable("a;b,c\n1;2\n", name: "t", separator: .semicolon).columns == ["a", "b,c"])
        #expect(try LabelMapTable("a;b;c,d\n1;2;3\n", name: "t").columns == ["a", "b", "c,d"])
        #expect(try LabelMapTable("a\tb\n1\t2", name: "t").rows.map(\.cells) == [["1", "2"]])
    }

    @Test("no line end at the end, and empty lines, change nothing")
    func ends() throws {
        #expect(try LabelMapTable("a,b\n\n1,2\n\n3,", name: "t").rows.map(\.cells) == [["1", "2"], ["3", ""]])
    }

    @Test(
        "malformed tables are refused with the line",
        arguments: [
            ("a,b\n1,2\n3\n", "t.csv line 3: cells separated by commas: expected 2 as in the header, found 1"),
            ("a,b\n1,2,3\n", "t.csv line 2: cells separated by commas: expected 2 as in the header, found 3"),
            ("a,b\n1,\"2\n3,4\n", "t.csv line 2: a quote is opened and never closed"),
            ("a,b\n1,\"2\"3\n", "t.csv line 2: \"3\" follows a closing quote; a quote inside quotes is written twice"),
            ("", "t.csv: is empty; a header with the columns' names was expected"),
        ])
    func malformed(text: String, sentence: String) {
        #expect { try LabelMapTable(text, name: "t.csv") } throws: { "\($0)" == sentence }
    }

    @Test("a table that is missing or not UTF-8")
    func files() throws {
        let folder = try TemporaryFolder()
        #expect { try LabelMapTable(contentsOf: folder.file("none.csv")) } throws: {
            ($0 as? Failure)?.kind == .noSuchInput
        }
        let path = try folder.write([0x61, 0x2C, 0xE9, 0x0A] as [UInt8], "latin1.csv")
        #expect { try LabelMapTable(contentsOf: path) } throws: { "\($0)".contains("is not UTF-8") }
    }

    @Test("columns without a name and rows without content are left out, and a name may occur twice until it is used")
    func blanks() throws {
        let text = "Image name,grade ,,note,note,,\r\na,1,x,p,q,,\r\n,,,,,,\r\n  , ,\r\nb,2,,,,,,,\r\n"
        let table = try LabelMapTable(text, name: "t.csv")
        #expect(table.columns == ["Image name", "grade", "note", "note"])
        #expect(table.rows.map(\.cells) == [["a", "1", "p", "q"], ["b", "2", "", ""]])
        #expect(table.rows.map(\.line) == [2, 5])
        #expect(try table.index(of: " grade ") == 1)
        expectFailure(.badData, "has 2 columns \"note\"; give each a name of its own") { try table.index(of: "note") }
        // The index that pandas writes has no name.
        #expect(try LabelMapTable(",image,level\n0,a,3\n", name: "t").rows.map(\.cells) == [["a", "3"]])
    }

    @Test("the line sep= of Excel names the separator, and counts as a line")
    func separatorLine() throws {
        for first in ["sep=;", "\"sep=;\"", "SEP=;"] {
            let table = try LabelMapTable("\(first)\r\na,b;c\r\n1;2\r\n", name: "t")
            #expect(table.columns == ["a,b", "c"] && table.rows.map(\.line) == [3], "\(first)")
        }
        #expect(try LabelMapTable("sep=\t\na\tb\n1\t2\n", name: "t").separator == .tab)
        #expect(try LabelMapTable("sep=;\na,b\n1,2\n", name: "t", separator: .comma).columns == ["a", "b"])
        // A column of that name is a column.
        #expect(try LabelMapTable("sep=x,b\n1,2\n", name: "t").columns == ["sep=x", "b"])
    }

    @Test("separators in quotes do not count, and the separator is the one that the rows share")
    func guessing() throws {
        #expect(
            try LabelMapTable("name;\"Grade (0,1,2,3,4)\"\na;3\n", name: "t").columns == ["name", "Grade (0,1,2,3,4)"])
        #expect(try LabelMapTable("name;Grade (0,1,2,3,4)\na;3\nb;2\n", name: "t").separator == .semicolon)
        #expect(try LabelMapTable("a,b;c;d,e\n1,2,3\n", name: "t").columns == ["a", "b;c;d", "e"])
        #expect(try LabelMapTable("a|b\n1,5|2\n", name: "t").rows.map(\.cells) == [["1,5", "2"]])
        #expect(try LabelMapTable("\"a\nb\",c\n1,2\n", name: "t").columns == ["a\nb", "c"])
        expectFailure(.badData, "separated by semicolons, its columns are \"a\", \"b,c\"") {
            try LabelMapTable("a;b,c\n1;2\n", name: "t").index(of: "c")
        }
    }

    @Test("only the separator, the quote, CR and LF have a meaning")
    func bytes() throws {
        // A joiner or an accent behind a separator is one Character with it.
        for cell in ["\u{200C}abc", "\u{301}e", "a\u{0B}b", "a\u{85}b", "a\u{2028}b", "a\u{0C}b"] {
            let rows = try LabelMapTable("a,b\n1,\(cell)\n2,x\n", name: "t").rows
            #expect(rows.map { $0.cells.map { Array($0.utf8) } } == [[[0x31], Array(cell.utf8)], [[0x32], [0x78]]])
        }
        #expect(try LabelMapTable("a,b\r1,\u{A0}2 \r", name: "t").rows.map(\.cells) == [["1", "2"]])
    }

    @Test("a table without a header takes the names of its columns from the map")
    func withoutHeader() throws {
        let table = try LabelMapTable(
            "007-0004-000.jpg 0\n  007-0007-000.jpg   5 \n\n", name: "train.txt", separator: .space,
            columns: ["image", "grade"])
        #expect(table.rows.map(\.cells) == [["007-0004-000.jpg", "0"], ["007-0007-000.jpg", "5"]])
        expectFailure(.badData, "cells separated by spaces: expected 2 as in the map, found 3") {
            try LabelMapTable("a b 1\n", name: "t", separator: .space, columns: ["image", "grade"])
        }
    }

    @Test("UTF-16 with a byte order mark, and pipes, are read")
    func encodings() throws {
        let folder = try TemporaryFolder()
        let text = "a\tb\n\u{C4}\t2\n"
        let little: [UInt8] = text.utf16.reduce(into: [0xFF, 0xFE]) { $0 += [UInt8($1 & 255), UInt8($1 >> 8)] }
        let big: [UInt8] = text.utf16.reduce(into: [0xFE, 0xFF]) { $0 += [UInt8($1 >> 8), UInt8($1 & 255)] }
        for bytes in [little, big] {
            let table = try LabelMapTable(contentsOf: folder.write(bytes, "utf16.txt"))
            #expect(table.columns == ["a", "b"] && table.rows.map(\.cells) == [["\u{C4}", "2"]])
        }
        expectFailure(.badData, "is damaged UTF-16 text; save the table in Excel as") {
            try LabelMapTable(contentsOf: folder.write(Array(little.dropLast()), "cut.txt"))
        }
        expectFailure(.badData, "is damaged UTF-16 text; save the table in Excel as") {
            try LabelMapTable(contentsOf: folder.write(little + [0, 0], "zero.txt"))
        }
        expectFailure(.badData, "is not UTF-8 text; save the table in Excel as \"CSV UTF-8") {
            try LabelMapTable(contentsOf: folder.write(Array(little.dropFirst(2)), "nomark.txt"))
        }
        expectFailure(.badData, "is a workbook of Excel") {
            try LabelMapTable(contentsOf: folder.write([0x50, 0x4B, 3, 4, 0, 0], "labels.csv"))
        }
        expectFailure(.badData, "is a folder; name a file in it") { try LabelMapTable(contentsOf: folder.path) }
        let pipe = Pipe()
        pipe.fileHandleForWriting.write(Data("a,b\n1,2\n".utf8))
        try pipe.fileHandleForWriting.close()
        let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
        #expect(try LabelMapTable(contentsOf: path).rows.map(\.cells) == [["1", "2"]])
    }
}
