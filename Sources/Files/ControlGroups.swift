import Foundation

/// The control groups that the system has put this process into, with their limits. A batch system or a container sets
/// a limit on the group of a job, which may lie deep in the tree of groups; each group above it may have a limit, too.
package struct ControlGroups {
    /// The folder of the process's own group and of each group above it, with the names of the files in them.
    private let folders: [(path: String, files: Names)]

    private struct Names {
        let limits: [String]
        let usage: String
        /// The key in `memory.stat` for pages of files that the system takes back before it kills anybody.
        let reclaimable: String

        static let version1 = Names(
            limits: ["memory.limit_in_bytes"], usage: "memory.usage_in_bytes", reclaimable: "total_inactive_file")
        /// At `memory.high` nobody is killed, but the work nearly stands still.
        static let version2 = Names(
            limits: ["memory.max", "memory.high"], usage: "memory.current", reclaimable: "inactive_file")
    }

    /// - Parameters:
    ///   - groups: the content of `/proc/self/cgroup`: lines such as `4:memory:/job` or, in version 2, `0::/job`.
    ///   - mounts: the content of `/proc/self/mountinfo`, which says where the groups are to be seen.
    package init(groups: String, mounts: String) {
        let own = groups.split(separator: "\n").compactMap { line -> (controllers: Set<Substring>, path: String)? in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            return fields.count == 3 ? (Set(fields[1].split(separator: ",")), String(fields[2])) : nil
        }
        folders = mounts.split(separator: "\n").flatMap { line -> [(path: String, files: Names)] in
            let fields = line.split(separator: " ").map(String.init)
            guard let dash = fields.firstIndex(of: "-"), dash + 3 < fields.count, dash >= 5 else { return [] }
            let isVersion1 = fields[dash + 1] == "cgroup" && fields[dash + 3].split(separator: ",").contains("memory")
            guard isVersion1 || fields[dash + 1] == "cgroup2" else { return [] }
            let group = own.first { isVersion1 ? $0.controllers.contains("memory") : $0.controllers.isEmpty }
            guard let group else { return [] }
            let folders = ControlGroups.folders(
                of: group.path, below: fields[3].unescaped, at: fields[4].unescaped)
            return folders.map { ($0, isVersion1 ? .version1 : .version2) }
        }
    }

    /// The groups of this process.
    static var current: ControlGroups {
        func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        return ControlGroups(groups: text("/proc/self/cgroup"), mounts: text("/proc/self/mountinfo"))
    }

    /// The bytes that the limits leave to the process; nil where there is no limit.
    package var memoryLeft: Int? {
        folders.compactMap { path, names -> Int? in
            guard let limit = names.limits.compactMap({ ControlGroups.number("\(path)/\($0)") }).min(),
                limit < Int.max / 2, let usage = ControlGroups.number("\(path)/\(names.usage)")
            else { return nil }
            let statistics = (try? String(contentsOfFile: "\(path)/memory.stat", encoding: .utf8)) ?? ""
            let line = statistics.split(separator: "\n").first { $0.hasPrefix(names.reclaimable + " ") }
            let reclaimable = line.flatMap { Int($0.dropFirst(names.reclaimable.count + 1)) } ?? 0
            return max(0, limit - max(0, usage - reclaimable))
        }.min()
    }

    /// The folders of a group and of those above it, as far as they are to be seen.
    /// - Parameters:
    ///   - root: the group that is mounted at `mount`. In a container it may be another one than the topmost.
    private static func folders(of group: String, below root: String, at mount: String) -> [String] {
        let root = root == "/" ? "" : root
        guard group == root || group.hasPrefix(root + "/") else { return [mount] }
        var folders = [mount]
        for name in group.dropFirst(root.count).split(separator: "/") { folders.append(folders.last! + "/" + name) }
        return folders
    }

    /// A limit or a usage; nil for `max` and where there is no such file.
    private static func number(_ path: String) -> Int? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
            // Without a limit, version 1 says a number that may be too large for an Int.
            UInt($0.trimmingCharacters(in: .whitespacesAndNewlines)).map { Int(clamping: $0) }
        }
    }
}

extension String {
    /// The text without the escapes of `mountinfo`, which writes a space as `\040`.
    fileprivate var unescaped: String {
        replacingOccurrences(of: "\\040", with: " ").replacingOccurrences(of: "\\134", with: "\\")
    }
}
