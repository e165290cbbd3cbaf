import Foundation

/// A file of the folder Fixtures, which a script of Tools/reference wrote.
func fixture<Value: Decodable>(_ name: String) -> Value {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
    return try! JSONDecoder().decode(Value.self, from: Data(contentsOf: folder.appendingPathComponent(name)))
}

func isNear(_ one: Double?, _ other: Double, _ tolerance: Double = 1e-4) -> Bool {
    one.map { abs($0 - other) <= tolerance * max(1, abs(other)) } ?? false
}
