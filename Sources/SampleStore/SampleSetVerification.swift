import Cohorts
import Files
import Foundation
import HDF5Files
import PictureFiles

/// Checks every digest, label and link in a sample set.
public enum SampleSetVerification {
    /// What is wrong with the raw bytes of the file at `path`. The check does not use the HDF5 library.
    /// - Throws: `Failure(.noSuchInput)` where there is no such file; `Failure(.readOrWriteFailed)`.
    public static func findingsInBytes(_ path: String) throws -> [Finding] {
        do {
            try UserBlock.verify(path)
            return []
        } catch let failure as Failure where [.checkFailed, .badData].contains(failure.kind) {
            return [Finding(UserBlock.changedPlace(path), failure.sentence)]
        }
    }

    /// What is wrong with the content. Call this in a process of its own: the HDF5 library can crash on a file whose
    /// bytes have changed.
    /// - Parameter samplers: names of the step rules that exist.
    public static func findingsInContent(_ path: String, samplers: [String]) async -> [Finding] {
        let file: SampleSetFile
        do {
            file = try await SampleSetFile.open(path, verifying: false)
        } catch {
            return [Finding("structure", sentence(error))] + (await pixelFindings(path))
        }
        let rows = await file.rowsThatDiffer()
        return rows.map { Finding("/images row \($0)", "the pixels differ from their digest in /provenance/digest") }
            + (await mapFindings(file)) + (await shardFindings(file)) + labelFindings(file)
            + runFindings(file, samplers) + rowFindings(file) + modelFindings(file) + siteFindings(file)
            + weightFindings(file)
    }

    private static func sentence(_ error: any Error) -> String { SystemReason.text(error) }

    /// The rows that differ in a file that cannot be opened as a whole. The result is empty where the pictures or their
    /// digests cannot be read.
    @HDF5Actor
    private static func pixelFindings(_ path: String) async -> [Finding] {
        guard let root = try? HDF5File.open(path).root, let pictures = try? PictureStore(root),
            let digests = try? root.group("provenance").readDigests("digest", count: pictures.shape[0])
        else { return [] }
        return pictures.rowsThatDiffer(from: digests).map {
            Finding("/images row \($0)", "the pixels differ from their digest")
        }
    }

    /// The maps that cannot be read. HDF5 keeps a checksum of each map.
    @HDF5Actor
    private static func mapFindings(_ file: SampleSetFile) async -> [Finding] {
        var findings: [Finding] = []
        for name in file.structures {
            for row in 0..<file.count where (try? await file.map(name, rows: [row])) == nil {
                findings.append(Finding("/structure/\(name) row \(row)", "cannot be read"))
            }
        }
        return findings
    }

    /// Checks that each shard is the file that the set was written with, is a sample set, and agrees with the set about
    /// its samples.
    private static func shardFindings(_ file: SampleSetFile) async -> [Finding] {
        var findings: [Finding] = [], first = 0
        for (shard, path) in file.pictures.shards {
            let place = "shard \(shard.name)", rows = first..<first + shard.samples
            first = rows.upperBound
            if (try? Digest(ofFile: path)) != shard.digest {
                findings.append(Finding(place, "its SHA-256 differs from the one in /shards/digest"))
            }
            do {
                try UserBlock.verify(path)
                let own = try await SampleSetFile.open(path, verifying: false)
                if !own.pictures.shards.isEmpty { findings.append(Finding(place, "is a set of shards itself")) }
                if !own.agrees(with: file, rows: rows) {
                    findings.append(Finding(place, "says other things of its samples than the set"))
                }
            } catch {
                findings.append(Finding(place, sentence(error)))
            }
        }
        return findings
    }

    private static func labelFindings(_ file: SampleSetFile) -> [Finding] {
        var findings: [Finding] = []
        if file.isReleasable, file.release == nil {
            findings.append(
                Finding("attribute releasable of /", "is YES, and there is no verdict of an audit in /audit"))
        }
        if !file.isReleasable, file.release != nil {
            findings.append(Finding("attribute releasable of /", "is NO, and there is a verdict of an audit in /audit"))
        }
        let terms = [
            ("licence", file.terms.licence), ("permitted_uses", file.terms.permittedUses),
            ("contact", file.terms.contact),
        ]
        for (name, text) in terms where text.isEmpty { findings.append(Finding("attribute \(name) of /", "is empty")) }
        return findings
    }

    private static func runFindings(_ file: SampleSetFile, _ samplers: [String]) -> [Finding] {
        file.runs.enumerated().flatMap { number, run -> [Finding] in
            var findings: [Finding] = []
            do {
                let schedule = try JSONText.decode(RecordedSchedule.self, Data(run.schedule.utf8), place: file.path)
                if let problem = schedule.problem { findings.append(Finding("/runs/schedule \(number)", problem)) }
                if schedule.steps != run.steps {
                    findings.append(
                        Finding("/runs/steps \(number)", "is \(run.steps), and the schedule has \(schedule.steps)"))
                }
            } catch {
                findings.append(Finding("/runs/schedule \(number)", sentence(error)))
            }
            if !samplers.contains(run.sampler) {
                findings.append(
                    Finding(
                        "/runs/sampler \(number)",
                        "expected \(samplers.joined(separator: ", ")), found \(run.sampler.debugDescription)"))
            }
            if let finished = run.finished, finished < run.started {
                findings.append(Finding("/runs/finished \(number)", "lies before its start"))
            }
            if !(0...50).contains(run.guidance) {
                findings.append(Finding("/runs/guidance \(number)", "expected 0 to 50, found \(run.guidance)"))
            }
            if let problem = run.warningsProblem { findings.append(Finding("/runs/warnings \(number)", problem)) }
            return findings
        }
    }

    /// Checks that requests agree with the codes, and that no sample occurs twice.
    private static func rowFindings(_ file: SampleSetFile) -> [Finding] {
        var findings: [Finding] = [], seen: [String: Int] = [:]
        for row in 0..<file.count {
            for (attribute, _) in SampleColumns.ordinals {
                guard let request = file.requests[attribute.name]?[row], !request.isNaN else { continue }
                let place = "/cohort_request/\(attribute.name) row \(row)"
                let code = file.cohorts[attribute.name]?.codes[row] ?? Attribute.unspecified
                let expected = request == request.rounded() ? Int16(request) : Attribute.unspecified
                if code != expected {
                    findings.append(Finding(place, "is \(request), and /cohort/\(attribute.name) has another code"))
                }
            }
            if let problem = askedProblem(file, row) {
                findings.append(Finding("/provenance/joined row \(row)", problem))
            }
            var identity = "\(file.runOfSample[row]) \(file.seeds[row]) \(file.indices[row]) \(file.digests[row])"
            // Where a change shows nothing, a counterfactual has the pixels of its original, but another cohort.
            if let original = file.original(row: row) {
                identity += " \(original) \(file.askedValues(row: row).sorted { $0.key < $1.key })"
            }
            if let other = seen.updateValue(row, forKey: identity) {
                findings.append(Finding("row \(row)", "is the sample of row \(other) again"))
            }
        }
        return findings
    }

    /// Why a sample cannot be of the joined request that it names; nil where it can be. Names of open attributes may
    /// hold any character, so only the values of the schema are compared.
    private static func askedProblem(_ file: SampleSetFile, _ row: Int) -> String? {
        guard let asked = file.asked(row: row) else { return nil }
        let cohort = file.cohort(row: row)
        for part in asked.components(separatedBy: ", ") {
            let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2, CohortSchema.attribute(sides[0])?.isOpen == false, let own = cohort[sides[0]],
                !sides[1].split(separator: "|").contains(Substring(own))
            else { continue }
            return "asks for \(part), and the sample's \(sides[0]) is \(own)"
        }
        return nil
    }

    /// Checks that the sites of the samples are those of the models.
    private static func siteFindings(_ file: SampleSetFile) -> [Finding] {
        // `modelFindings` names a lineage that cannot be read.
        guard let lineages = try? file.models.map({ try Lineage(json: $0.lineageJSON, place: file.path) }) else {
            return []
        }
        let known = Set(lineages.flatMap(\.sites))
        guard known == Set(file.siteNames) else {
            return [
                Finding("/provenance/site_names", "are \(file.siteNames), and the models' sites are \(known.sorted())")
            ]
        }
        return []
    }

    private static func modelFindings(_ file: SampleSetFile) -> [Finding] {
        let used = Set(file.runs.map(\.modelDigest))
        return file.models.flatMap { model -> [Finding] in
            let place = "/models/\(model.digest.description.prefix(12))"
            var findings: [Finding] = []
            if !used.contains(model.digest) { findings.append(Finding(place, "no run used this model")) }
            do {
                let lineage = try Lineage(json: model.lineageJSON, place: file.path)
                if lineage.model != model.digest.description {
                    findings.append(Finding("\(place)/lineage", "is that of the model \(lineage.model.prefix(12))"))
                }
                findings += try model.manifestFindings(lineage, licence: file.terms.licence).map {
                    Finding("\(place)/manifest", $0)
                }
                let prov = try JSONText.canonical(lineage.prov(), place: file.path)
                if try JSONText.canonical(model.provJSON, place: file.path) != prov {
                    findings.append(Finding("\(place)/prov", "says other things than the lineage"))
                }
            } catch {
                findings.append(Finding(place, sentence(error)))
            }
            return findings
        }
    }

    private static func weightFindings(_ file: SampleSetFile) -> [Finding] {
        let sites = file.siteNames.count
        guard sites > 0 else { return [] }
        return (0..<file.count).compactMap { row in
            let weights = file.siteWeights[row * sites..<(row + 1) * sites]
            let isGood = weights.allSatisfy { (0...1).contains($0) } && weights.reduce(0, +) <= 1.001
            return isGood ? nil : Finding("/provenance/site_weight row \(row)", "the sites' shares are not from 0 to 1")
        }
    }
}

extension ModelRecord {
    /// Where the manifest contradicts the lineage or the set's licence.
    fileprivate func manifestFindings(_ lineage: Lineage, licence: String) throws -> [String] {
        struct Said: Decodable {
            struct Data: Decodable, Hashable { var digest, site, licence: String }
            var parents: [String]
            var trainingData: [Data]
            var imagesSeen: Int?
            var licence: String?
        }
        let said = try JSONText.decode(Said.self, Data(manifestJSON.utf8), place: "manifest")
        var findings: [String] = []
        if let own = said.licence, own != licence {
            findings.append("states the licence \(own), and the set \(licence)")
        }
        if said.parents != lineage.parents { findings.append("names other parents than the lineage") }
        if let seen = said.imagesSeen, let other = lineage.imagesSeen, seen != other {
            findings.append("names another number of images seen")
        }
        if said.trainingData
            != lineage.trainingSets.map({ Said.Data(digest: $0.digest, site: $0.site, licence: $0.licence) })
        {
            findings.append("names other training sets than the lineage")
        }
        return findings
    }
}

extension SampleSetFile {
    /// Whether this file holds the `rows` of `whole`, and both say the same about them.
    fileprivate func agrees(with whole: SampleSetFile, rows: Range<Int>) -> Bool {
        guard count == rows.count, runs.count == whole.runs.count, isReleasable == whole.isReleasable,
            terms == whole.terms,
            models == whole.models, siteNames == whole.siteNames, structures == whole.structures
        else { return false }
        let sites = siteNames.count
        return (0..<count).allSatisfy { row in
            let other = rows.lowerBound + row
            return digests[row] == whole.digests[other] && seeds[row] == whole.seeds[other]
                && indices[row] == whole.indices[other] && asked(row: row) == whole.asked(row: other)
                && original(row: row) == whole.original(row: other)
                && runOfSample[row] == whole.runOfSample[other] && cohort(row: row) == whole.cohort(row: other)
                && requests.allSatisfy { name, values in
                    values[row].bitPattern == whole.requests[name]?[other].bitPattern
                }
                && siteWeights[row * sites..<(row + 1) * sites]
                    == whole.siteWeights[other * sites..<(other + 1) * sites]
        }
    }
}
