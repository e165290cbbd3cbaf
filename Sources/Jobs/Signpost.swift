import Files
import Foundation

/// Leads from a path that is nearly right to the right one: from a training's folder or checkpoint to its snapshot,
/// from a public key to the private one, from the report of an import to its data set, from one setting to another.
struct Signpost {
    let input: JobInput
    let nature: PathNature

    /// Looks at all inputs of a job.
    /// - Throws: `Failure`: `.badData` if a path holds what its job cannot use; `.noSuchInput` if it holds nothing and
    ///   a similar name is there. Where nothing better can be said, the reader of the file is left to judge it.
    static func check(_ inputs: [JobInput]) throws {
        let posts = inputs.map { Signpost(input: $0, nature: PathNature($0.path)) }
        for post in posts {
            if post.nature == .missing {
                if let failure = post.missing { throw failure }
            } else if !post.input.role.takes(post.nature) {
                throw post.failure(beside: posts)
            }
        }
    }

    private func failure(beside posts: [Signpost]) -> Failure {
        var problem = "expected \(input.role.name), found \(nature.name)"
        if let advice { problem += "; \(advice)" }
        // Whether another setting holds what belongs here, and could use what is here.
        let other = posts.first {
            $0.input.setting != input.setting && input.role.fitting.contains($0.nature)
                && $0.input.role.fitting.contains(nature)
        }
        let remedy: Failure.Remedy? =
            if let here = input.setting, let there = other?.input.setting { .exchange(here, there) } else {
                nature == .unfinishedFolder ? .resume : nil
            }
        if remedy == nil, other != nil { problem += "; the two paths seem to be exchanged" }
        return Failure(.badData, input.path, option: input.setting, problem, remedy: remedy)
    }

    /// What to do with what is at the path.
    private var advice: String? {
        if let sentence = Signpost.sentence(suggestions) { return sentence }
        switch (input.role, nature) {
        case (_, .unfinishedFolder): return nil
        case (_, .lfsPointer): return ForeignWeights.gitLFSPointer.advice
        case (_, .pickle): return ForeignWeights.pickle.advice
        case (.anything, _): return "name a file in it"
        case (.table, .archive): return "export the table as CSV in UTF-8"
        case (.photographs, .archive): return "unpack it first"
        case (.photographs, .picture):
            let folder = Signpost.folder(of: input.path)
            return "give the folder that it is in, \(folder.isEmpty ? "." : folder)"
        case (.dataset, .photographFolder), (.dataset, .table), (.dataset, .picture):
            return "fovea import makes a data set of a folder of photographs"
        case (.auditPhotographs, _): return "name what the model was trained on"
        case (.labelMap, .table): return "fovea map guess drafts a map for a table"
        case (.model, .dataset): return "fovea train makes a snapshot from it"
        case (.sampleSet, .snapshot), (.sampleSet, .runFolder): return "fovea sample draws samples from a snapshot"
        default: return nil
        }
    }

    private static func sentence(_ names: [String]) -> String? {
        switch names.count {
        case 0: nil
        case 1: "give \(names[0])"
        default: "give \(names.dropLast().joined(separator: ", ")) or \(names[names.count - 1])"
        }
    }

    /// Paths near this one that fit, the likeliest first.
    private var suggestions: [String] {
        if let parent { return [parent] }
        if nature.isFolder {
            let trimmed = input.path.withoutTrailingSlashes, whole = trimmed.isEmpty ? "/" : trimmed
            let found = children(of: whole)
            return Array((found.isEmpty ? Signpost.runs(in: whole).flatMap(children) : found).prefix(3))
        }
        let folder = Signpost.folder(of: input.path)
        let stem = Signpost.stem(input.path)
        let isInRun = PathNature(folder.isEmpty ? "." : folder) == .runFolder
        return Array(
            children(of: folder).filter { $0 != input.path && (isInRun || Signpost.stem($0) == stem) }.prefix(3))
    }

    /// A folder above the path that fits a role of folders.
    private var parent: String? {
        guard input.role.fitting.allSatisfy(\.isFolder), input.role.fitting.first != .photographFolder else {
            return nil
        }
        var path = input.path.withoutTrailingSlashes
        for _ in 0..<2 {
            path = Signpost.folder(of: path)
            if path.isEmpty || path == "/" { return nil }
            if input.role.fitting.first == PathNature(path) { return path }
        }
        return nil
    }

    /// The folders of trainings in a folder.
    private static func runs(in folder: String) -> [String] {
        names(in: folder).map { "\(folder)/\($0)" }.filter { PathNature($0) == .runFolder }
    }

    private static func names(in folder: String) -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        // Of a folder of photographs, a part is enough to look at.
        return Array(all.filter { !$0.hasPrefix(".") }.sorted().prefix(300))
    }

    /// What fits in a folder: the usual name of a snapshot first, then what fits the role best.
    private func children(of folder: String) -> [String] {
        let fitting = input.role.fitting
        let found = Signpost.names(in: folder).compactMap { name -> (rank: Int, path: String)? in
            let path = folder.isEmpty ? name : folder.withoutTrailingSlashes + "/" + name
            guard let rank = fitting.firstIndex(of: PathNature(path)) else { return nil }
            return (name == "snapshot.safetensors" ? -1 : rank, path)
        }
        return found.sorted { ($0.rank, $0.path) < ($1.rank, $1.path) }.map(\.path)
    }

    /// The failure where nothing is at the path but a similar name is: with a suffix, or in other capitals.
    private var missing: Failure? {
        let path = input.path.withoutTrailingSlashes
        func simple(_ path: String) -> String {
            path.split(separator: "/").last.map { $0.precomposedStringWithCanonicalMapping.lowercased() } ?? ""
        }
        let wanted = simple(path)
        let similar = children(of: Signpost.folder(of: path)).filter {
            let name = simple($0)
            return name == wanted || Signpost.withoutSuffix(name) == wanted
                || Signpost.withoutSuffix(name) == Signpost.withoutSuffix(wanted)
        }
        guard let sentence = Signpost.sentence(Array(similar.prefix(3))) else { return nil }
        return Failure(.noSuchInput, input.path, "does not exist; \(sentence)")
    }

    /// The folder that a path names; empty for a name alone. Foundation's function crashes on a name of one letter.
    private static func folder(of path: String) -> String {
        let path = path.withoutTrailingSlashes
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The name without its last suffix.
    private static func withoutSuffix(_ name: String) -> Substring {
        name.lastIndex(of: ".").map { name[..<$0] } ?? name[...]
    }

    /// The name without folders and without what Fovea appends to the names of outputs.
    private static func stem(_ path: String) -> Substring {
        let name = path.split(separator: "/").last ?? ""
        let suffixes = [
            ".contact-sheet.png", ".import-report.json", ".import.html", ".card.md", ".croissant.json", ".audits.jsonl",
            ".key.pub",
            ".key", ".h5", ".hdf5", ".html", ".parcel", ".adapter.safetensors", ".safetensors", ".sig",
        ]
        guard let suffix = suffixes.first(where: { name.hasSuffix($0) }) else { return name }
        return name.dropLast(suffix.count)
    }
}
