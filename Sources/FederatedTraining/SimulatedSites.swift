import Cohorts
import Datasets
import Files
import Foundation
import Randomness
import TensorCore

/// Divides data sets into sites that are uneven in size and skewed in their patients, as hospitals are.
struct SimulatedSites {
    private let data: [DatasetFile]
    private let count: Int
    private let attribute: String
    private let seed: UInt64

    /// The fewest patients that a site may have for training.
    static let fewest = 5
    /// How many times likelier a patient goes to a site that prefers the patient's value.
    private static let preference = 4.0

    /// - Parameters:
    ///   - data: data sets whose pictures have one size.
    ///   - attribute: the attribute by which the sites are skewed.
    /// - Throws: `Failure(.usage)` where the attribute is not in the schema; `Failure(.badData)` where the picture
    ///   sizes differ.
    init(_ data: [DatasetFile], count: Int, skewedBy attribute: String, seed: UInt64) throws {
        guard CohortSchema.attribute(attribute) != nil else {
            throw Failure(
                .usage, option: "skew", expected: CohortSchema.attributes.map(\.name).joined(separator: ", "),
                found: attribute)
        }
        if let other = data.first(where: { $0.size != data[0].size }) {
            throw Failure(
                .badData, other.path, field: "size", expected: "\(data[0].size), as \(data[0].path)",
                found: "\(other.size)")
        }
        self.data = data
        self.count = count
        self.attribute = attribute
        self.seed = seed
    }

    /// The rows of each site and data set. Site k, counted from 0, is expected to hold 1 / (k + 1) of what site 0
    /// holds, and prefers one value of the attribute.
    /// - Throws: `Failure(.usage)` where a site would have too few patients.
    private func assignment() throws -> [[[Int]]] {
        var sites = [[[Int]]](repeating: data.map { _ in [] }, count: count)
        let names = Set(data.flatMap { file in (0..<file.count).map { value(file, $0) } }).sorted()
        var patient: UInt64 = 0
        for (number, file) in data.enumerated() {
            let rows = Dictionary(grouping: file.patients.indices) { file.patients[$0] }
            for (_, own) in rows.sorted(by: { $0.value[0] < $1.value[0] }) {
                let preferred = names.firstIndex(of: value(file, own[0])) ?? 0
                let weights = (0..<count).map { site in
                    (site % names.count == preferred ? SimulatedSites.preference : 1) / Double(site + 1)
                }
                var random = Philox(seed: seed, stream: .siteAssignment, index: patient)
                var place = random.nextUniform() * weights.reduce(0, +)
                let site =
                    weights.firstIndex { weight in
                        place -= weight
                        return place < 0
                    } ?? count - 1
                sites[site][number] += own
                patient += 1
            }
        }
        for (site, own) in sites.enumerated() {
            let patients = zip(data, own).reduce(0) { total, part in
                total + Set(part.1.filter { part.0.splits[$0] == .train }.map { part.0.patients[$0] }).count
            }
            guard patients >= SimulatedSites.fewest else {
                throw Failure(
                    .usage, option: "sites",
                    expected: "so few that each has \(SimulatedSites.fewest) patients to train on",
                    found: "\(count), of which site-\(site + 1) would have \(patients)")
            }
        }
        return sites
    }

    private func value(_ file: DatasetFile, _ row: Int) -> String {
        file.cohorts[attribute]?.name(row: row) ?? "unknown"
    }

    /// Writes a data set for each site, `site-1.h5` and so on. A data set that exists is kept.
    /// - Returns: the paths of the data sets.
    func write(to folder: String) async throws -> [String] {
        let assignment = try assignment()
        var paths: [String] = []
        for (site, own) in assignment.enumerated() {
            let name = "site-\(site + 1)", path = "\(folder)/\(name).h5"
            paths.append(path)
            if FileManager.default.fileExists(atPath: path) { continue }
            // How many of a site's pictures a model made is not known, so that all count.
            let isSampled = data.contains { $0.info.sampled != nil }
            let info = DatasetInfo(
                site: name, source: Set(data.map(\.info.source)).sorted().joined(separator: "; "),
                licence: Set(data.map(\.info.licence)).sorted().joined(separator: " AND "),
                synthetic: isSampled || data.allSatisfy(\.info.synthetic),
                sampled: isSampled ? own.joined().count : nil,
                notes: "A part of other data sets, for a simulation.")
            let writer = try await DatasetWriter(path: path, size: data[0].size, info: info)
            for (number, rows) in own.enumerated() {
                let file = data[number], bytes = file.size * file.size * 3
                for start in stride(from: 0, to: rows.count, by: 64) {
                    let part = Array(rows[start..<min(start + 64, rows.count)])
                    let pixels = try await file.images(rows: part)
                    try await writer.append(
                        part.enumerated().map { place, row in
                            var cohort = file.cohort(row: row)
                            cohort["site"] = name
                            return DatasetRecord(
                                pixels: Array(pixels[place * bytes..<(place + 1) * bytes]),
                                fieldOfView: file.fieldsOfView[row], cohort: cohort,
                                patient: "\(number)-\(file.patients[row])", split: file.splits[row])
                        })
                }
            }
            try await writer.finish()
        }
        return paths
    }
}
