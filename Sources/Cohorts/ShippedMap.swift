import Files
import Foundation

/// A map of a public data set that comes with the program. Its text is a part of the program, so that no file has to be
/// found.
public struct ShippedMap: Sendable {
    /// Its name in small letters, such as `idrid`.
    public let name: String
    /// The map as YAML, with remarks for whoever imports the set.
    public let text: String

    /// All maps, by their names.
    public static let all: [ShippedMap] = [
        ("airogs", PackageResources.airogs_yaml), ("aptos-2019", PackageResources.aptos_2019_yaml),
        ("brset", PackageResources.brset_yaml), ("chase", PackageResources.chase_yaml),
        ("chase-names", PackageResources.chase_names_yaml), ("ddr", PackageResources.ddr_yaml),
        ("dicom", PackageResources.dicom_yaml),
        ("eyepacs", PackageResources.eyepacs_yaml), ("fives", PackageResources.fives_yaml),
        ("hei-med", PackageResources.hei_med_yaml), ("hrf", PackageResources.hrf_yaml),
        ("hrf-names", PackageResources.hrf_names_yaml), ("idrid", PackageResources.idrid_yaml),
        ("mbrset", PackageResources.mbrset_yaml), ("messidor-2", PackageResources.messidor_2_yaml),
        ("odir-5k", PackageResources.odir_5k_yaml), ("refuge", PackageResources.refuge_yaml),
        ("refuge-test", PackageResources.refuge_test_yaml),
        ("refuge-validation", PackageResources.refuge_validation_yaml), ("rfmid", PackageResources.rfmid_yaml),
    ].map { ShippedMap(name: $0.0, text: String(decoding: $0.1, as: UTF8.self)) }

    /// The map of that name. Capitals and signs in it do not matter.
    /// - Throws: `Failure(.noSuchInput)` that lists the maps if there is none.
    public init(_ name: String) throws {
        guard let found = ShippedMap.all.first(where: { KnownColumn.simple($0.name) == KnownColumn.simple(name) })
        else { throw ShippedMap.unknown(name) }
        self = found
    }

    private init(name: String, text: String) { (self.name, self.text) = (name, text) }

    /// Reads the map.
    public func map() throws -> LabelMap { try LabelMap(yaml: text, name: "the map \(name)") }

    /// The remarks at the map's head.
    public var remarks: [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.hasPrefix("#") }
            .map { String($0.dropFirst($0.hasPrefix("# ") ? 2 : 1)) }
    }

    /// Whether a text can only be the name of a map, because a file would have a folder or a suffix, or be there.
    static func isName(_ text: String) -> Bool {
        if text.contains("/") || ["yaml", "yml"].contains((text as NSString).pathExtension.lowercased()) {
            return false
        }
        var found = stat()
        // Often a folder of photographs has the name of its data set.
        return stat(text, &found) != 0 || found.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether a text names a map that comes with the program, and no file.
    public static func isShipped(_ text: String) -> Bool { isName(text) && (try? ShippedMap(text)) != nil }

    private static func unknown(_ name: String) -> Failure {
        let names = all.map(\.name)
        let meant = Spelling.nearest(to: name, among: names).map { "; did you mean \($0)?" } ?? ""
        return Failure(
            .noSuchInput, name,
            "is no file and no map that comes with the program (\(names.joined(separator: ", ")))\(meant)")
    }
}

extension LabelMap {
    /// Reads a map from a file, or takes one that comes with the program. A file of that name goes first.
    /// - Throws: `Failure` as the other initialisers, and `.noSuchInput` for a name that no map has.
    public init(fileOrName text: String) throws {
        if ShippedMap.isName(text) {
            self = try ShippedMap(text).map()
        } else {
            try self.init(contentsOf: text)
        }
    }

    /// The columns of a table that the map reads.
    var usedColumns: Set<String> {
        var used = Set(files.map(\.column))
        for entry in attributes + files.flatMap(\.attributes) { used.formUnion(entry.source.columns) }
        if case .column(let column, _) = patient { used.insert(column) }
        return used
    }
}
