import Files
import Foundation
import Support
import Testing

/// Limits of memory that batch systems and containers set.
@Suite struct ControlGroupsTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func put(_ group: String, _ files: [String: String]) throws {
        let path = folder.file(group)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in files { try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)")) }
    }

    /// A line of mountinfo for a mount at the folder `at`.
    private func mount(_ type: String, root: String = "/", at: String, options: String = "rw") -> String {
        "30 23 0:26 \(root) \(folder.file(at)) rw,nosuid shared:9 - \(type) \(type) \(options)\n"
    }

    @Test func `the tightest limit of the own group and of those above it counts`() throws {
        try put("v2", ["memory.current": "900"])
        try put("v2/slurm", ["memory.max": "5000", "memory.high": "max", "memory.current": "1000"])
        try put(
            "v2/slurm/job_7",
            [
                "memory.max": "max", "memory.high": "3000", "memory.current": "800",
                "memory.stat": "anon 1\ninactive_file 300",
            ])
        try put("v2/slurm/job_7/step", ["memory.max": "max", "memory.current": "800"])
        func left(_ group: String) -> Int? {
            ControlGroups(groups: "0::\(group)\n", mounts: mount("ext4", at: "x") + mount("cgroup2", at: "v2"))
                .memoryLeft
        }
        #expect(left("/slurm/job_7/step") == 2500)
        #expect(left("/slurm/job_7") == 2500)
        #expect(left("/slurm") == 4000)
        #expect(left("/") == nil)
        #expect(left("/slurm/gone") == 4000)
    }

    @Test func `groups of version 1 count, too`() throws {
        try put("memory", ["memory.limit_in_bytes": "9223372036854771712", "memory.usage_in_bytes": "70"])
        try put(
            "memory/job",
            [
                "memory.limit_in_bytes": "1000", "memory.usage_in_bytes": "600",
                "memory.stat": "inactive_file 1\ntotal_inactive_file 50",
            ])
        try put("cpu/job", ["memory.limit_in_bytes": "1", "memory.usage_in_bytes": "1"])
        let mounts =
            mount("cgroup", at: "cpu", options: "rw,cpu") + mount("cgroup", at: "memory", options: "rw,memory")
        func left(_ group: String) -> Int? {
            ControlGroups(groups: "9:cpu:/job\n4:memory:\(group)\n0::/\n", mounts: mounts).memoryLeft
        }
        #expect(left("/job") == 450)
        #expect(left("/") == nil)
        #expect(left("/job/full") == 450)
    }

    @Test func `in a container the own group may be the top of what is to be seen`() throws {
        try put("seen", ["memory.max": "2000", "memory.current": "2500"])
        try put("seen/below", ["memory.max": "1500", "memory.current": "500"])
        func left(_ group: String) -> Int? {
            ControlGroups(groups: "0::\(group)", mounts: mount("cgroup2", root: "/docker/7", at: "seen")).memoryLeft
        }
        #expect(left("/docker/7") == 0)
        try put("seen", ["memory.current": "100"])
        #expect(left("/docker/7/below") == 1000)
        #expect(left("/../elsewhere") == 1900)
        #expect(ControlGroups(groups: "", mounts: "").memoryLeft == nil)
    }
}
