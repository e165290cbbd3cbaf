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
        #expect(try LabelMapTable("a;b,c\n1;2\n", name: "t", separator: ";").columns == ["a", "b,c"])
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
            ("a,b\n1,2\n3\n", "t.csv line 3: cells: expected 2 as in the header, found 1"),
            ("a,b\n1,2,3\n", "t.csv line 2: cells: expected 2 as in the header, found 3"),
            ("a,b\n1,\"2\n3,4\n", "t.csv line 2: a quote is opened and never closed"),
            ("a,b\n1,\"2\"3\n", "t.csv line 2: \"3\" follows a closing quote; a quote inside quotes is written twice"),
            ("a,a\n1,2\n", "t.csv line 1: the column \"a\" occurs twice"),
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
}
