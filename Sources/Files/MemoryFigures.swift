import Foundation

/// What the system says about memory, in bytes.
public enum MemoryFigures {
    /// The memory that this process holds now (VmRSS).
    public static var resident: Int { kibibytes("VmRSS", in: "/proc/self/status") * 1024 }

    /// The most memory that this process has held (VmHWM).
    public static var peak: Int { kibibytes("VmHWM", in: "/proc/self/status") * 1024 }

    /// What this process may still take: the machine's available memory, or less if its cgroup's limit leaves less.
    public static var available: Int {
        let machine = kibibytes("MemAvailable", in: "/proc/meminfo") * 1024
        // First version 2 of cgroups, then version 1. For no limit, version 2 says "max" and version 1 a huge number.
        let folders = [
            ("memory.max", "memory.current", "/sys/fs/cgroup"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "/sys/fs/cgroup/memory"),
        ]
        for (limit, usage, folder) in folders {
            if let limit = number("\(folder)/\(limit)"), let usage = number("\(folder)/\(usage)"), limit < Int.max / 2 {
                return min(machine, max(0, limit - usage))
            }
        }
        return machine
    }

    private static func number(_ path: String) -> Int? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
            Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }

    private static func kibibytes(_ field: String, in path: String) -> Int {
        guard let status = try? String(contentsOfFile: path, encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix(field + ":") }),
            let number = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return number
    }
}
