import Files
import Foundation
import HDF5Files

/// `/runs`: one array for each field, with one element for each run.
@HDF5Actor
enum RunColumns {
    static func write(_ runs: [RunRecord], to group: HDF5Group) throws {
        try group.write("model_digest", strings: runs.map(\.modelDigest.description))
        try group.write("sampler", strings: runs.map(\.sampler))
        try group.write("schedule", strings: runs.map(\.schedule))
        try group.write("steps", runs.map { Int32($0.steps) }, shape: [runs.count])
        try group.write("guidance", runs.map(\.guidance), shape: [runs.count])
        // Most runs need no warning, and a set without any has no such array.
        if runs.contains(where: { $0.warnings != nil }) {
            try group.write("warnings", strings: try runs.map { try $0.warnings.map(JSONText.encoded) ?? "" })
        }
        try group.write("tool_version", strings: runs.map(\.toolVersion))
        try group.write("openblas_version", strings: runs.map(\.openBLASVersion))
        try group.write("blas_core", strings: runs.map(\.blasCore))
        try group.write("kernel_isa", strings: runs.map(\.kernelISA))
        try group.write("started", strings: runs.map { Timestamp.text($0.started) })
        // The text is empty while a run goes on.
        try group.write("finished", strings: runs.map { $0.finished.map(Timestamp.text) ?? "" })
    }

    static func read(_ group: HDF5Group) throws -> [RunRecord] {
        let digests = try group.dataset("model_digest").readStrings()
        let count = digests.count
        func strings(_ name: String) throws -> [String] {
            let dataset = try group.dataset(name)
            try dataset.require(shape: [count])
            return try dataset.readStrings()
        }
        func numbers<Element: HDF5Element>(_ name: String, _: Element.Type) throws -> [Element] {
            let dataset = try group.dataset(name)
            try dataset.require(Element.self, shape: [count])
            return try dataset.readAll()
        }
        let (samplers, schedules) = (try strings("sampler"), try strings("schedule"))
        let (steps, guidances) = (try numbers("steps", Int32.self), try numbers("guidance", Float.self))
        let warnings = try group.names.contains("warnings") ? strings("warnings") : []
        let (tools, blas, cores) = (
            try strings("tool_version"), try strings("openblas_version"), try strings("blas_core")
        )
        let (kernels, started, finished) = (try strings("kernel_isa"), try strings("started"), try strings("finished"))
        return try (0..<count).map { run in
            RunRecord(
                modelDigest: try Digest(hexadecimal: digests[run], field: "/runs/model_digest", file: group.file),
                sampler: samplers[run],
                schedule: schedules[run], steps: Int(steps[run]), guidance: guidances[run],
                warnings: warnings.isEmpty || warnings[run].isEmpty
                    ? nil
                    : try JSONText.decode(
                        RunWarnings.self, Data(warnings[run].utf8), place: "\(group.file) /runs/warnings"),
                toolVersion: tools[run],
                openBLASVersion: blas[run], blasCore: cores[run], kernelISA: kernels[run],
                started: try Timestamp.date(started[run], field: "/runs/started", file: group.file),
                finished: finished[run].isEmpty
                    ? nil : try Timestamp.date(finished[run], field: "/runs/finished", file: group.file))
        }
    }
}

extension ModelRecord {
    /// Writes `/models/<digest>`. The texts are datasets because attributes hold at most 64 kB.
    @HDF5Actor
    func write(to models: HDF5Group) throws {
        let group = try models.createGroup(digest.description)
        try group.write("manifest", strings: [manifestJSON], shape: [])
        try group.write("lineage", strings: [lineageJSON], shape: [])
        try group.write("prov", strings: [provJSON], shape: [])
    }

    /// - Parameter name: the group's name, which is the model's digest.
    @HDF5Actor
    init(_ name: String, in models: HDF5Group) throws {
        let group = try models.group(name)
        func text(_ field: String) throws -> String {
            let dataset = try group.dataset(field)
            try dataset.require(shape: [])
            return try dataset.readStrings()[0]
        }
        self.init(
            digest: try Digest(hexadecimal: name, field: "name of \(group.path)", file: models.file),
            manifestJSON: try text("manifest"), lineageJSON: try text("lineage"), provJSON: try text("prov"))
    }
}
